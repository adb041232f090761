#include "core/config/experiment.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>

#include "core/base/error.h"
#include "core/config/experiment_checks.h"
#include "core/config/experiment_schema.h"
#include "core/config/overrides.h"
#include "core/config/problems.h"
#include "core/config/scalars.h"
#include "core/config/yaml_document.h"
#include "core/config/yaml_writer.h"

namespace ponder {
namespace {

constexpr YamlLimits kLimits{};

template <typename Named>
const Named& FindNamed(const std::vector<Named>& list, std::string_view name, const char* what) {
  for (const Named& item : list) {
    if (item.name == name) return item;
  }
  throw Error(Condition::kInternal,
              std::string("looking up a ") + what + ": there is no '" + std::string(name) + "'");
}

void FillDefaults(ExperimentConfig* config) {
  for (EvaluationConfig& evaluation : config->evaluation) {
    if (!evaluation.rewards.empty()) continue;
    const std::string& task_type = config->Task(evaluation.task).type;
    evaluation.rewards = {{.name = "answer", .type = AnswerRewardOf(task_type)}};
  }
  for (StageConfig& stage : config->stages) {
    if (stage.data.num_epochs > 0) stage.num_steps = StepsOfEpochs(stage);
  }
}

// At most one byte more than is allowed, so that the limit is seen without reading it all.
std::string ReadConfigFile(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string text(kLimits.max_bytes + 1, '\0');
  if (stream) stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (stream.bad() || (stream.fail() && !stream.eof())) {
    throw ConfigError(path + ": cannot be read: " + std::strerror(errno));
  }
  text.resize(static_cast<size_t>(stream.gcount()));
  return text;
}

// A file of another form may have other keys: told about its version alone, it is not told that
// what it rightly has is unknown or missing.
void CheckVersion(const YamlNode& root, Problems problems) {
  const YamlEntry* version = root.Find("config_version");
  if (version == nullptr) return;
  ExperimentConfig config;
  ExperimentSection().Find(version->key)->read(version->value, version->key, &config, &problems);
  problems.ThrowIfAny();
}

// Takes the texts of files in, so that services on other machines have them, and a changed one is a
// changed experiment. `path`: of the experiment, for messages.
void ReadTemplates(const std::string& path, std::vector<RewardConfig>* rewards) {
  for (RewardConfig& reward : *rewards) {
    if (reward.prompt_template_file.empty()) continue;
    const std::string where =
        path + ": template_file of reward '" + reward.name + "', " + reward.prompt_template_file;
    std::string error;
    const std::optional<std::string> text =
        ReadText(YamlNode::Scalar(ReadConfigFile(reward.prompt_template_file)),
                 {.form = TextRule::Form::kText, .choices = {}}, &error);
    if (text) error = ProblemOfTemplate(*text);
    if (!error.empty()) throw ConfigError(where + ": " + error);
    reward.prompt_template = *text;
    reward.prompt_template_file.clear();
  }
}

}  // namespace

const TaskConfig& ExperimentConfig::Task(std::string_view name) const {
  return FindNamed(tasks, name, "task");
}

const StageConfig& ExperimentConfig::Stage(std::string_view name) const {
  return FindNamed(stages, name, "stage");
}

const std::vector<RewardConfig>& ExperimentConfig::RewardSet(std::string_view reward_set) const {
  const size_t slash = reward_set.find('/');
  const std::string_view kind = reward_set.substr(0, slash);
  const std::string_view name =
      slash == std::string_view::npos ? std::string_view() : reward_set.substr(slash + 1);
  if (kind == "stage") return Stage(name).rewards;
  if (kind == "evaluation") return FindNamed(evaluation, name, "evaluation").rewards;
  throw Error(Condition::kInternal,
              "looking up a reward set: expected stage/NAME or "
              "evaluation/NAME, got '" +
                  std::string(reward_set) + "'");
}

std::string RunDirectoryOf(const ModelInit& init, const std::string& runs) {
  return init.run.find('/') == std::string::npos ? runs + "/" + init.run : init.run;
}

std::vector<int64_t> SubsetSizes(int64_t limit) {
  std::vector<int64_t> sizes;
  for (int64_t size = 2; size <= limit; size *= 2) sizes.push_back(size);
  return sizes;
}

std::vector<std::string> EvaluationMetricNames(const EvaluationConfig& evaluation) {
  std::vector<std::string> names{"val/sampled"};
  if (evaluation.greedy) names.emplace_back("val/greedy");
  for (const int64_t size : SubsetSizes(evaluation.num_samples)) {
    names.push_back("val/pass_at_" + std::to_string(size));
  }
  for (const int64_t size : SubsetSizes(std::min(evaluation.num_samples, kMaxMajoritySize))) {
    names.push_back("val/maj_at_" + std::to_string(size));
  }
  names.emplace_back("val/response_length");
  return names;
}

ExperimentConfig ParseExperiment(const std::string& text, const std::string& path,
                                 const std::vector<std::string>& overrides) {
  Problems problems(path, overrides);
  std::optional<YamlNode> root = LoadYaml(text, YamlPlace::kFile, kLimits, &problems);
  if (root && root->kind == YamlNode::Kind::kNull) {
    problems.AddToFile(
        "expected an experiment, got an empty file (configs/quickstart.yaml is one)");
    root.reset();
  }
  if (!root) problems.ThrowIfAny();
  ApplyOverrides(overrides, kLimits, &*root, &problems);
  CheckVersion(*root, Problems(path, overrides));
  ExperimentConfig config;
  ExperimentSection().Read(*root, "", &config, &problems);
  CheckExperiment(config, *root, &problems);
  problems.ThrowIfAny();
  FillDefaults(&config);
  for (StageConfig& stage : config.stages) ReadTemplates(path, &stage.rewards);
  for (EvaluationConfig& set : config.evaluation) ReadTemplates(path, &set.rewards);
  return config;
}

ExperimentConfig ReadExperiment(const std::string& path,
                                const std::vector<std::string>& overrides) {
  return ParseExperiment(ReadConfigFile(path), path, overrides);
}

std::string ResolvedYaml(const ExperimentConfig& config) {
  return WriteYaml(ExperimentSection().Write(&config));
}

}  // namespace ponder
