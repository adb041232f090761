#include "trainer/algorithms/grpo.h"

#include <utility>

#include "core/base/error.h"
#include "trainer/algorithms/rollouts.h"
#include "trainer/objectives/advantages.h"
#include "trainer/objectives/aggregation.h"
#include "trainer/objectives/importance.h"
#include "trainer/objectives/kl.h"
#include "trainer/objectives/policy_loss.h"

namespace ponder {
namespace {

// Cap of pi_old / mu per token where the sampling policy may be older than the step.
constexpr double kMaxImportanceWeight = 2.0;

class Grpo : public Algorithm {
 public:
  explicit Grpo(const StageConfig& stage)
      : num_minibatches_(static_cast<size_t>(stage.num_minibatches)),
        one_update_per_step_(stage.num_epochs * stage.num_minibatches == 1),
        corrects_staleness_(stage.max_staleness > 0),
        max_new_tokens_(stage.rollout.max_new_tokens),
        aggregation_(ParseAggregation(stage.aggregation)),
        clip_{.low = stage.clip.low, .high = stage.clip.high, .dual = std::nullopt} {
    advantage_options_.std = ParseAdvantageStd(stage.advantage_std);
  }

  bool samples() const override { return true; }

  AnnotationNeeds Needs() const override { return {.old_logprobs = !one_update_per_step_}; }

  std::vector<Minibatch> BuildExamples(const StepInput& input,
                                       std::map<std::string, double>* metrics) const override {
    AddRolloutMetrics(input.groups, metrics);
    std::vector<GroupRewards> rewards;
    for (const TrajectoryGroup& group : input.groups) {
      GroupRewards& group_rewards = rewards.emplace_back();
      for (const size_t row : TrainedRows(group)) {
        group_rewards.emplace_back(group.trajectories[row].TotalReward());
      }
    }
    const std::vector<std::vector<double>> advantages =
        GroupAdvantages(rewards, advantage_options_);

    std::vector<Minibatch> minibatches;
    const size_t num_groups = input.groups.size();
    for (size_t i = 0; i < num_minibatches_; ++i) {
      const size_t begin = i * num_groups / num_minibatches_;
      const size_t end = (i + 1) * num_groups / num_minibatches_;
      minibatches.push_back(BuildMinibatch(input, begin, end, rewards, advantages));
    }
    return minibatches;
  }

  at::Tensor TokenLoss(const at::Tensor& logprobs, const TokenStreams& streams,
                       TokenMetrics* metrics) const override {
    const at::Tensor old_logprobs =
        streams.old_logprob.defined() ? streams.old_logprob : logprobs.detach();
    PolicyLoss policy = ClippedPolicyLoss(logprobs, old_logprobs, streams.advantage, clip_);
    (*metrics)["actor/clip_frac"] = policy.clipped_low + policy.clipped_high;
    (*metrics)["actor/clip_frac_low"] = policy.clipped_low;
    (*metrics)["actor/clip_frac_high"] = policy.clipped_high;
    (*metrics)["actor/ratio_mean"] = policy.ratio.detach();
    // Samples come from the old policy, so this estimates KL(old || new).
    (*metrics)["actor/approx_kl"] = EstimateKl(KlEstimator::kK3, old_logprobs, logprobs.detach());
    if (!corrects_staleness_) return policy.loss;
    return policy.loss * ImportanceWeights(old_logprobs - streams.behavior_logprob,
                                           ImportanceRule::kTruncate,
                                           {.max = kMaxImportanceWeight});
  }

 private:
  // Groups [begin, end), with the denominators of all their sequences.
  Minibatch BuildMinibatch(const StepInput& input, size_t begin, size_t end,
                           const std::vector<GroupRewards>& rewards,
                           const std::vector<std::vector<double>>& advantages) const {
    std::vector<int64_t> num_tokens;
    for (size_t group = begin; group < end; ++group) {
      for (const size_t row : TrainedRows(input.groups[group])) {
        num_tokens.push_back(input.groups[group].trajectories[row].NumSampledTokens());
      }
    }
    const std::vector<double> weights = TokenWeights(aggregation_, num_tokens, max_new_tokens_);

    Minibatch minibatch;
    size_t sequence = 0;
    for (size_t group = begin; group < end; ++group) {
      const std::vector<size_t> rows = TrainedRows(input.groups[group]);
      const bool has_gradient = !HasZeroVariance(rewards[group]);
      for (size_t i = 0; i < rows.size(); ++i, ++sequence) {
        if (!has_gradient) continue;
        Example example = ExampleOf(input.groups[group].trajectories[rows[i]]);
        example.advantage.assign(example.token_ids.size(), 0.0);
        for (size_t t = 0; t < example.token_ids.size(); ++t) {
          if (example.sampled[t] == 0) continue;
          example.weight[t] = weights[sequence];
          example.advantage[t] = advantages[group][i];
        }
        if (!one_update_per_step_) {
          example.old_logprob = OldLogprobs(input, group, rows[i]);
        }
        minibatch.push_back({{std::move(example)}});
      }
    }
    return minibatch;
  }

  static std::vector<double> OldLogprobs(const StepInput& input, size_t group, size_t row) {
    const size_t num_tokens = input.groups[group].trajectories[row].token_ids.size();
    PONDER_CHECK(group < input.old_logprobs.size() && row < input.old_logprobs[group].size() &&
                 input.old_logprobs[group][row].size() == num_tokens)
        << "expected " << num_tokens << " old log-probs of trajectory " << row << " of group "
        << group;
    return input.old_logprobs[group][row];
  }

  const size_t num_minibatches_;
  const bool one_update_per_step_;
  const bool corrects_staleness_;
  const int64_t max_new_tokens_;
  const Aggregation aggregation_;
  const ClipRange clip_;
  AdvantageOptions advantage_options_;
};

}  // namespace

std::unique_ptr<Algorithm> MakeGrpo(const AlgorithmContext& context) {
  return std::make_unique<Grpo>(context.stage);
}

}  // namespace ponder
