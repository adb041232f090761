#include "tests/tasks/guess_task.h"

#include "core/base/philox.h"

namespace ponder::testing {
namespace {

constexpr std::string_view kPrompt = "?";

std::vector<std::string> Symbols(int64_t num_numbers) {
  std::vector<std::string> symbols;
  for (int64_t number = 0; number < num_numbers; ++number) {
    symbols.push_back(std::to_string(number));
  }
  for (const char* symbol : {"?", "higher", "lower", "#"}) symbols.emplace_back(symbol);
  return symbols;
}

class GuessEpisode : public Episode {
 public:
  explicit GuessEpisode(int64_t hidden) : hidden_(hidden) {}

  void Reset() override { num_turns_ = 0; }

  TurnResult Step(std::string_view turn) override {
    ++num_turns_;
    const int64_t guess = std::stoll(std::string(turn));
    if (guess == hidden_ || num_turns_ >= GuessTask::kMaxTurns)
      return {.done = true, .observation = {}};
    return {.done = false, .observation = guess < hidden_ ? "higher" : "lower"};
  }

 private:
  const int64_t hidden_;
  int num_turns_ = 0;
};

}  // namespace

GuessTask::GuessTask(int64_t num_numbers)
    : num_numbers_(num_numbers), tokenizer_(Symbols(num_numbers), {"<eos>"}, "<eos>") {}

Problem GuessTask::MakeProblem(Split /*split*/, uint64_t seed, uint64_t index) const {
  const RandomStream random(seed, RandomPurpose::kTest, index, /*sample=*/0);
  Problem problem;
  problem.index = index;
  problem.text = std::string(kPrompt);
  problem.reference_answer =
      std::to_string(random.Below(/*position=*/0, static_cast<uint64_t>(num_numbers_)));
  return problem;
}

std::string GuessTask::Demonstrate(const Problem& problem, std::string_view /*demonstrator*/,
                                   uint64_t /*seed*/, uint64_t /*index*/) const {
  return problem.reference_answer;
}

std::unique_ptr<Episode> GuessTask::NewEpisode(const Problem& problem) const {
  return std::make_unique<GuessEpisode>(std::stoll(problem.reference_answer));
}

StepCheck GuessTask::CheckSteps(const Problem& problem, std::string_view response) const {
  const bool correct = response == problem.reference_answer;
  return {.step_correct = {correct}, .well_formed = true};
}

std::optional<double> GuessTask::ExpectedAccuracy(std::string_view /*demonstrator*/) const {
  return 1.0;
}

}  // namespace ponder::testing
