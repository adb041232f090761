// A task of several turns, for tests: guess a hidden number; the environment says higher or lower.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tasks/task.h"

namespace ponder::testing {

// Prompt `?`. Each turn is one number; the observation is `higher` or `lower` until it is the
// hidden one or kMaxTurns are used up.
class GuessTask : public Task {
 public:
  static constexpr int kMaxTurns = 4;

  explicit GuessTask(int64_t num_numbers);

  const Tokenizer& tokenizer() const override { return tokenizer_; }
  Problem MakeProblem(Split split, uint64_t seed, uint64_t index) const override;
  // "exact": the hidden number at once.
  std::string Demonstrate(const Problem& problem, std::string_view demonstrator, uint64_t seed,
                          uint64_t index) const override;
  std::vector<std::string> demonstrators() const override { return {"exact"}; }
  std::unique_ptr<Episode> NewEpisode(const Problem& problem) const override;
  StepCheck CheckSteps(const Problem& problem, std::string_view response) const override;
  std::optional<double> ExpectedAccuracy(std::string_view demonstrator) const override;

 private:
  const int64_t num_numbers_;
  const SymbolTokenizer tokenizer_;
};

}  // namespace ponder::testing
