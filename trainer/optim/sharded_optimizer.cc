#include "trainer/optim/sharded_optimizer.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <string_view>
#include <utility>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/weights/safetensors.h"

namespace ponder {
namespace {

constexpr std::array<std::string_view, 3> kTensorNames = {"exp_avg", "exp_avg_sq", "master"};

// The canonical range of the elements as the parameters hold them now.
at::Tensor Slice(const at::Tensor& all, ShardRange range) {
  return all.slice(0, static_cast<int64_t>(range.begin), static_cast<int64_t>(range.end));
}

// In one fixed order, so that the norm does not depend on the number of threads.
template <typename T>
double SumOfSquares(const at::Tensor& values) {
  const T* data = values.const_data_ptr<T>();
  double sum = 0;
  for (int64_t i = 0; i < values.numel(); ++i) {
    const auto value = static_cast<double>(data[i]);
    sum += value * value;
  }
  return sum;
}

// What a fault test does to the gradient: the first element becomes NaN.
void Poison(at::Tensor& gradient) {
  if (gradient.numel() > 0) gradient[0].fill_(std::numeric_limits<double>::quiet_NaN());
}

[[noreturn]] void ThrowBadShard(const std::string& path, const std::string& problem) {
  throw CheckpointError(Condition::kBadData, "reading optimizer state " + path + ": " + problem);
}

uint64_t Number(const SafetensorsHeader& header, const std::string& key, const std::string& path) {
  const auto found = header.metadata.find(key);
  if (found == header.metadata.end())
    ThrowBadShard(path, "expected metadata '" + key + "', got none");
  const std::string& text = found->second;
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    ThrowBadShard(path, "expected metadata '" + key + "' in decimal, got '" + text + "'");
  }
  return value;
}

// A parsed and checked shard; views into the bytes it was read from.
struct ShardView {
  const std::string* path = nullptr;
  ShardRange range;
  uint64_t step = 0;
  std::array<std::string_view, 3> data;  // in the order of kTensorNames
};

ShardView ParseShard(const OptimizerShard& shard, uint64_t total, DType dtype) {
  const SafetensorsHeader header = ParseSafetensors(shard.bytes, shard.path);
  ShardView view;
  view.path = &shard.path;
  view.range = {Number(header, "begin", shard.path), Number(header, "end", shard.path)};
  view.step = Number(header, "step", shard.path);
  const uint64_t saved_total = Number(header, "total", shard.path);
  if (saved_total != total) {
    ThrowBadShard(shard.path, "expected the state of a model of " + std::to_string(total) +
                                  " parameters, got one of " + std::to_string(saved_total));
  }
  if (view.range.begin > view.range.end || view.range.end > total) {
    ThrowBadShard(shard.path, "expected a range inside [0, " + std::to_string(total) + "), got [" +
                                  std::to_string(view.range.begin) + ", " +
                                  std::to_string(view.range.end) + ")");
  }
  if (header.tensors.size() != kTensorNames.size()) {
    ThrowBadShard(shard.path, "expected " + std::to_string(kTensorNames.size()) + " tensors, got " +
                                  std::to_string(header.tensors.size()));
  }
  for (size_t i = 0; i < kTensorNames.size(); ++i) {
    const auto found =
        std::find_if(header.tensors.begin(), header.tensors.end(),
                     [&](const TensorSpec& spec) { return spec.name == kTensorNames[i]; });
    if (found == header.tensors.end()) {
      ThrowBadShard(shard.path, "expected tensor " + std::string(kTensorNames[i]) + ", got none");
    }
    const std::vector<uint64_t> shape = {view.range.end - view.range.begin};
    if (found->dtype != dtype || found->shape != shape) {
      ThrowBadShard(shard.path, "expected " + found->name + " to be " + std::string(NameOf(dtype)) +
                                    " [" + std::to_string(shape[0]) + "], got " +
                                    std::string(NameOf(found->dtype)) + " of " +
                                    std::to_string(found->num_elements()) + " elements");
    }
    view.data[i] =
        std::string_view(shard.bytes).substr(header.data_begin + found->offset, found->num_bytes());
  }
  return view;
}

// Checks that the shards agree and cover `range` without overlap; sorts them by begin.
void CheckCoverage(std::vector<ShardView>& views, ShardRange range) {
  std::sort(views.begin(), views.end(), [](const ShardView& left, const ShardView& right) {
    return std::pair(left.range.begin, left.range.end) <
           std::pair(right.range.begin, right.range.end);
  });
  uint64_t covered = range.begin;
  uint64_t previous_end = 0;
  for (const ShardView& view : views) {
    if (view.step != views.front().step) {
      ThrowBadShard(*view.path, "expected step " + std::to_string(views.front().step) + " as in " +
                                    *views.front().path + ", got " + std::to_string(view.step));
    }
    if (view.range.begin < previous_end) {
      ThrowBadShard(*view.path, "expected ranges that do not overlap, got one that begins at " +
                                    std::to_string(view.range.begin) + " before the end " +
                                    std::to_string(previous_end) + " of another");
    }
    previous_end = view.range.end;
    if (view.range.begin <= covered) covered = std::max(covered, view.range.end);
  }
  if (views.empty() || covered < range.end) {
    throw CheckpointError(Condition::kBadData,
                          "reading optimizer state: expected files that cover the range [" +
                              std::to_string(range.begin) + ", " + std::to_string(range.end) +
                              "), got a gap from " + std::to_string(covered));
  }
}

}  // namespace

ShardedOptimizer::ShardedOptimizer(Parameters& parameters, Communicator& comm,
                                   const OptimizerConfig& config)
    : parameters_(parameters),
      comm_(comm),
      max_grad_norm_(config.max_grad_norm),
      total_(static_cast<uint64_t>(parameters.num_elements())),
      range_(ShardOf(total_, comm.rank(), comm.size())),
      adamw_(Slice(parameters.GatherValues(), range_), config) {
  for (int rank = 0; rank < comm.size(); ++rank) {
    const ShardRange range = ShardOf(total_, rank, comm.size());
    counts_.push_back(range.end - range.begin);
  }
}

CommBuffer ShardedOptimizer::BufferOf(const at::Tensor& tensor) const {
  return {tensor.data_ptr(), static_cast<uint64_t>(tensor.numel()),
          tensor.scalar_type() == at::kDouble ? DType::kF64 : DType::kF32, nullptr};
}

OptimizerStep ShardedOptimizer::Step(double learning_rate) {
  const at::NoGradGuard no_grad;
  at::Tensor gradient = at::empty_like(adamw_.master());
  {
    at::Tensor local = parameters_.GatherGrad();  // [total], of this rank's examples
    if (PONDER_FAILPOINT("trainer.reduce")) Poison(local);
    comm_.ReduceScatterSum(BufferOf(local), BufferOf(gradient), counts_);
  }
  if (PONDER_FAILPOINT("trainer.optimizer")) Poison(gradient);

  double squares = gradient.scalar_type() == at::kDouble ? SumOfSquares<double>(gradient)
                                                         : SumOfSquares<float>(gradient);
  comm_.AllReduceSum({&squares, 1, DType::kF64, nullptr});
  OptimizerStep step;
  step.grad_norm = std::sqrt(squares);
  // One infinity or NaN anywhere makes the sum non-finite on every rank alike.
  step.finite = std::isfinite(squares);
  if (!step.finite) return step;

  // The small number keeps the scale finite, as in torch.nn.utils.clip_grad_norm_.
  const double scale =
      max_grad_norm_ > 0.0 ? std::min(1.0, max_grad_norm_ / (step.grad_norm + 1e-6)) : 1.0;
  adamw_.Step(gradient, scale, learning_rate);
  PublishWeights();
  return step;
}

void ShardedOptimizer::PublishWeights() {
  const at::Tensor& master = adamw_.master();
  const at::Tensor all = at::empty({static_cast<int64_t>(total_)}, master.options());
  comm_.AllGather(BufferOf(master), BufferOf(all), counts_);
  parameters_.ScatterValues(all);
}

std::string ShardedOptimizer::SaveShard() const {
  const std::array<const at::Tensor*, 3> tensors = {&adamw_.exp_avg(), &adamw_.exp_avg_sq(),
                                                    &adamw_.master()};
  std::vector<TensorBytes> entries;
  for (size_t i = 0; i < tensors.size(); ++i) {
    TensorSpec spec;
    spec.name = kTensorNames[i];
    spec.dtype = BufferOf(*tensors[i]).dtype;
    spec.shape = {range_.end - range_.begin};
    entries.push_back(
        {spec, std::string_view(static_cast<const char*>(tensors[i]->const_data_ptr()),
                                tensors[i]->nbytes())});
  }
  return SerializeSafetensors(entries, {{"begin", std::to_string(range_.begin)},
                                        {"end", std::to_string(range_.end)},
                                        {"total", std::to_string(total_)},
                                        {"step", std::to_string(adamw_.num_updates())}});
}

void ShardedOptimizer::LoadShards(std::span<const OptimizerShard> shards) {
  const at::NoGradGuard no_grad;
  const DType dtype = BufferOf(adamw_.master()).dtype;
  std::vector<ShardView> views;
  for (const OptimizerShard& shard : shards) views.push_back(ParseShard(shard, total_, dtype));
  CheckCoverage(views, range_);

  const uint64_t element_bytes = SizeOf(dtype);
  const std::array<char*, 3> destinations = {static_cast<char*>(adamw_.exp_avg().data_ptr()),
                                             static_cast<char*>(adamw_.exp_avg_sq().data_ptr()),
                                             static_cast<char*>(adamw_.master().data_ptr())};
  for (const ShardView& view : views) {
    const uint64_t begin = std::max(view.range.begin, range_.begin);
    const uint64_t end = std::min(view.range.end, range_.end);
    if (begin >= end) continue;
    for (size_t i = 0; i < destinations.size(); ++i) {
      std::memcpy(destinations[i] + (begin - range_.begin) * element_bytes,
                  view.data[i].data() + (begin - view.range.begin) * element_bytes,
                  (end - begin) * element_bytes);
    }
  }
  adamw_.SetNumUpdates(static_cast<int64_t>(views.front().step));
  PublishWeights();
}

}  // namespace ponder
