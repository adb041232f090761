#include "cli/inspect/tensor_table.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace ponder {
namespace {

TextPage::Row StatisticsRow(const TensorFacts& tensor) {
  const TensorStatistics& s = *tensor.statistics;
  return {
      {fmt::format("{:.4g}", s.min), fmt::format("{:.4g}", s.max), fmt::format("{:.4g}", s.mean),
       CountText(s.num_nan), CountText(s.num_infinite), tensor.spec.name},
      s.num_nan + s.num_infinite > 0 ? Tone::kBad : Tone::kPlain};
}

}  // namespace

void AddTensors(const std::vector<TensorFacts>& tensors, TextPage* page) {
  if (tensors.empty()) return;
  std::vector<TextPage::Row> rows;
  std::vector<TextPage::Row> statistics;
  for (const TensorFacts& tensor : tensors) {
    rows.push_back(
        {{std::string(NameOf(tensor.spec.dtype)), nlohmann::json(tensor.spec.shape).dump(),
          BytesText(tensor.spec.num_bytes()), tensor.spec.name}});
    if (tensor.statistics) statistics.push_back(StatisticsRow(tensor));
  }
  page->Table({"dtype", "shape", ">size", "name"}, rows);
  if (!statistics.empty()) {
    page->Table({">min", ">max", ">mean", ">NaN", ">inf", "name"}, statistics);
  }
  for (const TensorFacts& tensor : tensors) {
    if (tensor.sha256) page->Line("sha256 " + *tensor.sha256 + " " + tensor.spec.name);
  }
}

nlohmann::ordered_json TensorsJson(const std::vector<TensorFacts>& tensors) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const TensorFacts& tensor : tensors) {
    nlohmann::ordered_json json{{"name", tensor.spec.name},
                                {"dtype", NameOf(tensor.spec.dtype)},
                                {"shape", tensor.spec.shape},
                                {"bytes", tensor.spec.num_bytes()}};
    if (tensor.sha256) json["sha256"] = *tensor.sha256;
    if (tensor.statistics) {
      json["min"] = tensor.statistics->min;
      json["max"] = tensor.statistics->max;
      json["mean"] = tensor.statistics->mean;
      json["num_nan"] = tensor.statistics->num_nan;
      json["num_infinite"] = tensor.statistics->num_infinite;
    }
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace ponder
