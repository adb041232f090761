#include "trainer/outcomes.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/answers/final_answer.h"
#include "core/config/experiment.h"
#include "trainer/evaluation.h"

namespace ponder {
namespace {

using nlohmann::json;

std::vector<uint32_t> SampledTokens(const Trajectory& trajectory) {
  std::vector<uint32_t> sampled;
  for (size_t i = 0; i < trajectory.segments.size(); ++i) {
    if (trajectory.segments[i].kind != SegmentKind::kSampled) continue;
    const size_t end = i + 1 < trajectory.segments.size() ? trajectory.segments[i + 1].begin
                                                          : trajectory.token_ids.size();
    const auto tokens = trajectory.token_ids.begin();
    sampled.insert(sampled.end(),
                   tokens + static_cast<std::ptrdiff_t>(trajectory.segments[i].begin),
                   tokens + static_cast<std::ptrdiff_t>(end));
  }
  return sampled;
}

PromptOutcome OutcomeOf(const TrajectoryGroup& group, const Tokenizer& tokenizer) {
  PromptOutcome outcome;
  outcome.problem = group.lease.prompt.problem;
  outcome.reference = group.lease.prompt.reference_answer;
  outcome.failure = group.reason;
  std::map<std::string, AnswerCount> answers;
  for (const Trajectory& trajectory : group.trajectories) {
    const bool right = IsRight(trajectory);
    if (trajectory.greedy) {
      outcome.greedy_right = right;
      continue;
    }
    ++outcome.num_samples;
    outcome.num_right += right ? 1 : 0;
    const std::optional<std::string> text =
        CommittedAnswer(tokenizer.Decode(SampledTokens(trajectory)), kAnswerMarker,
                        trajectory.finish_reason == FinishReason::kLength);
    if (!text) continue;
    AnswerCount& answer = answers[*text];
    answer.answer = *text;
    ++answer.count;
    answer.num_right += right ? 1 : 0;
  }
  for (auto& [text, answer] : answers) outcome.answers.push_back(std::move(answer));
  return outcome;
}

// Adds the mean of `estimate` over the outcomes, under `name`.
template <typename Estimate>
void AddMean(const std::string& name, const std::vector<const PromptOutcome*>& outcomes,
             const Estimate& estimate, std::map<std::string, double>* metrics) {
  std::vector<double> values;
  values.reserve(outcomes.size());
  for (const PromptOutcome* outcome : outcomes) values.push_back(estimate(*outcome));
  const Interval interval = ClusteredInterval(values);
  (*metrics)[name] = interval.value;
  (*metrics)[name + "_low"] = interval.low;
  (*metrics)[name + "_high"] = interval.high;
}

}  // namespace

std::vector<PromptOutcome> OutcomesOf(const std::vector<TrajectoryGroup>& groups,
                                      const Tokenizer& tokenizer) {
  std::vector<PromptOutcome> outcomes;
  outcomes.reserve(groups.size());
  for (const TrajectoryGroup& group : groups) outcomes.push_back(OutcomeOf(group, tokenizer));
  return outcomes;
}

std::map<std::string, double> SubsetMetrics(const std::vector<PromptOutcome>& outcomes) {
  std::map<std::string, double> metrics;
  std::vector<const PromptOutcome*> sampled;
  for (const PromptOutcome& outcome : outcomes) {
    if (outcome.num_samples > 0) sampled.push_back(&outcome);
  }
  if (sampled.empty()) return metrics;
  const int64_t fewest = (*std::min_element(sampled.begin(), sampled.end(), [](auto* a, auto* b) {
                           return a->num_samples < b->num_samples;
                         }))->num_samples;
  for (const int64_t k : SubsetSizes(fewest)) {
    AddMean(
        "val/pass_at_" + std::to_string(k), sampled,
        [k](const PromptOutcome& outcome) {
          return PassAtK(outcome.num_samples, outcome.num_right, k);
        },
        &metrics);
    if (k > kMaxMajoritySize) continue;
    AddMean(
        "val/maj_at_" + std::to_string(k), sampled,
        [k](const PromptOutcome& outcome) {
          return MajorityAtK(outcome.answers, outcome.num_samples, k);
        },
        &metrics);
  }
  return metrics;
}

void WriteOutcomes(FileSystem& files, const std::string& run_dir, const std::string& evaluation,
                   const std::string& stage, const std::vector<PromptOutcome>& outcomes) {
  std::string text;
  for (const PromptOutcome& outcome : outcomes) {
    json line{{"problem", outcome.problem},
              {"reference", outcome.reference},
              {"num_samples", outcome.num_samples},
              {"num_right", outcome.num_right},
              {"answers", json::array()}};
    for (const AnswerCount& answer : outcome.answers) {
      line["answers"].push_back(
          {{"answer", answer.answer}, {"count", answer.count}, {"num_right", answer.num_right}});
    }
    if (outcome.greedy_right) line["greedy_right"] = *outcome.greedy_right;
    if (!outcome.failure.empty()) line["failure"] = outcome.failure;
    text += line.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
  }
  files.MakeDirectories(run_dir + "/outcomes");
  WriteFileAtomically(files, run_dir + "/outcomes/" + evaluation + "_after_" + stage + ".jsonl",
                      text);
}

}  // namespace ponder
