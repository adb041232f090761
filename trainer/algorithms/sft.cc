#include "trainer/algorithms/sft.h"

#include <algorithm>
#include <utility>

#include "core/base/error.h"
#include "core/base/philox.h"
#include "trainer/objectives/aggregation.h"

namespace ponder {
namespace {

class Sft : public Algorithm {
 public:
  explicit Sft(const AlgorithmContext& context)
      : task_(context.task),
        task_name_(context.task_name),
        demonstrator_(context.stage.data.demonstrator),
        batch_size_(context.stage.batch_size),
        num_demonstrations_(static_cast<uint64_t>(context.stage.data.num_demonstrations)),
        num_validation_(context.stage.validation.num_demonstrations),
        seed_(context.experiment.run.seed),
        stream_(context.stream) {
    const std::vector<std::string> known = task_.demonstrators();
    if (std::find(known.begin(), known.end(), demonstrator_) == known.end()) {
      std::string names;
      for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
      throw ConfigError("making stage '" + context.stage.name +
                        "': expected a demonstrator of task '" + task_name_ + "' (" + names +
                        "), got '" + demonstrator_ + "'");
    }
  }

  bool samples() const override { return false; }

  std::vector<Minibatch> BuildExamples(const StepInput& input,
                                       std::map<std::string, double>* metrics) const override {
    std::vector<uint64_t> ordinals;
    const int64_t end = (input.step + 1) * batch_size_;
    for (int64_t position = end - batch_size_; position < end; ++position) {
      const uint64_t index = IndexAt(static_cast<uint64_t>(position));
      ordinals.push_back(Ordinal{stream_, 0, index}.Pack());
    }
    if (num_demonstrations_ > 0) {
      (*metrics)["train/epoch"] =
          static_cast<double>(end) / static_cast<double>(num_demonstrations_);
    }
    std::vector<Minibatch> minibatches;
    minibatches.push_back(BatchOf(Split::kTrain, ordinals));
    return minibatches;
  }

  Minibatch ValidationExamples() const override {
    std::vector<uint64_t> ordinals;
    for (int64_t i = 0; i < num_validation_; ++i) {
      ordinals.push_back(Ordinal{0, 0, static_cast<uint64_t>(i)}.Pack());
    }
    return BatchOf(Split::kEvaluate, ordinals);
  }

  at::Tensor TokenLoss(const at::Tensor& logprobs, const TokenStreams&,
                       TokenMetrics*) const override {
    return -logprobs;
  }

 private:
  // Which demonstration comes at `position` of the stage.
  uint64_t IndexAt(uint64_t position) const {
    if (num_demonstrations_ == 0) return position;
    const uint64_t epoch = position / num_demonstrations_;
    return PermutedIndex(seed_, Ordinal{stream_, 0, epoch}.Pack(), num_demonstrations_,
                         position % num_demonstrations_);
  }

  // One example per demonstration, with the weights of their token mean.
  Minibatch BatchOf(Split split, const std::vector<uint64_t>& ordinals) const {
    Minibatch batch;
    std::vector<int64_t> num_trained;
    for (const uint64_t ordinal : ordinals) {
      batch.push_back({{Demonstration(split, ordinal, &num_trained)}});
    }
    const std::vector<double> weights = TokenWeights(Aggregation::kTokenMean, num_trained, 0);
    for (size_t i = 0; i < batch.size(); ++i) {
      Example& example = batch[i].sequences[0];
      const size_t num_tokens = example.token_ids.size();
      const size_t begin = num_tokens - static_cast<size_t>(num_trained[i]);
      example.weight.assign(num_tokens, 0.0);
      std::fill(example.weight.begin() + static_cast<std::ptrdiff_t>(begin), example.weight.end(),
                weights[i]);
    }
    return batch;
  }

  // Prompt, solution and end token. The ordinal is the problem's index and keys the demonstrator's
  // choices: it is unique over the stages of a run, so no stage sees another's problems by
  // construction.
  Example Demonstration(Split split, uint64_t ordinal, std::vector<int64_t>* num_trained) const {
    const Problem problem = task_.MakeProblem(split, seed_, ordinal);
    const std::vector<uint32_t> solution =
        task_.tokenizer().Encode(task_.Demonstrate(problem, demonstrator_, seed_, ordinal));
    Example example;
    example.ordinal = ordinal;
    example.token_ids = MakePrompt(task_, task_name_, problem, ordinal).token_ids;
    PONDER_CHECK(!example.token_ids.empty()) << "task '" << task_name_ << "' made an empty prompt";
    example.token_ids.insert(example.token_ids.end(), solution.begin(), solution.end());
    example.token_ids.push_back(task_.tokenizer().eos_id());
    // The policy did not sample any of it.
    example.sampled.assign(example.token_ids.size(), 0);
    num_trained->push_back(static_cast<int64_t>(solution.size()) + 1);
    return example;
  }

  const Task& task_;
  const std::string task_name_;
  const std::string demonstrator_;
  const int64_t batch_size_;
  const uint64_t num_demonstrations_;  // of the fixed set; 0: no set
  const int64_t num_validation_;
  const uint64_t seed_;
  const uint16_t stream_;
};

}  // namespace

std::unique_ptr<Algorithm> MakeSft(const AlgorithmContext& context) {
  return std::make_unique<Sft>(context);
}

}  // namespace ponder
