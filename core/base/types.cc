#include "core/base/types.h"

#include <cstring>

#include "core/base/file.h"

namespace ponder {
namespace {

// Feeds plain values to a digest by their bytes in memory (floating-point numbers by their bits).
// Every part of variable length writes its length first, so that no two values feed the same bytes.
class Feeder {
 public:
  template <typename T>
  void Number(T value) {
    char bytes[sizeof(T)];
    std::memcpy(bytes, &value, sizeof(T));
    digest_.Update({bytes, sizeof(T)});
  }
  void Text(const std::string& text) {
    Number<uint64_t>(text.size());
    digest_.Update(text);
  }
  template <typename T>
  void Numbers(const std::vector<T>& values) {
    Number<uint64_t>(values.size());
    digest_.Update({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
  }
  std::string Finish() { return digest_.FinishHex(); }

 private:
  Sha256 digest_;
};

}  // namespace

double Trajectory::TotalReward() const {
  double total = 0;
  for (const SourceReward& reward : rewards) total += reward.weight * reward.value;
  return total;
}

uint32_t Trajectory::NumSampledTokens() const {
  size_t sampled = 0;
  for (size_t i = 0; i < segments.size(); ++i) {
    if (segments[i].kind != SegmentKind::kSampled) continue;
    const size_t end = i + 1 < segments.size() ? segments[i + 1].begin : token_ids.size();
    sampled += end - segments[i].begin;
  }
  return static_cast<uint32_t>(sampled);
}

std::string DigestOf(const std::vector<Trajectory>& trajectories) {
  Feeder feeder;
  feeder.Number<uint64_t>(trajectories.size());
  for (const Trajectory& trajectory : trajectories) {
    feeder.Number(trajectory.ordinal);
    feeder.Number(trajectory.sample_index);
    feeder.Number<uint8_t>(trajectory.greedy ? 1 : 0);
    feeder.Numbers(trajectory.token_ids);
    feeder.Number<uint64_t>(trajectory.segments.size());
    for (const Segment& segment : trajectory.segments) {
      feeder.Number(segment.begin);
      feeder.Number(static_cast<uint8_t>(segment.kind));
      feeder.Number(segment.version);
    }
    feeder.Numbers(trajectory.behavior_logprobs);
    feeder.Numbers(trajectory.processed_logprobs);
    feeder.Number(trajectory.temperature);
    feeder.Number(static_cast<uint8_t>(trajectory.finish_reason));
    feeder.Numbers(trajectory.step_ends);
    feeder.Number<uint64_t>(trajectory.rewards.size());
    for (const SourceReward& reward : trajectory.rewards) {
      feeder.Text(reward.source);
      feeder.Number(static_cast<uint8_t>(reward.verdict));
      feeder.Number(reward.value);
      feeder.Number(reward.weight);
      feeder.Text(reward.rule);
      feeder.Numbers(reward.step_values);
      feeder.Numbers(reward.token_values);
    }
  }
  return feeder.Finish();
}

}  // namespace ponder
