#include "core/config/problems.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/base/error.h"

namespace ponder {
namespace {

constexpr size_t kMaxPrinted = 100;
constexpr int kWholeFile = 0;  // a line that no place in a file has

std::tuple<int, int, int> SortKey(const YamlPlace& place) {
  return {place.override_index, place.line, place.column};
}

// The key of an override, or what stands for one when it is no KEY=VALUE.
std::string KeyOf(const std::string& override_text) {
  return override_text.substr(0, override_text.find_first_of("=:"));
}

}  // namespace

void Problems::Add(const YamlPlace& place, std::string text) {
  problems_.push_back({place, std::move(text)});
}

void Problems::AddAt(const YamlPlace& place, const std::string& key, const std::string& text) {
  keys_.insert(key);
  Add(place, key + ": " + text);
}

void Problems::AddToFile(std::string text) {
  Add({.override_index = YamlPlace::kFile, .line = kWholeFile, .column = 0}, std::move(text));
}

std::string Problems::Text() const {
  std::vector<Problem> sorted = problems_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Problem& a, const Problem& b) {
    return SortKey(a.place) < SortKey(b.place);
  });
  std::string text;
  for (size_t i = 0; i < std::min(sorted.size(), kMaxPrinted); ++i) {
    const YamlPlace& place = sorted[i].place;
    if (i > 0) text += "\n";
    if (place.override_index != YamlPlace::kFile) {
      const std::string key = KeyOf(overrides_.at(static_cast<size_t>(place.override_index)));
      text += "--set ";
      if (!sorted[i].text.starts_with(key + ": ")) text += key + ": ";
    } else {
      text += path_;
      if (place.line != kWholeFile) {
        text += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
      }
      text += ": ";
    }
    text += sorted[i].text;
  }
  if (sorted.size() > kMaxPrinted) {
    text +=
        "\n" + path_ + ": and " + std::to_string(sorted.size() - kMaxPrinted) + " problems more";
  }
  return text;
}

void Problems::ThrowIfAny() const {
  if (!empty()) throw ConfigError(Text());
}

}  // namespace ponder
