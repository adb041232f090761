#include "tasks/countdown.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/philox.h"
#include "core/base/words.h"
#include "tasks/countdown_math.h"
#include "tasks/modular.h"
#include "tasks/split.h"

namespace ponder {
namespace {

// As of all tasks modulo p.
constexpr int64_t kMaxModulus = 1000;
constexpr size_t kMaxShownBytes = 200;
constexpr size_t kAttemptWords = 14;

// Positions of a problem's draws: three numbers, then the expression whose value is the target.
constexpr uint32_t kExpressionDraw = 3;
// Draws of one attempt: the expression, whether to look ahead, which of several last operations.
constexpr uint32_t kDrawsPerAttempt = 3;

// A problem as numbers.
struct Countdown {
  CountdownNumbers numbers{};
  int64_t target = 0;

  std::string Text() const {
    std::string text;
    for (const int64_t number : numbers) text += std::to_string(number) + " ";
    return text + "? " + std::to_string(target) + " >";
  }
};

// The inverse of Countdown::Text. Throws Error(kBadData) on anything else.
Countdown ParseCountdown(std::string_view text, int64_t modulus) {
  const std::vector<std::string_view> words = WordsOf(text);
  Countdown problem;
  bool in_form = words.size() == 6 && words[3] == "?" && words[5] == ">";
  for (size_t i = 0; in_form && i < problem.numbers.size(); ++i) {
    problem.numbers[i] = NumberOf(words[i], modulus);
    in_form = problem.numbers[i] > 0;
  }
  if (in_form) problem.target = NumberOf(words[4], modulus);
  if (!in_form || problem.target < 0) {
    throw Error(Condition::kBadData, "reading a countdown problem: expected 'a b c ? t >' modulo " +
                                         std::to_string(modulus) + ", got '" +
                                         std::string(text.substr(0, kMaxShownBytes)) + "'");
  }
  return problem;
}

// One attempt as it is written, right or wrong.
struct WrittenAttempt {
  CountdownExpression expression;
  int64_t intermediate = 0;  // r
  int64_t value = 0;         // s
  int64_t target = 0;        // t
  int64_t difference = 0;    // d

  std::string Text() const {
    const auto& [x, first, y, last, z] = expression;
    return std::to_string(x) + " " + SymbolOf(first) + " " + std::to_string(y) + " = " +
           std::to_string(intermediate) + " " + SymbolOf(last) + " " + std::to_string(z) + " = " +
           std::to_string(value) + " - " + std::to_string(target) + " = " +
           std::to_string(difference) + " ;";
  }

  bool claims_success() const { return difference == 0; }
  bool operator==(const WrittenAttempt&) const = default;
};

// The attempt at `expression` without a mistake.
WrittenAttempt AttemptAt(const CountdownExpression& expression, int64_t target, int64_t modulus) {
  const int64_t value = ValueOf(expression, modulus);
  return {.expression = expression,
          .intermediate = ApplyModularOp(expression.first, expression.x, expression.y, modulus),
          .value = value,
          .target = target,
          .difference = ApplyModularOp(ModularOp::kSubtract, value, target, modulus)};
}

// The inverse of WrittenAttempt::Text for numbers below the modulus. `words`: kAttemptWords.
std::optional<WrittenAttempt> ReadAttempt(std::span<const std::string_view> words,
                                          int64_t modulus) {
  constexpr std::array<std::pair<size_t, std::string_view>, 5> kSigns{
      {{3, "="}, {7, "="}, {9, "-"}, {11, "="}, {13, ";"}}};
  for (const auto& [at, sign] : kSigns) {
    if (words[at] != sign) return std::nullopt;
  }
  const std::optional<ModularOp> first = OpOf(words[1]);
  const std::optional<ModularOp> last = OpOf(words[5]);
  if (!first || !last) return std::nullopt;
  const auto number = [&](size_t at) { return NumberOf(words[at], modulus); };
  const WrittenAttempt attempt{.expression = {.x = number(0),
                                              .first = *first,
                                              .y = number(2),
                                              .last = *last,
                                              .z = number(6)},
                               .intermediate = number(4),
                               .value = number(8),
                               .target = number(10),
                               .difference = number(12)};
  const auto& [x, op, y, op2, z] = attempt.expression;
  const bool all_numbers = std::min({x, y, z, attempt.intermediate, attempt.value, attempt.target,
                                     attempt.difference}) >= 0;
  return all_numbers ? std::optional(attempt) : std::nullopt;
}

class CountdownTask : public Task {
 public:
  explicit CountdownTask(const TaskConfig& config)
      : config_(config),
        tokenizer_(ModularSymbols(config.modulus, {">", "=", ";", "?"}),
                   {"<eos>", "<pad>", "<bos>"}, "<eos>") {}

  const Tokenizer& tokenizer() const override { return tokenizer_; }
  std::string step_delimiter() const override { return ";"; }
  std::vector<std::string> demonstrators() const override { return {"search"}; }

  Problem MakeProblem(Split split, uint64_t seed, uint64_t index) const override {
    return DrawOfSplit(config_, split, seed, index, [this](const RandomStream& random) {
      Countdown countdown = Draw(random);
      KeyedProblem drawn;
      drawn.problem.text = countdown.Text();
      drawn.problem.metadata["num_solutions"] = std::to_string(
          CountSolutions(countdown.numbers, countdown.target, config_.modulus).expressions);
      std::sort(countdown.numbers.begin(), countdown.numbers.end());
      drawn.split_key = countdown.Text();
      return drawn;
    });
  }

  std::string Demonstrate(const Problem& problem, std::string_view demonstrator, uint64_t seed,
                          uint64_t index) const override {
    if (demonstrator != "search") {
      throw Error(Condition::kConfig, "task '" + config_.name +
                                          "': expected demonstrator 'search', got '" +
                                          std::string(demonstrator) + "'");
    }
    const Countdown countdown = ParseCountdown(problem.text, config_.modulus);
    const RandomStream random(seed, RandomPurpose::kDemonstration, index, /*sample=*/0);
    std::vector<int> untried(kNumCountdownExpressions);
    std::iota(untried.begin(), untried.end(), 0);
    std::string text;
    for (uint32_t attempt = 0; attempt < config_.max_attempts; ++attempt) {
      const WrittenAttempt written = Try(countdown, random, attempt * kDrawsPerAttempt, &untried);
      text += (text.empty() ? "" : " ") + written.Text();
      if (written.claims_success()) break;
    }
    return text;
  }

  StepCheck CheckSteps(const Problem& problem, std::string_view response) const override {
    const Countdown countdown = ParseCountdown(problem.text, config_.modulus);
    const Reading reading = Read(response);
    StepCheck check;
    for (const WrittenAttempt& attempt : reading.attempts) {
      check.step_correct.push_back(MistakeIn(attempt, countdown).empty());
    }
    check.well_formed =
        reading.flaw.empty() && (reading.attempts.back().claims_success() ||
                                 std::ssize(reading.attempts) == config_.max_attempts);
    return check;
  }

  Verification Verify(const Problem& problem, std::string_view response) const override {
    const Countdown countdown = ParseCountdown(problem.text, config_.modulus);
    const Reading reading = Read(response);
    if (!reading.flaw.empty()) return {.passed = false, .rule = reading.flaw};
    const WrittenAttempt& last = reading.attempts.back();
    const std::string mistake = MistakeIn(last, countdown);
    if (!mistake.empty()) return {.passed = false, .rule = mistake};
    if (!last.claims_success()) return {.passed = false, .rule = "target missed"};
    return {.passed = true, .rule = "solved"};
  }

  std::optional<double> ExpectedAccuracy(std::string_view demonstrator) const override {
    if (demonstrator != "search") return std::nullopt;
    return SearchAccuracy(config_.modulus, config_.max_attempts, config_.lookahead_probability);
  }

 private:
  // The attempts of a response, up to where it leaves the form.
  struct Reading {
    std::vector<WrittenAttempt> attempts;
    std::string
        flaw;  // empty: attempts and nothing else, at most max_attempts, none after a success
  };

  Countdown Draw(const RandomStream& random) const {
    Countdown countdown;
    for (uint32_t i = 0; i < countdown.numbers.size(); ++i) {
      countdown.numbers[i] =
          1 + static_cast<int64_t>(random.Below(i, static_cast<uint64_t>(config_.modulus - 1)));
    }
    const auto index = static_cast<int>(random.Below(kExpressionDraw, kNumCountdownExpressions));
    countdown.target = ValueOf(CountdownExpressionAt(countdown.numbers, index), config_.modulus);
    return countdown;
  }

  // The demonstrator's next attempt: draws from `untried` and takes out what need not be tried
  // again. Never empties it, because some expression reaches the target.
  WrittenAttempt Try(const Countdown& countdown, const RandomStream& random, uint32_t position,
                     std::vector<int>* untried) const {
    const size_t drawn = random.Below(position, untried->size());
    const int index = (*untried)[drawn];
    const int prefix = index / kNumModularOps;
    const auto attempt_at = [&](int expression) {
      return AttemptAt(CountdownExpressionAt(countdown.numbers, expression), countdown.target,
                       config_.modulus);
    };
    if (random.Uniform(position + 1) >= config_.lookahead_probability) {
      untried->erase(untried->begin() + static_cast<std::ptrdiff_t>(drawn));
      return attempt_at(index);
    }
    std::vector<WrittenAttempt> successes;
    for (int last = 0; last < kNumModularOps; ++last) {
      const WrittenAttempt attempt = attempt_at(prefix * kNumModularOps + last);
      if (attempt.claims_success()) successes.push_back(attempt);
    }
    if (!successes.empty()) return successes[random.Below(position + 2, successes.size())];
    std::erase_if(*untried, [&](int other) { return other / kNumModularOps == prefix; });
    return attempt_at(index);
  }

  Reading Read(std::string_view response) const {
    const std::vector<std::string_view> words = WordsOf(response);
    Reading reading;
    std::span<const std::string_view> rest(words);
    while (rest.size() >= kAttemptWords) {
      const auto attempt = ReadAttempt(rest.first(kAttemptWords), config_.modulus);
      if (!attempt) break;
      if (std::ssize(reading.attempts) == config_.max_attempts) {
        reading.flaw = "more than " + std::to_string(config_.max_attempts) + " attempts";
        return reading;
      }
      if (!reading.attempts.empty() && reading.attempts.back().claims_success()) {
        reading.flaw = "went on after a success";
        return reading;
      }
      reading.attempts.push_back(*attempt);
      rest = rest.subspan(kAttemptWords);
    }
    if (!rest.empty() || words.empty()) reading.flaw = "not in the form of attempts";
    return reading;
  }

  // What is wrong with an attempt that may or may not reach the target; empty when nothing is.
  std::string MistakeIn(const WrittenAttempt& attempt, const Countdown& countdown) const {
    CountdownNumbers used{attempt.expression.x, attempt.expression.y, attempt.expression.z};
    if (!std::is_permutation(used.begin(), used.end(), countdown.numbers.begin())) {
      return "does not use each number once";
    }
    if (attempt.target != countdown.target) return "another target";
    const WrittenAttempt right = AttemptAt(attempt.expression, countdown.target, config_.modulus);
    return attempt == right ? "" : "wrong arithmetic";
  }

  const TaskConfig config_;
  const SymbolTokenizer tokenizer_;
};

}  // namespace

std::unique_ptr<Task> MakeCountdownTask(const TaskConfig& config) {
  const auto require = [&](const char* key, int64_t value, int64_t min, int64_t max) {
    if (value >= min && value <= max) return;
    throw ConfigError("task '" + config.name + "': expected " + key + " of " + std::to_string(min) +
                      " to " + std::to_string(max) + ", got " + std::to_string(value));
  };
  require("modulus", config.modulus, 2, kMaxModulus);
  require("max_attempts", config.max_attempts, 1, kNumCountdownPrefixes);
  return std::make_unique<CountdownTask>(config);
}

}  // namespace ponder
