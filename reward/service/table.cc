// The table of reward sources: one line each.
#include <array>

#include "core/base/error.h"
#include "reward/service/reward_source.h"

namespace ponder {
namespace {

struct SourceRow {
  std::string_view type;
  std::unique_ptr<RewardSource> (*make)(const RewardConfig& config, const Task& task,
                                        const RewardContext& context);
};

constexpr std::array<SourceRow, 6> kSources{{
    {"exact_answer", MakeExactAnswer},
    {"format", MakeFormat},
    {"task_verifier", MakeTaskVerifier},
    {"command", MakeCommandReward},
    {"grpc", MakeGrpcReward},
    {"http", MakeHttpReward},
}};

}  // namespace

std::unique_ptr<RewardSource> MakeRewardSource(const RewardConfig& config, const Task& task,
                                               const RewardContext& context) {
  for (const SourceRow& row : kSources) {
    if (row.type == config.type) return row.make(config, task, context);
  }
  std::string known;
  for (const SourceRow& row : kSources)
    known += (known.empty() ? "" : ", ") + std::string(row.type);
  throw ConfigError("reward '" + config.name + "': expected one of the types " + known + ", got '" +
                    config.type + "'");
}

}  // namespace ponder
