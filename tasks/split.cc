#include "tasks/split.h"

#include "core/base/error.h"
#include "core/base/file.h"

namespace ponder {
namespace {

// Evaluation problems draw from the upper half of the ordinals, training ones from the lower.
constexpr uint64_t kEvaluateBit = uint64_t{1} << 63;
constexpr uint32_t kMaxTries = 100'000;

bool IsHeldOut(const TaskConfig& config, const std::string& key) {
  const std::string digest = Sha256Hex(std::to_string(config.task_seed) + ":" + key);
  const auto bits = std::stoull(digest.substr(0, 13), nullptr, 16);  // 52 bits
  return static_cast<double>(bits) * 0x1.0p-52 < config.eval_share;
}

}  // namespace

Problem DrawOfSplit(const TaskConfig& config, Split split, uint64_t seed, uint64_t index,
                    const std::function<KeyedProblem(const RandomStream&)>& draw) {
  const bool evaluates = split == Split::kEvaluate;
  const uint64_t ordinal = index | (evaluates ? kEvaluateBit : 0);
  for (uint32_t attempt = 0; attempt < kMaxTries; ++attempt) {
    KeyedProblem candidate =
        draw(RandomStream(seed, RandomPurpose::kProblem, ordinal, /*sample=*/attempt));
    const bool is_split = config.eval_share > 0;
    if (is_split && IsHeldOut(config, candidate.split_key) != evaluates) continue;
    candidate.problem.index = index;
    return std::move(candidate.problem);
  }
  throw Error(Condition::kConfig,
              "task '" + config.name + "': no problem of the " +
                  (evaluates ? "evaluation" : "training") + " split in " +
                  std::to_string(kMaxTries) + " draws (eval_share, " +
                  std::to_string(config.eval_share) +
                  ", leaves too few of the task's problems: are they too small?)");
}

}  // namespace ponder
