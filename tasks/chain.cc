#include "tasks/chain.h"

#include <optional>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/philox.h"
#include "core/base/words.h"
#include "tasks/chain_math.h"
#include "tasks/modular.h"
#include "tasks/split.h"

namespace ponder {
namespace {

constexpr size_t kMaxShownBytes = 200;
// The table of facts has 3 p^2 entries.
constexpr int64_t kMaxModulus = 1000;

// Positions of a problem's draws.
constexpr uint32_t kLengthDraw = 0;
constexpr uint32_t kStartDraw = 1;
constexpr uint32_t kFirstStepDraw = 2;  // two per step: operation, operand

struct ChainStep {
  ModularOp op = ModularOp::kAdd;
  int64_t operand = 0;
};

// A problem as numbers.
struct Chain {
  int64_t start = 0;
  std::vector<ChainStep> steps;

  std::string Text() const {
    std::string text = std::to_string(start);
    for (const ChainStep& step : steps) {
      text += " " + SymbolOf(step.op) + " " + std::to_string(step.operand);
    }
    return text + " >";
  }
};

// The inverse of Chain::Text. Throws Error(kBadData) on anything else.
Chain ParseChain(std::string_view text, int64_t modulus) {
  const std::vector<std::string_view> words = WordsOf(text);
  const auto refuse = [&]() -> Error {
    return {Condition::kBadData, "reading a chain problem: expected 'x0 op x1 ... >', got '" +
                                     std::string(text.substr(0, kMaxShownBytes)) + "'"};
  };
  if (words.size() < 2 || words.size() % 2 != 0 || words.back() != ">") throw refuse();
  Chain chain;
  chain.start = NumberOf(words[0], modulus);
  if (chain.start < 0) throw refuse();
  for (size_t i = 1; i + 2 < words.size(); i += 2) {
    const std::optional<ModularOp> op = OpOf(words[i]);
    const int64_t operand = NumberOf(words[i + 1], modulus);
    if (!op || operand < 0) throw refuse();
    chain.steps.push_back({*op, operand});
  }
  return chain;
}

class ChainTask : public Task {
 public:
  explicit ChainTask(const TaskConfig& config)
      : config_(config),
        tokenizer_(ModularSymbols(config.modulus, {">", "=", ";", "#"}),
                   {"<eos>", "<pad>", "<bos>"}, "<eos>"),
        misconceptions_(config.modulus, config.misconception_share,
                        static_cast<uint64_t>(config.task_seed)) {}

  const Tokenizer& tokenizer() const override { return tokenizer_; }
  std::string step_delimiter() const override { return ";"; }
  std::vector<std::string> demonstrators() const override { return {"exact", "sloppy"}; }

  Problem MakeProblem(Split split, uint64_t seed, uint64_t index) const override {
    return DrawOfSplit(config_, split, seed, index, [this](const RandomStream& random) {
      const Chain chain = Draw(random);
      KeyedProblem drawn;
      drawn.problem.text = chain.Text();
      int64_t value = chain.start;
      for (const ChainStep& step : chain.steps) {
        value = ApplyModularOp(step.op, value, step.operand, config_.modulus);
      }
      drawn.problem.reference_answer = std::to_string(value);
      drawn.problem.metadata["num_operations"] = std::to_string(chain.steps.size());
      // The text alone: tasks that share a form share their held-out prompts.
      drawn.split_key = drawn.problem.text;
      return drawn;
    });
  }

  std::string Demonstrate(const Problem& problem, std::string_view demonstrator, uint64_t seed,
                          uint64_t index) const override {
    const bool sloppy = demonstrator == "sloppy";
    if (!sloppy && demonstrator != "exact") {
      throw Error(Condition::kConfig, "task '" + config_.name +
                                          "': expected demonstrator 'exact' or 'sloppy', got '" +
                                          std::string(demonstrator) + "'");
    }
    const Chain chain = ParseChain(problem.text, config_.modulus);
    const RandomStream random(seed, RandomPurpose::kDemonstration, index, /*sample=*/0);
    int64_t value = chain.start;
    std::string text;
    for (uint32_t step = 0; step < chain.steps.size(); ++step) {
      const auto [op, operand] = chain.steps[step];
      int64_t result = ApplyModularOp(op, value, operand, config_.modulus);
      if (sloppy) result = Slip(random, step, op, value, operand, result);
      text += std::to_string(value) + " " + SymbolOf(op) + " " + std::to_string(operand) + " = " +
              std::to_string(result) + " ; ";
      value = result;
    }
    return text + "# " + std::to_string(value);
  }

  StepCheck CheckSteps(const Problem& problem, std::string_view response) const override {
    const Chain chain = ParseChain(problem.text, config_.modulus);
    const std::vector<std::string_view> words = WordsOf(response);
    StepCheck check;
    int64_t value = chain.start;  // what the policy itself stated last
    size_t at = 0;
    bool in_form = true;
    while (in_form && at + 6 <= words.size() && words[at] != "#") {
      const size_t step = check.step_correct.size();
      const int64_t left = NumberOf(words[at], config_.modulus);
      const std::optional<ModularOp> op = OpOf(words[at + 1]);
      const int64_t right = NumberOf(words[at + 2], config_.modulus);
      const int64_t result = NumberOf(words[at + 4], config_.modulus);
      in_form = left >= 0 && op && right >= 0 && words[at + 3] == "=" && result >= 0 &&
                words[at + 5] == ";" && step < chain.steps.size();
      if (!in_form) break;
      const ChainStep& expected = chain.steps[step];
      check.step_correct.push_back(left == value && *op == expected.op &&
                                   right == expected.operand &&
                                   result == ApplyModularOp(*op, left, right, config_.modulus));
      value = result;
      at += 6;
    }
    check.well_formed = in_form && check.step_correct.size() == chain.steps.size() &&
                        at + 2 == words.size() && words[at] == "#" &&
                        NumberOf(words[at + 1], config_.modulus) >= 0;
    return check;
  }

  std::optional<double> ExpectedAccuracy(std::string_view demonstrator) const override {
    if (demonstrator == "exact") return 1.0;
    if (demonstrator != "sloppy") return std::nullopt;
    double sum = 0;
    for (int64_t n = config_.num_operations.min; n <= config_.num_operations.max; ++n) {
      sum += SloppyAnswerAccuracy(config_, misconceptions_, n);
    }
    return sum / static_cast<double>(config_.num_operations.max - config_.num_operations.min + 1);
  }

 private:
  Chain Draw(const RandomStream& random) const {
    const IntRange& range = config_.num_operations;
    const auto modulus = static_cast<uint64_t>(config_.modulus);
    const int64_t n =
        range.min + static_cast<int64_t>(random.Below(
                        kLengthDraw, static_cast<uint64_t>(range.max - range.min + 1)));
    Chain chain;
    chain.start = static_cast<int64_t>(random.Below(kStartDraw, modulus));
    for (int64_t step = 0; step < n; ++step) {
      const auto at = kFirstStepDraw + 2 * static_cast<uint32_t>(step);
      const auto op = static_cast<ModularOp>(random.Below(at, kNumModularOps));
      const int64_t operand = op == ModularOp::kMultiply
                                  ? 1 + static_cast<int64_t>(random.Below(at + 1, modulus - 1))
                                  : static_cast<int64_t>(random.Below(at + 1, modulus));
      chain.steps.push_back({op, operand});
    }
    return chain;
  }

  // What the sloppy demonstrator writes for one step whose right result is `right`.
  int64_t Slip(const RandomStream& random, uint32_t step, ModularOp op, int64_t value,
               int64_t operand, int64_t right) const {
    const uint32_t at = 3 * step;
    const int64_t wrong = misconceptions_.WrongResult(op, value, operand);
    if (wrong >= 0 && random.Uniform(at) < config_.misconception_probability) return wrong;
    if (random.Uniform(at + 1) < config_.slip_probability) {
      return static_cast<int64_t>(random.Below(at + 2, static_cast<uint64_t>(config_.modulus)));
    }
    return right;
  }

  const TaskConfig config_;
  const SymbolTokenizer tokenizer_;
  const Misconceptions misconceptions_;
};

}  // namespace

std::unique_ptr<Task> MakeChainTask(const TaskConfig& config) {
  const IntRange& operations = config.num_operations;
  if (config.modulus < 2 || config.modulus > kMaxModulus) {
    throw ConfigError("task '" + config.name + "': expected a modulus of 2 to " +
                      std::to_string(kMaxModulus) + ", got " + std::to_string(config.modulus));
  }
  if (operations.min < 1 || operations.max < operations.min) {
    throw ConfigError("task '" + config.name +
                      "': expected num_operations with 1 <= min <= max, got " +
                      std::to_string(operations.min) + " to " + std::to_string(operations.max));
  }
  return std::make_unique<ChainTask>(config);
}

}  // namespace ponder
