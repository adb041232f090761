#include "core/config/experiment_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "core/config/experiment_schema.h"
#include "core/config/nearest_name.h"

namespace ponder {
namespace {

// Most answers of one group on the wire.
constexpr int64_t kMaxSamples = 4096;
constexpr int64_t kMaxSteps = 1'000'000'000;  // what the key itself takes

bool IsPrime(int64_t number) {
  if (number < 2) return false;
  for (int64_t divisor = 2; divisor * divisor <= number; ++divisor) {
    if (number % divisor == 0) return false;
  }
  return true;
}

template <typename Named>
std::vector<std::string> NamesIn(const std::vector<Named>& list) {
  std::vector<std::string> names;
  for (const Named& item : list) names.push_back(item.name);
  return names;
}

bool Contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// HOST:PORT, an IPv6 host in brackets.
bool IsHostAndPort(const std::string& address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || colon == 0) return false;
  const bool is_bracketed = colon > 2 && address[0] == '[' && address[colon - 1] == ']';
  if (!is_bracketed && address.find_first_of(":/@[] ") != colon) return false;
  int port = 0;
  const char* const end = address.data() + address.size();
  const auto result = std::from_chars(address.data() + colon + 1, end, port);
  return result.ec == std::errc() && result.ptr == end && port >= 1 && port <= 65'535;
}

// "user:password@host:80" of "https://user:password@host:80/v1".
std::string AuthorityOf(const std::string& url) {
  const size_t scheme_end = url.find("://");
  const std::string rest = scheme_end == std::string::npos ? url : url.substr(scheme_end + 3);
  return rest.substr(0, rest.find_first_of("/?#"));
}

// Does a stage of this algorithm sample answers to train on? It takes the key `rollout` then.
bool SamplesAnswers(const std::string& algorithm) {
  for (const Kind& kind : AlgorithmKinds()) {
    if (kind.name == algorithm) return Contains(kind.keys, "rollout");
  }
  return false;
}

class Checker {
 public:
  Checker(const ExperimentConfig& config, const YamlNode& root, Problems* problems)
      : config_(config), root_(root), problems_(problems) {}

  void Run() {
    for (const TaskConfig& task : config_.tasks) CheckTask(task, "tasks." + task.name);
    CheckSplits();
    Require(
        config_.models.size() <= 1, "models",
        fmt::format("expected one model, which every stage trains, got {}", config_.models.size()));
    for (const ModelConfig& model : config_.models) {
      CheckInit(model.init, "models." + model.name + ".init");
    }
    for (size_t i = 0; i < config_.evaluation.size(); ++i) {
      CheckEvaluation(config_.evaluation[i], fmt::format("evaluation[{}]", i));
    }
    for (size_t i = 0; i < config_.stages.size(); ++i) {
      CheckStage(config_.stages[i], fmt::format("stages[{}]", i));
    }
    CheckBest(config_.checkpoint.best, "checkpoint.best");
  }

 private:
  void CheckTask(const TaskConfig& task, const std::string& path) {
    const IntRange& operations = task.num_operations;
    Require(operations.min <= operations.max, path + ".num_operations.max",
            fmt::format("expected at least min, {}, got {}", operations.min, operations.max));
    Require(IsPrime(task.modulus), path + ".modulus",
            fmt::format("expected a prime, got {}", task.modulus));
  }

  // The split goes by a hash of the problem's text: only equal keys keep the held-out problems of
  // one task out of the training of another.
  void CheckSplits() {
    for (size_t i = 0; i < config_.tasks.size(); ++i) {
      const TaskConfig& task = config_.tasks[i];
      for (size_t j = 0; j < i; ++j) {
        const TaskConfig& other = config_.tasks[j];
        if (other.type != task.type) continue;
        const std::string why = " (else one task trains on what the other holds out)";
        Require(task.task_seed == other.task_seed, "tasks." + task.name + ".task_seed",
                fmt::format("expected that of task '{}' of the same type, {}, got {}{}", other.name,
                            other.task_seed, task.task_seed, why));
        Require(task.eval_share == other.eval_share, "tasks." + task.name + ".eval_share",
                fmt::format("expected that of task '{}' of the same type, {}, got {}{}", other.name,
                            other.eval_share, task.eval_share, why));
      }
    }
  }

  void CheckInit(const ModelInit& init, const std::string& path) {
    if (problems_->Has(path)) return;
    // A wrong value leaves its member empty; its own problem is enough.
    for (const char* key : {".preset", ".num_layers", ".run", ".step", ".stage"}) {
      if (problems_->Has(path + key)) return;
    }
    const bool has_run = !init.run.empty();
    const bool has_step = init.step >= 0 || init.step == kBestStep;
    const int num_places = (has_step ? 1 : 0) + (init.stage.empty() ? 0 : 1);
    Require(init.preset.empty() == has_run && num_places == (has_run ? 1 : 0), path,
            std::string("expected exactly one of the forms ") + kModelInitForms);
    Require(!has_run || init.run != config_.run.name, path + ".run",
            fmt::format("a run cannot begin with itself; expected another run than '{}' (to make "
                        "it longer, raise num_steps of its last stage)",
                        init.run));
    Require(!has_run || init.num_layers == 0, path + ".num_layers",
            fmt::format("it is for a preset; the policy of run '{}' has its own layers", init.run));
  }

  void CheckEvaluation(const EvaluationConfig& evaluation, const std::string& path) {
    RequireTask(evaluation.task, path + ".task");
    for (size_t i = 0; i < evaluation.stages.size(); ++i) {
      RequireName(evaluation.stages[i], NamesIn(config_.stages), "stage", "the stages are",
                  fmt::format("{}.stages[{}]", path, i));
    }
    if (!problems_->Has(path + ".every_steps") && !problems_->Has(path + ".at")) {
      const bool by_stage =
          std::any_of(config_.stages.begin(), config_.stages.end(), [&](const StageConfig& stage) {
            return stage.algorithm == "evaluate" &&
                   (stage.sets.empty() || Contains(stage.sets, evaluation.name));
          });
      Require(by_stage || evaluation.every_steps > 0 || evaluation.at != EvaluateAt::kNever, path,
              "it is never measured; expected every_steps, or at: stage_end, or both");
    }
    CheckRewards(evaluation.rewards, path + ".rewards");
    CheckAnswerRewards(evaluation.rewards, evaluation.task, path + ".rewards");
    const int64_t rows = evaluation.num_samples + (evaluation.greedy ? 1 : 0);
    Require(rows <= kMaxSamples, path + ".num_samples",
            fmt::format("expected at most {} answers to a prompt, the greedy one included, got {}",
                        kMaxSamples, rows));
  }

  void CheckStage(const StageConfig& stage, const std::string& path) {
    RequireName(stage.model, NamesIn(config_.models), "model", "the models are", path + ".model");
    RequireTask(stage.data.task, path + ".data.task");
    CheckDemonstrator(stage.data, path + ".data.demonstrator");
    RequireTask(stage.task, path + ".task");
    CheckSchedule(stage.schedule, path + ".schedule");
    Require(stage.optimizer.betas.size() == 2, path + ".optimizer.betas",
            fmt::format("expected 2 numbers, got {}", stage.optimizer.betas.size()));
    if (stage.algorithm == "evaluate") {
      CheckSets(stage, path);
      return;
    }
    CheckLength(stage, path);
    if (!SamplesAnswers(stage.algorithm)) return;
    Require(stage.samples_per_prompt >= 2, path + ".samples_per_prompt",
            fmt::format("expected at least 2 with algorithm '{}', got {} (an answer is compared "
                        "with the others to its prompt)",
                        stage.algorithm, stage.samples_per_prompt));
    Require(stage.prompts_per_step % stage.num_minibatches == 0, path + ".num_minibatches",
            fmt::format("expected a divisor of prompts_per_step, {}, got {}",
                        stage.prompts_per_step, stage.num_minibatches));
    const RolloutConfig& rollout = stage.rollout;
    Require(rollout.max_total_tokens == 0 || rollout.max_total_tokens > rollout.max_new_tokens,
            path + ".rollout.max_total_tokens",
            fmt::format("expected more than max_new_tokens, {}, got {} (it counts the prompt too)",
                        rollout.max_new_tokens, rollout.max_total_tokens));
    CheckRewards(stage.rewards, path + ".rewards");
    CheckAnswerRewards(stage.rewards, stage.task, path + ".rewards");
  }

  void CheckSets(const StageConfig& stage, const std::string& path) {
    Require(!config_.evaluation.empty(), path + ".algorithm",
            "'evaluate' measures the sets of 'evaluation'; expected one or more there, got none");
    for (size_t i = 0; i < stage.sets.size(); ++i) {
      RequireName(stage.sets[i], NamesIn(config_.evaluation), "evaluation", "the evaluations are",
                  fmt::format("{}.sets[{}]", path, i));
    }
  }

  // Either steps or epochs say how long a stage is.
  void CheckLength(const StageConfig& stage, const std::string& path) {
    const std::string steps = path + ".num_steps";
    const std::string epochs = path + ".data.num_epochs";
    if (stage.algorithm.empty() || problems_->Has(path + ".data") || problems_->Has(epochs) ||
        problems_->Has(path + ".data.num_demonstrations") || problems_->Has(path + ".batch_size")) {
      return;
    }
    if (stage.data.num_epochs == 0) {
      Require(stage.num_steps > 0, steps,
              stage.algorithm == "sft"
                  ? "missing; algorithm 'sft' needs it, or data.num_epochs instead"
                  : "missing; algorithm '" + stage.algorithm + "' needs it");
      return;
    }
    if (stage.data.num_demonstrations == 0) {
      Require(false, epochs, "an epoch is a pass over data.num_demonstrations; expected both");
      return;
    }
    const int64_t derived = StepsOfEpochs(stage);
    Require(derived <= kMaxSteps, epochs,
            fmt::format("expected at most {} steps, got {}", kMaxSteps, derived));
    Require(stage.num_steps == 0 || stage.num_steps == derived, steps,
            fmt::format("expected num_steps or data.num_epochs, got both, {} steps and {} epochs "
                        "of {} steps together; leave num_steps out",
                        stage.num_steps, stage.data.num_epochs, derived));
  }

  void CheckBest(const BestConfig& best, const std::string& path) {
    if (best.evaluation.empty() || problems_->Has(path + ".evaluation")) return;
    RequireName(best.evaluation, NamesIn(config_.evaluation), "evaluation", "the evaluations are",
                path + ".evaluation");
    for (const EvaluationConfig& evaluation : config_.evaluation) {
      if (evaluation.name != best.evaluation) continue;
      RequireName(best.metric, EvaluationMetricNames(evaluation),
                  "metric of evaluation '" + evaluation.name + "' called", "its metrics are",
                  path + ".metric");
    }
  }

  void CheckDemonstrator(const DataConfig& data, const std::string& key) {
    for (const TaskConfig& task : config_.tasks) {
      // An empty one is absent or wrong, which the reader judges; likewise an empty type.
      if (task.name != data.task || data.demonstrator.empty() || task.type.empty()) continue;
      RequireName(data.demonstrator, DemonstratorsOf(task.type),
                  "demonstrator of task '" + task.name + "' called", "its demonstrators are", key);
    }
  }

  void CheckSchedule(const ScheduleConfig& schedule, const std::string& path) {
    if (problems_->Has(path + ".name") || problems_->Has(path + ".warmup_steps")) return;
    const std::string key = path + ".decay_steps";
    if (schedule.name == "constant") {
      Require(schedule.decay_steps == 0, key,
              fmt::format("schedule 'constant' takes none, got {}", schedule.decay_steps));
      return;
    }
    Require(
        schedule.decay_steps > schedule.warmup_steps, key,
        fmt::format("schedule '{}' needs more than warmup_steps, {}, got {} (it counts from the "
                    "start of the stage)",
                    schedule.name, schedule.warmup_steps, schedule.decay_steps));
  }

  void CheckRewards(const std::vector<RewardConfig>& rewards, const std::string& path) {
    const bool any = std::any_of(rewards.begin(), rewards.end(),
                                 [](const RewardConfig& reward) { return reward.weight != 0; });
    Require(rewards.empty() || any, path, "expected a weight other than 0, got none");
    double timeout_s = 0;  // of those that wait for somebody else, one after the other
    for (size_t i = 0; i < rewards.size(); ++i) {
      const RewardConfig& reward = rewards[i];
      const std::string key = fmt::format("{}[{}]", path, i);
      Require(
          reward.range.min < reward.range.max, key + ".range",
          fmt::format("expected min below max, got {} and {}", reward.range.min, reward.range.max));
      if (reward.type == "grpc" && !reward.address.empty()) {
        Require(IsHostAndPort(reward.address), key + ".address",
                fmt::format("expected HOST:PORT with a port from 1 to 65535, got '{}'",
                            reward.address));
      }
      if (reward.type == "http") CheckHttp(reward, key);
      const std::vector<Kind> kinds = RewardKinds();
      const bool waits = std::any_of(kinds.begin(), kinds.end(), [&](const Kind& kind) {
        return kind.name == reward.type &&
               std::find(kind.keys.begin(), kind.keys.end(), "timeout_s") != kind.keys.end();
      });
      if (!waits || problems_->Has(key + ".timeout_s")) continue;
      const double before_s = timeout_s;
      timeout_s += reward.timeout_s;
      if (before_s >= config_.trainer.score_timeout_s) continue;  // told at an earlier one
      Require(timeout_s < config_.trainer.score_timeout_s, key + ".timeout_s",
              fmt::format("the rewards up to here may take {} s, expected less than "
                          "trainer.score_timeout_s, {}",
                          timeout_s, config_.trainer.score_timeout_s));
    }
  }

  void CheckHttp(const RewardConfig& reward, const std::string& key) {
    const std::string authority = AuthorityOf(reward.url);
    Require(authority.find('@') == std::string::npos, key + ".url",
            "expected no user or password in it, which the run's folder would keep, got an '@' "
            "before the host (api_key_env says which environment variable holds a key)");
    Require((reward.url.starts_with("http://") || reward.url.starts_with("https://")) &&
                !authority.empty(),
            key + ".url",
            fmt::format("expected http://HOST/... or https://HOST/..., got '{}'", reward.url));
    Require(reward.api_key_env.empty() || reward.api_key_file.empty(), key + ".api_key_file",
            "expected at most one of api_key_env and api_key_file, got both");
    if (problems_->Has(key + ".template") || problems_->Has(key + ".template_file")) return;
    Require(reward.prompt_template.empty() != reward.prompt_template_file.empty(), key,
            "expected exactly one of template and template_file");
    if (reward.prompt_template.empty()) return;
    const std::string problem = ProblemOfTemplate(reward.prompt_template);
    Require(problem.empty(), key + ".template", problem);
  }

  void RequireTask(const std::string& name, const std::string& key) {
    // Empty: absent, which the reader judges.
    if (!name.empty()) {
      RequireName(name, NamesIn(config_.tasks), "task", "the tasks are", key);
    }
  }

  void RequireName(const std::string& name, const std::vector<std::string>& names,
                   const std::string& what, const std::string& label, const std::string& key) {
    Require(Contains(names, name), key,
            fmt::format("no {} '{}'{}", what, name, NameHint(name, names, label)));
  }

  // Of the two types that decide whether an answer is right, each task has one.
  void CheckAnswerRewards(const std::vector<RewardConfig>& rewards, const std::string& task_name,
                          const std::string& path) {
    for (const TaskConfig& task : config_.tasks) {
      if (task.name != task_name || task.type.empty()) continue;
      const std::string expected = AnswerRewardOf(task.type);
      for (size_t i = 0; i < rewards.size(); ++i) {
        const std::string& type = rewards[i].type;
        if (type != "exact_answer" && type != "task_verifier") continue;
        Require(
            type == expected, fmt::format("{}[{}].type", path, i),
            fmt::format("the problems of task '{}' have {}; expected '{}', got '{}'", task.name,
                        expected == "task_verifier" ? "many right answers and no reference answer"
                                                    : "one right answer",
                        expected, type));
      }
    }
  }

  void Require(bool condition, const std::string& key, const std::string& text) {
    if (condition || problems_->Has(key)) return;
    problems_->AddAt(PlaceOfKey(root_, key), key, text);
  }

  const ExperimentConfig& config_;
  const YamlNode& root_;
  Problems* const problems_;
};

// Splits "stages[2].clip" into "stages", "[2", "clip".
std::vector<std::string> PartsOf(const std::string& key) {
  std::vector<std::string> parts;
  std::string part;
  for (const char c : key) {
    if (c == ']') continue;
    if (c == '.' || c == '[') {
      parts.push_back(part);
      part.clear();
      if (c == '.') continue;
    }
    part += c;
  }
  parts.push_back(part);
  return parts;
}

}  // namespace

YamlPlace PlaceOfKey(const YamlNode& root, const std::string& key) {
  const YamlNode* node = &root;
  YamlPlace place = root.place;
  for (const std::string& part : PartsOf(key)) {
    if (part.starts_with('[')) {
      size_t index = 0;
      std::from_chars(part.data() + 1, part.data() + part.size(), index);
      if (index >= node->items.size()) break;
      node = &node->items[index];
      place = node->place;
    } else {
      const YamlEntry* entry = node->Find(part);
      if (entry == nullptr) break;
      node = &entry->value;
      place = node->kind == YamlNode::Kind::kScalar ? node->place : entry->place;
    }
  }
  return place;
}

std::string ProblemOfTemplate(const std::string& text) {
  const std::vector<std::string> known{"prompt", "response", "reference"};
  if (text.find("{response}") == std::string::npos) {
    return "expected {response} in it, got none: the judge would not see what it judges";
  }
  // A name in braces that is nearly one of them; other braces stand for themselves.
  for (size_t open = text.find('{'); open != std::string::npos; open = text.find('{', open + 1)) {
    const size_t close = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", open + 1);
    if (close == std::string::npos || text[close] != '}') continue;
    const std::string name = text.substr(open + 1, close - open - 1);
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string nearest = NearestName(name, known);
    if (!nearest.empty()) {
      return "no placeholder {" + name + "}; did you mean {" + nearest + "}?";
    }
  }
  return {};
}

int64_t StepsOfEpochs(const StageConfig& stage) {
  const int64_t total = stage.data.num_epochs * stage.data.num_demonstrations;
  return (total + stage.batch_size - 1) / stage.batch_size;
}

void CheckExperiment(const ExperimentConfig& config, const YamlNode& root, Problems* problems) {
  Checker(config, root, problems).Run();
}

}  // namespace ponder
