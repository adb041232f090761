#include "trainer/samples.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>

#include "trainer/evaluation.h"

namespace ponder {
namespace {

using nlohmann::json;

// How much of a file's groups is kept.
struct Keep {
  size_t prompts;
  size_t samples;  // of each prompt; a greedy row is kept besides
};
constexpr Keep kOfEvaluation{.prompts = 16, .samples = 4};
constexpr Keep kOfTraining{.prompts = 2, .samples = 8};

// Tokens kept at either end of a long response.
constexpr size_t kEndTokens = 1024;

// Four decimals of a nat are more than a reader can see, and keep the files small. Adding 0 takes
// the sign from a zero.
double Rounded(float logprob) { return std::round(static_cast<double>(logprob) * 1e4) / 1e4 + 0.0; }

// Position of the first token after the prompt.
size_t ResponseBegin(const Trajectory& trajectory) {
  for (const Segment& segment : trajectory.segments) {
    if (segment.kind != SegmentKind::kPrompt) return segment.begin;
  }
  return trajectory.token_ids.size();
}

// [N], true where the policy sampled the token.
std::vector<bool> SampledTokens(const Trajectory& trajectory) {
  std::vector<bool> sampled(trajectory.token_ids.size(), false);
  for (size_t i = 0; i < trajectory.segments.size(); ++i) {
    if (trajectory.segments[i].kind != SegmentKind::kSampled) continue;
    const size_t end = i + 1 < trajectory.segments.size() ? trajectory.segments[i + 1].begin
                                                          : trajectory.token_ids.size();
    for (size_t t = trajectory.segments[i].begin; t < end; ++t) sampled[t] = true;
  }
  return sampled;
}

// Adds the tokens after the prompt with their log-probs, and the response as text.
void AddResponse(const Trajectory& trajectory, const Tokenizer& tokenizer, json* line) {
  const size_t begin = ResponseBegin(trajectory);
  const size_t end = trajectory.token_ids.size();
  const bool is_long = end - begin > 2 * kEndTokens;
  const size_t cut_begin = is_long ? begin + kEndTokens : end;
  const size_t cut_end = is_long ? end - kEndTokens : end;
  const std::vector<bool> sampled = SampledTokens(trajectory);
  json tokens = json::array();
  json logprobs = json::array();
  for (size_t t = begin; t < end; ++t) {
    if (t >= cut_begin && t < cut_end) continue;
    tokens.push_back(tokenizer.TokenText(trajectory.token_ids[t]));
    logprobs.push_back(sampled[t] ? json(Rounded(trajectory.behavior_logprobs[t])) : json(nullptr));
  }
  const std::span<const uint32_t> ids(trajectory.token_ids);
  std::string response = tokenizer.Decode(ids.subspan(begin, cut_begin - begin));
  if (is_long) {
    response += " ... " + tokenizer.Decode(ids.subspan(cut_end));
    (*line)["cut"] = {{"after", kEndTokens}, {"tokens", cut_end - cut_begin}};
  }
  (*line)["response"] = response;
  (*line)["tokens"] = std::move(tokens);
  (*line)["logprobs"] = std::move(logprobs);
}

json LineOf(const SampleOrigin& origin, const TrajectoryGroup& group, const Trajectory& trajectory,
            const Tokenizer& tokenizer) {
  json rewards = json::array();
  for (const SourceReward& reward : trajectory.rewards) {
    rewards.push_back({{"source", reward.source},
                       {"value", reward.value},
                       {"weight", reward.weight},
                       {"rule", reward.rule}});
  }
  json line{
      {"stage", origin.stage},
      {"step", origin.step},
      {"stage_step", origin.stage_step},
      {"ordinal", trajectory.ordinal},
      {"sample", trajectory.sample_index},
      {"greedy", trajectory.greedy},
      {"prompt", tokenizer.Decode(group.lease.prompt.token_ids)},
      {"reference", group.lease.prompt.reference_answer},
      {"correct", IsRight(trajectory)},
      {"reward", trajectory.TotalReward()},
      {"rule", trajectory.rewards.empty() ? "" : trajectory.rewards.front().rule},
      {"rewards", std::move(rewards)},
      {"finish", trajectory.finish_reason == FinishReason::kLength ? "length" : "stop"},
  };
  if (!origin.set.empty()) line["set"] = origin.set;
  AddResponse(trajectory, tokenizer, &line);
  return line;
}

}  // namespace

bool KeepsSamplesOf(int64_t stage_step) {
  constexpr int kFirstSteps = 3;  // as a power of two
  const int doublings = std::bit_width(static_cast<uint64_t>(stage_step)) - 1;
  if (doublings < kFirstSteps) return true;
  const int64_t stride = int64_t{1} << (doublings - 2);
  return stage_step % stride == 0;
}

std::string SamplesPath(const std::string& run_dir, const SampleOrigin& origin) {
  const std::string name = origin.set.empty() ? fmt::format("step_{:06}", origin.step)
                                              : origin.set + "_after_" + origin.stage;
  return run_dir + "/samples/" + name + ".jsonl";
}

void WriteSamples(FileSystem& files, const std::string& run_dir, const SampleOrigin& origin,
                  const std::vector<TrajectoryGroup>& groups, const Tokenizer& tokenizer) {
  const Keep keep = origin.set.empty() ? kOfTraining : kOfEvaluation;
  std::string text;
  size_t prompts = 0;
  for (const TrajectoryGroup& group : groups) {
    if (group.trajectories.empty()) continue;
    if (prompts++ == keep.prompts) break;
    size_t samples = 0;
    for (const Trajectory& trajectory : group.trajectories) {
      if (!trajectory.greedy && samples++ >= keep.samples) continue;
      // What a model writes need not be UTF-8 when a token ends inside a character.
      text += LineOf(origin, group, trajectory, tokenizer)
                  .dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace);
      text += '\n';
    }
  }
  files.MakeDirectories(run_dir + "/samples");
  WriteFileAtomically(files, SamplesPath(run_dir, origin), text);
}

}  // namespace ponder
