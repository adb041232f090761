#include "tasks/chain.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/philox.h"
#include "tasks/chain_math.h"

namespace ponder {
namespace {

constexpr const char* kOpSymbols[kNumChainOps] = {"+", "-", "*"};
// Evaluation problems draw from the upper half of the ordinals, training ones from the lower.
constexpr uint64_t kEvaluateBit = uint64_t{1} << 63;
constexpr uint32_t kMaxTries = 100'000;
constexpr size_t kMaxShownBytes = 200;
// The table of facts has 3 p^2 entries.
constexpr int64_t kMaxModulus = 1000;

// Positions of a problem's draws.
constexpr uint32_t kLengthDraw = 0;
constexpr uint32_t kStartDraw = 1;
constexpr uint32_t kFirstStepDraw = 2;  // two per step: operation, operand

struct ChainStep {
  ChainOp op = ChainOp::kAdd;
  int64_t operand = 0;
};

// A problem as numbers.
struct Chain {
  int64_t start = 0;
  std::vector<ChainStep> steps;

  std::string Text() const {
    std::string text = std::to_string(start);
    for (const ChainStep& step : steps) {
      text += std::string(" ") + kOpSymbols[static_cast<int>(step.op)] + " " +
              std::to_string(step.operand);
    }
    return text + " >";
  }
};

std::vector<std::string_view> Words(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  std::vector<std::string_view> words;
  for (size_t begin = text.find_first_not_of(kSpaces); begin != std::string_view::npos;) {
    const size_t end = std::min(text.find_first_of(kSpaces, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(kSpaces, end);
  }
  return words;
}

// The number that `word` writes the one way that the vocabulary has, or -1.
int64_t NumberOf(std::string_view word, int64_t modulus) {
  int64_t value = -1;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) return -1;
  const bool is_canonical = word == "0" || (word[0] != '0' && word[0] != '-');
  return is_canonical && value < modulus ? value : -1;
}

std::optional<ChainOp> OpOf(std::string_view word) {
  for (int op = 0; op < kNumChainOps; ++op) {
    if (word == kOpSymbols[op]) return static_cast<ChainOp>(op);
  }
  return std::nullopt;
}

// The inverse of Chain::Text. Throws Error(kBadData) on anything else.
Chain ParseChain(std::string_view text, int64_t modulus) {
  const std::vector<std::string_view> words = Words(text);
  const auto refuse = [&]() -> Error {
    return {Condition::kBadData, "reading a chain problem: expected 'x0 op x1 ... >', got '" +
                                     std::string(text.substr(0, kMaxShownBytes)) + "'"};
  };
  if (words.size() < 2 || words.size() % 2 != 0 || words.back() != ">") throw refuse();
  Chain chain;
  chain.start = NumberOf(words[0], modulus);
  if (chain.start < 0) throw refuse();
  for (size_t i = 1; i + 2 < words.size(); i += 2) {
    const std::optional<ChainOp> op = OpOf(words[i]);
    const int64_t operand = NumberOf(words[i + 1], modulus);
    if (!op || operand < 0) throw refuse();
    chain.steps.push_back({*op, operand});
  }
  return chain;
}

std::vector<std::string> ChainSymbols(int64_t modulus) {
  std::vector<std::string> symbols;
  for (int64_t number = 0; number < modulus; ++number) symbols.push_back(std::to_string(number));
  for (const char* symbol : {"+", "-", "*", ">", "=", ";", "#"}) symbols.emplace_back(symbol);
  return symbols;
}

class ChainTask : public Task {
 public:
  explicit ChainTask(const TaskConfig& config)
      : config_(config),
        tokenizer_(ChainSymbols(config.modulus), {"<eos>", "<pad>", "<bos>"}, "<eos>"),
        misconceptions_(config.modulus, config.misconception_share,
                        static_cast<uint64_t>(config.task_seed)) {}

  const Tokenizer& tokenizer() const override { return tokenizer_; }
  std::string step_delimiter() const override { return ";"; }
  std::vector<std::string> demonstrators() const override { return {"exact", "sloppy"}; }

  Problem MakeProblem(Split split, uint64_t seed, uint64_t index) const override {
    const bool evaluates = split == Split::kEvaluate;
    const uint64_t ordinal = index | (evaluates ? kEvaluateBit : 0);
    for (uint32_t attempt = 0; attempt < kMaxTries; ++attempt) {
      const Chain chain = Draw(RandomStream(seed, RandomPurpose::kProblem, ordinal, attempt));
      Problem problem;
      problem.text = chain.Text();
      if (IsHeldOut(problem.text) != evaluates) continue;
      problem.index = index;
      int64_t value = chain.start;
      for (const ChainStep& step : chain.steps) {
        value = ApplyChainOp(step.op, value, step.operand, config_.modulus);
      }
      problem.reference_answer = std::to_string(value);
      problem.metadata["num_operations"] = std::to_string(chain.steps.size());
      return problem;
    }
    throw Error(Condition::kConfig,
                "task '" + config_.name + "': no problem of the " +
                    (evaluates ? "evaluation" : "training") + " split in " +
                    std::to_string(kMaxTries) +
                    " draws (eval_share leaves too few; is num_operations too small?)");
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
      int64_t result = ApplyChainOp(op, value, operand, config_.modulus);
      if (sloppy) result = Slip(random, step, op, value, operand, result);
      text += std::to_string(value) + " " + kOpSymbols[static_cast<int>(op)] + " " +
              std::to_string(operand) + " = " + std::to_string(result) + " ; ";
      value = result;
    }
    return text + "# " + std::to_string(value);
  }

  StepCheck CheckSteps(const Problem& problem, std::string_view response) const override {
    const Chain chain = ParseChain(problem.text, config_.modulus);
    const std::vector<std::string_view> words = Words(response);
    StepCheck check;
    int64_t value = chain.start;  // what the policy itself stated last
    size_t at = 0;
    bool in_form = true;
    while (in_form && at + 6 <= words.size() && words[at] != "#") {
      const size_t step = check.step_correct.size();
      const int64_t left = NumberOf(words[at], config_.modulus);
      const std::optional<ChainOp> op = OpOf(words[at + 1]);
      const int64_t right = NumberOf(words[at + 2], config_.modulus);
      const int64_t result = NumberOf(words[at + 4], config_.modulus);
      in_form = left >= 0 && op && right >= 0 && words[at + 3] == "=" && result >= 0 &&
                words[at + 5] == ";" && step < chain.steps.size();
      if (!in_form) break;
      const ChainStep& expected = chain.steps[step];
      check.step_correct.push_back(left == value && *op == expected.op &&
                                   right == expected.operand &&
                                   result == ApplyChainOp(*op, left, right, config_.modulus));
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
      const auto op = static_cast<ChainOp>(random.Below(at, kNumChainOps));
      const int64_t operand = op == ChainOp::kMultiply
                                  ? 1 + static_cast<int64_t>(random.Below(at + 1, modulus - 1))
                                  : static_cast<int64_t>(random.Below(at + 1, modulus));
      chain.steps.push_back({op, operand});
    }
    return chain;
  }

  // The split is a property of the prompt's text and of the task's seed alone, so that tasks that
  // share a form share their held-out prompts.
  bool IsHeldOut(const std::string& text) const {
    const std::string digest = Sha256Hex(std::to_string(config_.task_seed) + ":" + text);
    const auto bits = std::stoull(digest.substr(0, 13), nullptr, 16);  // 52 bits
    return static_cast<double>(bits) * 0x1.0p-52 < config_.eval_share;
  }

  // What the sloppy demonstrator writes for one step whose right result is `right`.
  int64_t Slip(const RandomStream& random, uint32_t step, ChainOp op, int64_t value,
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
