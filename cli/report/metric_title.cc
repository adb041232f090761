#include "cli/report/metric_title.h"

#include <map>

namespace ponder::report {
namespace {

// A name that ends in '*' stands for a family, as in the table of metrics; its title is followed by
// what stands for the '*'.
const std::map<std::string, std::string>& Titles() {
  static const std::map<std::string, std::string> kTitles{
      {"actor/approx_kl", "KL of a step"},
      {"actor/clip_frac", "Clipped ratios"},
      {"actor/clip_frac_high", "Ratios clipped from above"},
      {"actor/clip_frac_low", "Ratios clipped from below"},
      {"actor/entropy", "Entropy"},
      {"actor/grad_norm", "Gradient norm"},
      {"actor/learning_rate", "Learning rate"},
      {"actor/loss", "Loss"},
      {"actor/ratio_mean", "Mean ratio of new to old policy"},
      {"actor/updates", "Updates of a step"},
      {"perf/generate_s", "Seconds of sampling"},
      {"perf/rss_bytes", "Memory of rank 0 (bytes)"},
      {"perf/sampled_tokens_per_s", "Sampled tokens per second"},
      {"perf/score_s", "Seconds of scoring"},
      {"perf/tokens_per_s", "Trained tokens per second"},
      {"response_length/clip_ratio", "Responses out of tokens"},
      {"response_length/histogram", "Distribution of lengths"},
      {"response_length/histogram_bin", "Width of a bin of lengths"},
      {"response_length/max", "Longest response"},
      {"response_length/mean", "Response length"},
      {"response_length/min", "Shortest response"},
      {"reward/accuracy", "Accuracy"},
      {"reward/mean", "Reward"},
      {"reward/source/*", "Reward of "},
      {"reward/std", "Spread of the reward"},
      {"reward/zero_variance_groups", "Groups of equal reward"},
      {"staleness/max", "Age of the oldest sample"},
      {"staleness/mean", "Age of samples"},
      {"timing/annotate_s", "Seconds of old log-probs"},
      {"timing/build_s", "Seconds of building examples"},
      {"timing/checkpoint_s", "Seconds of saving"},
      {"timing/collect_s", "Seconds of waiting for samples"},
      {"timing/evaluate_s", "Seconds of evaluating"},
      {"timing/forward_backward_s", "Seconds of forward and backward"},
      {"timing/optimizer_s", "Seconds of the optimizer"},
      {"timing/publish_s", "Seconds of publishing"},
      {"timing/step_s", "Seconds of a step"},
      {"timing/update_s", "Seconds of updating"},
      {"timing/validate_s", "Seconds of validating"},
      {"train/epoch", "Epoch"},
      {"train/examples", "Examples of a step"},
      {"train/nonfinite", "Updates skipped as not finite"},
      {"train/tokens", "Trained tokens of a step"},
      {"train_rollout/logprob_diff_max", "Trainer against sampler, largest"},
      {"train_rollout/logprob_diff_mean", "Trainer against sampler, mean"},
      {"val/failed_groups", "Evaluated prompts without an answer"},
      {"val/greedy", "Right greedy answers"},
      {"val/greedy_high", "Right greedy answers, upper end"},
      {"val/greedy_low", "Right greedy answers, lower end"},
      {"val/loss", "Loss on held-out demonstrations"},
      {"val/maj_at_*", "Majority right, k = "},
      {"val/pass_at_*", "Any sample right, k = "},
      {"val/prompts", "Evaluated prompts"},
      {"val/response_length", "Response length of evaluations"},
      {"val/sampled", "Right samples"},
      {"val/sampled_high", "Right samples, upper end"},
      {"val/sampled_low", "Right samples, lower end"},
  };
  return kTitles;
}

}  // namespace

std::string TitleOf(const std::string& metric) {
  const auto found = Titles().find(metric);
  if (found != Titles().end()) return found->second;
  for (const auto& [name, title] : Titles()) {
    const std::string prefix = name.substr(0, name.size() - 1);
    if (name.ends_with('*') && metric.starts_with(prefix)) {
      return title + metric.substr(prefix.size());
    }
  }
  return metric;
}

}  // namespace ponder::report
