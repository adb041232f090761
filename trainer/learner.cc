#include "trainer/learner.h"

#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/base/metrics.h"
#include "trainer/packer.h"

namespace ponder {
namespace {

constexpr std::string_view kTokens = "train/tokens";
constexpr std::string_view kExamples = "train/examples";
constexpr std::string_view kLoss = "actor/loss";
constexpr std::string_view kEntropy = "actor/entropy";
constexpr std::string_view kDiffMean = "train_rollout/logprob_diff_mean";
constexpr std::string_view kDiffMax = "train_rollout/logprob_diff_max";

// Metrics that count something rather than average it over trained tokens.
bool IsSum(std::string_view name) { return name == kTokens || name == kExamples || name == kLoss; }

double Sum(const at::Tensor& values) { return values.to(at::kDouble).sum().item<double>(); }

}  // namespace

Learner::Learner(const DecoderConfig& config, Communicator& comm, const Clock& clock,
                 int64_t max_tokens, at::ScalarType dtype)
    : comm_(comm),
      clock_(clock),
      max_tokens_(max_tokens),
      dtype_(dtype),
      parameters_(config, dtype, /*trainable=*/true),
      decoder_(config, parameters_) {}

void Learner::ResetOptimizer(const OptimizerConfig& config) {
  optimizer_ = std::make_unique<ShardedOptimizer>(parameters_, comm_, config);
}

double Learner::Loss(const Algorithm& algorithm, const Minibatch& minibatch) {
  double sum = 0;
  {
    const c10::NoGradGuard no_grad;
    const auto assignment = AssignMicroBatches(minibatch, comm_.size(), max_tokens_);
    for (const MicroBatch& batch : assignment[static_cast<size_t>(comm_.rank())]) {
      const PackedMicroBatch packed = Pack(minibatch, batch, dtype_);
      if (packed.rows.numel() == 0) continue;
      const at::Tensor hidden = decoder_.Forward(packed.tokens).index_select(0, packed.rows);
      const TokenScores scores =
          ScoreTokens(decoder_.Logits(hidden), packed.targets, packed.temperature);
      TokenMetrics ignored;
      sum += Sum(packed.streams.weight *
                 algorithm.TokenLoss(scores.logprobs, packed.streams, &ignored));
    }
  }
  comm_.AllReduceSum({&sum, 1, DType::kF64, nullptr});
  return sum;
}

std::vector<std::vector<std::vector<double>>> Learner::ScoreGroups(
    const std::vector<TrajectoryGroup>& groups) {
  // One unit per trajectory, so that the shares of the ranks are those of a minibatch.
  Minibatch units;
  std::vector<size_t> begin;  // of each unit in the flat array of all tokens
  size_t total = 0;
  std::vector<std::vector<std::vector<double>>> scores(groups.size());
  for (size_t group = 0; group < groups.size(); ++group) {
    scores[group].resize(groups[group].trajectories.size());
    for (const Trajectory& trajectory : groups[group].trajectories) {
      if (trajectory.greedy) continue;
      Example example;
      example.ordinal = trajectory.ordinal;
      example.sample_index = trajectory.sample_index;
      example.token_ids = trajectory.token_ids;
      example.temperature = trajectory.temperature;
      example.weight.assign(trajectory.token_ids.size(), 1.0);
      example.weight[0] = 0.0;
      begin.push_back(total);
      total += trajectory.token_ids.size();
      units.push_back({{std::move(example)}});
    }
  }
  std::vector<double> flat(total, 0.0);
  {
    const c10::NoGradGuard no_grad;
    const auto assignment = AssignMicroBatches(units, comm_.size(), max_tokens_);
    for (const MicroBatch& batch : assignment[static_cast<size_t>(comm_.rank())]) {
      const PackedMicroBatch packed = Pack(units, batch, dtype_);
      const at::Tensor hidden = decoder_.Forward(packed.tokens).index_select(0, packed.rows);
      const at::Tensor logprobs =
          ScoreTokens(decoder_.Logits(hidden), packed.targets, packed.temperature)
              .logprobs.to(at::kDouble)
              .contiguous();
      const double* next = logprobs.const_data_ptr<double>();
      for (const size_t unit : batch) {
        const size_t length = units[unit].sequences[0].token_ids.size();
        for (size_t t = 1; t < length; ++t) flat[begin[unit] + t] = *next++;
      }
    }
  }
  // Each element is non-zero on one rank only, so the sum joins the shares exactly.
  comm_.AllReduceSum({flat.data(), flat.size(), DType::kF64, nullptr});
  size_t unit = 0;
  for (size_t group = 0; group < groups.size(); ++group) {
    for (size_t sample = 0; sample < groups[group].trajectories.size(); ++sample) {
      if (groups[group].trajectories[sample].greedy) continue;
      const auto from = flat.begin() + static_cast<std::ptrdiff_t>(begin[unit++]);
      const auto length =
          static_cast<std::ptrdiff_t>(groups[group].trajectories[sample].token_ids.size());
      scores[group][sample].assign(from, from + length);
    }
  }
  return scores;
}

void Learner::AccumulateGradient(const Algorithm& algorithm, const Minibatch& minibatch) {
  parameters_.ZeroGrad();
  PONDER_FAILPOINT("trainer.backward");
  const auto assignment = AssignMicroBatches(minibatch, comm_.size(), max_tokens_);
  for (const MicroBatch& batch : assignment[static_cast<size_t>(comm_.rank())]) {
    const PackedMicroBatch packed = Pack(minibatch, batch, dtype_);
    if (packed.rows.numel() == 0) continue;
    const at::Tensor hidden = decoder_.Forward(packed.tokens).index_select(0, packed.rows);
    const TokenScores scores =
        ScoreTokens(decoder_.Logits(hidden), packed.targets, packed.temperature);
    TokenMetrics metrics;
    const at::Tensor token_loss = algorithm.TokenLoss(scores.logprobs, packed.streams, &metrics);
    const at::Tensor loss = (packed.streams.weight * token_loss).sum();
    loss.backward();

    const c10::NoGradGuard no_grad;
    if (packed.has_behavior) {
      const at::Tensor difference =
          (scores.logprobs.detach() - packed.streams.behavior_logprob).abs();
      metrics.emplace(kDiffMean, difference);
      max_logprob_diff_ =
          std::max(max_logprob_diff_, difference.max().to(at::kDouble).item<double>());
    }
    Collect(metrics, packed.streams.weight, loss.detach(), scores.entropy);
    sums_[std::string(kExamples)] += static_cast<double>(batch.size());
  }
}

void Learner::Collect(const TokenMetrics& token_metrics, const at::Tensor& weight,
                      const at::Tensor& loss, const at::Tensor& entropy) {
  sums_[std::string(kTokens)] += static_cast<double>(weight.numel());
  sums_[std::string(kLoss)] += loss.to(at::kDouble).item<double>();
  sums_[std::string(kEntropy)] += Sum(entropy);
  for (const auto& [name, values] : token_metrics) sums_[name] += Sum(values.detach());
}

void Learner::Update(const Algorithm& algorithm, const Minibatch& minibatch, double learning_rate) {
  const TimePoint start = clock_.Now();
  AccumulateGradient(algorithm, minibatch);
  const TimePoint reduced = clock_.Now();
  const OptimizerStep step = optimizer_->Step(learning_rate);
  times_.forward_backward_s += SecondsBetween(start, reduced);
  times_.optimizer_s += SecondsBetween(reduced, clock_.Now());
  learning_rate_ = learning_rate;
  if (step.finite) {
    grad_norm_sum_ += step.grad_norm;
    ++num_updates_;
  } else {
    ++num_skipped_;
  }
}

UpdateReport Learner::Report() {
  // Sums by row of the table, then how many ranks have the row: a metric that is exactly 0 is a
  // value, one that nobody computed is not there.
  const auto table = MetricTable();
  std::vector<double> values(2 * table.size(), 0.0);
  for (size_t row = 0; row < table.size(); ++row) {
    const auto found = sums_.find(std::string(table[row].name));
    if (found == sums_.end()) continue;
    values[row] = found->second;
    values[table.size() + row] = 1;
  }
  comm_.AllReduceSum({values.data(), values.size(), DType::kF64, nullptr});
  comm_.AllReduceMax({&max_logprob_diff_, 1, DType::kF64, nullptr});

  UpdateReport report;
  report.num_updates = num_updates_;
  report.finite = num_skipped_ == 0;
  report.times = times_;
  double tokens = 0;
  for (size_t row = 0; row < table.size(); ++row) {
    if (table[row].name == kTokens) tokens = values[row];
  }
  for (size_t row = 0; row < table.size(); ++row) {
    const std::string name(table[row].name);
    if (IsSum(name)) {
      report.metrics[name] = values[row];
    } else if (values[table.size() + row] > 0 && tokens > 0) {
      report.metrics[name] = values[row] / tokens;
    }
  }
  // The loss of a step is the mean over its updates, each a sum of weighted token losses.
  const auto updates = static_cast<double>(std::max<int64_t>(1, num_updates_ + num_skipped_));
  report.metrics[std::string(kLoss)] /= updates;
  report.metrics["actor/grad_norm"] =
      num_updates_ > 0 ? grad_norm_sum_ / static_cast<double>(num_updates_) : 0.0;
  report.metrics["actor/learning_rate"] = learning_rate_;
  report.metrics["train/nonfinite"] = static_cast<double>(num_skipped_);
  if (report.metrics.contains(std::string(kDiffMean))) {
    report.metrics[std::string(kDiffMax)] = max_logprob_diff_;
  }

  sums_.clear();
  max_logprob_diff_ = 0;
  times_ = {};
  grad_norm_sum_ = 0;
  num_updates_ = 0;
  num_skipped_ = 0;
  return report;
}

}  // namespace ponder
