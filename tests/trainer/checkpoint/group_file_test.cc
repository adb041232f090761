#include "trainer/checkpoint/group_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "core/base/file.h"

namespace ponder {
namespace {

using ::testing::HasSubstr;

Trajectory SampleTrajectory(uint64_t ordinal, uint32_t sample_index) {
  Trajectory trajectory;
  trajectory.ordinal = ordinal;
  trajectory.sample_index = sample_index;
  trajectory.token_ids = {5, 7, 11, 2};
  trajectory.segments = {{.begin = 0, .kind = SegmentKind::kPrompt, .version = 0},
                         {.begin = 2, .kind = SegmentKind::kSampled, .version = 6}};
  trajectory.behavior_logprobs = {0, 0, -0.25F, -1.5F};
  trajectory.temperature = 0.75F;
  trajectory.finish_reason = FinishReason::kLength;
  trajectory.step_ends = {3};
  trajectory.rewards = {{.source = "answer",
                         .verdict = VerdictKind::kScored,
                         .value = 1.0 / 3,
                         .weight = 2,
                         .rule = "equal",
                         .step_values = {0.5F},
                         .token_values = {}}};
  return trajectory;
}

TrajectoryGroup SampleGroup(uint64_t ordinal) {
  TrajectoryGroup group;
  group.lease.lease_id = 900 + ordinal;
  group.lease.try_number = 3;
  group.lease.expires_in_ms = 30'000;
  group.lease.prompt.ordinal = ordinal;
  group.lease.prompt.task = "chain";
  group.lease.prompt.problem = 17;
  group.lease.prompt.token_ids = {5, 7};
  group.lease.prompt.messages = {{"user", "3 + 4 = ?"}};
  group.lease.prompt.reference_answer = "7";
  group.lease.prompt.metadata = {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}};
  group.lease.sampling.num_samples = 2;
  group.lease.model = {.run_id = "quick-1",
                       .attempt = 1,
                       .model = "policy",
                       .version = 6,
                       .digest = Sha256Hex("weights")};
  group.lease.stage = "reason";
  group.lease.reward_set = "stage/reason";
  group.trajectories = {SampleTrajectory(ordinal, 0), SampleTrajectory(ordinal, 1)};
  group.worker = "worker-0";
  group.generate_s = 1.5;
  group.score_s = 0.5;
  return group;
}

TrajectoryGroup FailedGroup(uint64_t ordinal) {
  TrajectoryGroup group = SampleGroup(ordinal);
  group.trajectories.clear();
  group.outcome = VerdictKind::kRefused;
  group.reason = "the reference answer cannot be read";
  return group;
}

TEST(GroupFile, ReadsBackWhatTrainingCanSee) {
  const std::vector<TrajectoryGroup> groups = {SampleGroup(4), FailedGroup(5), SampleGroup(6)};
  const std::vector<TrajectoryGroup> read = ParseGroups(SerializeGroups(groups), "groups.bin");
  ASSERT_EQ(read.size(), 3u);
  for (size_t index = 0; index < 3; ++index) {
    EXPECT_EQ(read[index].trajectories, groups[index].trajectories);
    EXPECT_EQ(read[index].lease.prompt, groups[index].lease.prompt);
    EXPECT_EQ(read[index].lease.sampling, groups[index].lease.sampling);
    EXPECT_EQ(read[index].lease.model, groups[index].lease.model);
    EXPECT_EQ(read[index].lease.stage, "reason");
    EXPECT_EQ(read[index].lease.reward_set, "stage/reason");
    EXPECT_EQ(read[index].outcome, groups[index].outcome);
    EXPECT_EQ(read[index].reason, groups[index].reason);
  }
  EXPECT_TRUE(ParseGroups(SerializeGroups({}), "groups.bin").empty());
}

TEST(GroupFile, DoesNotDependOnWhoMadeAGroup) {
  TrajectoryGroup other = SampleGroup(4);
  other.lease.lease_id = 1;
  other.lease.try_number = 0;
  other.lease.expires_in_ms = 5;
  other.worker = "worker-7";
  other.generate_s = 9;
  other.score_s = 9;
  EXPECT_EQ(SerializeGroups({other}), SerializeGroups({SampleGroup(4)}));
}

TEST(GroupFile, RefusesEveryFlippedBitTruncationAndExtension) {
  const std::string bytes = SerializeGroups({SampleGroup(4), FailedGroup(5)});
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      ASSERT_THROW(ParseGroups(changed, "groups.bin"), CheckpointError) << at << " bit " << bit;
    }
    ASSERT_THROW(ParseGroups(bytes.substr(0, at), "groups.bin"), CheckpointError) << at;
  }
  ASSERT_THROW(ParseGroups(bytes + '\0', "groups.bin"), CheckpointError);
}

TEST(GroupFile, NamesSourceAndPlace) {
  try {
    ParseGroups(SerializeGroups({SampleGroup(4)}).substr(0, 40), "step_000120/experience");
    FAIL() << "expected a refusal";
  } catch (const CheckpointError& error) {
    EXPECT_EQ(error.condition(), Condition::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("step_000120/experience at byte 24"));
    EXPECT_THAT(error.what(), HasSubstr("16"));
  }
}

TEST(GroupFile, RefusesWhatTheWireRefuses) {
  TrajectoryGroup group = SampleGroup(4);
  group.trajectories[0].behavior_logprobs.pop_back();
  EXPECT_THROW(ParseGroups(SerializeGroups({group}), "groups.bin"), CheckpointError);
}

}  // namespace
}  // namespace ponder
