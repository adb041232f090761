// A task whose problems are easy to predict, for tests of algorithms.
#pragma once

#include <string>
#include <vector>

#include "core/base/error.h"
#include "tasks/task.h"

namespace ponder {

// Tokens a, b, >, #, <eos> with ids 0 to 4. The prompt of problem i is "a >" or "a a >", that of a
// held-out one "a a a >"; the
// demonstrator `letters` answers with 1 + (i mod 3) times "b", `silent` with nothing.
inline constexpr const char* kToyHeldOut = "a a a >";

class ToyTask : public Task {
 public:
  const Tokenizer& tokenizer() const override { return tokenizer_; }
  Problem MakeProblem(Split split, uint64_t seed, uint64_t index) const override {
    Problem problem;
    problem.index = index;
    if (split == Split::kEvaluate) {
      problem.text = kToyHeldOut;
      return problem;
    }
    problem.text = (index + seed) % 2 == 0 ? "a >" : "a a >";
    return problem;
  }
  std::string Demonstrate(const Problem& problem, std::string_view demonstrator, uint64_t,
                          uint64_t index) const override {
    PONDER_CHECK(problem.index == index) << "a demonstration of another problem";
    if (demonstrator == "silent") return "";
    std::string text = "b";
    for (uint64_t i = 0; i < index % 3; ++i) text += " b";
    return text;
  }
  std::vector<std::string> demonstrators() const override { return {"letters", "silent"}; }
  StepCheck CheckSteps(const Problem&, std::string_view) const override { return {}; }
  std::optional<double> ExpectedAccuracy(std::string_view) const override { return std::nullopt; }

 private:
  SymbolTokenizer tokenizer_{{"a", "b", ">", "#"}, {"<eos>"}, "<eos>"};
};

inline constexpr uint32_t kToyEos = 4;

}  // namespace ponder
