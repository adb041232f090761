#include "rollout/episodes.h"

namespace ponder {

Episodes::Episodes(const Task& task, const Problem& problem, uint32_t num_rows) : task_(task) {
  for (uint32_t row = 0; row < num_rows; ++row) {
    episodes_.push_back(task.NewEpisode(problem));
    episodes_.back()->Reset();
  }
}

TurnCallback Episodes::Turns() {
  return [this](uint32_t row,
                const std::vector<uint32_t>& tokens) -> std::optional<std::vector<uint32_t>> {
    const TurnResult result = episodes_[row]->Step(task_.tokenizer().Decode(tokens));
    if (result.done) return std::nullopt;
    return task_.tokenizer().Encode(result.observation);
  };
}

}  // namespace ponder
