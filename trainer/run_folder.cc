#include "trainer/run_folder.h"

#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/json.h"
#include "trainer/checkpoint/staged_directory.h"

namespace ponder {
namespace {

constexpr uint64_t kMaxBytes = 1u << 20;

// Refuses a folder whose experiment differs in keys that decide what is learned.
void CheckSameExperiment(const ExperimentConfig& before, const ExperimentConfig& after,
                         const Log& log) {
  std::string exact;
  for (const KeyDifference& difference : CompareExperiments(before, after)) {
    const std::string line =
        difference.key + ": was " + difference.before + ", is now " + difference.after;
    if (difference.key_class == KeyClass::kExact) exact += "\n  " + line;
    if (difference.key_class == KeyClass::kSoft)
      log.Warning("changed since the last attempt: " + line);
  }
  if (!exact.empty()) {
    throw ConfigError("run folder " + after.RunDirectory() +
                      " belongs to another experiment; these keys end exact resume:" + exact +
                      "\n(undo the change, or begin another run with what this one learned: "
                      "another run.name and models.NAME.init: {run: " +
                      after.run.name + ", step: N}; docs/runs.md)");
  }
}

// Refuses another length for a stage that has ended: nothing would come of it.
void CheckEndedStages(FileSystem& files, const ExperimentConfig& before,
                      const ExperimentConfig& after) {
  std::string ended;
  for (size_t i = 0; i + 1 < after.stages.size(); ++i) {
    const StageConfig& stage = after.stages[i];
    const int64_t old_steps = before.Stage(stage.name).num_steps;
    const std::string next = after.stages[i + 1].name;
    if (stage.num_steps == old_steps ||
        !files.Exists(after.RunDirectory() + "/stages/" + next + "/start")) {
      continue;
    }
    ended += "\n  stages." + stage.name + ".num_steps: was " + std::to_string(old_steps) +
             ", is now " + std::to_string(stage.num_steps) + ", but stage '" + next +
             "' has begun already";
  }
  if (!ended.empty()) {
    throw ConfigError("run folder " + after.RunDirectory() + ": a stage that has ended keeps its " +
                      "length:" + ended +
                      "\n(undo the change, or train on in another run: another run.name and "
                      "models.NAME.init: {run: " +
                      after.run.name + ", stage: NAME}; docs/runs.md)");
  }
}

}  // namespace

RunIdentity OpenRunFolder(FileSystem& files, const ExperimentConfig& config, const Log& log) {
  const std::string folder = config.RunDirectory();
  const std::string run_path = folder + "/run.json";
  const std::string config_path = folder + "/config.resolved.yaml";
  const std::string resolved = ResolvedYaml(config);
  RunIdentity identity;
  if (files.Exists(run_path)) {
    if (config.checkpoint.resume == "never") {
      throw ConfigError("run folder " + folder +
                        " holds a run already and checkpoint.resume is 'never' (choose another "
                        "run.name, or resume: auto)");
    }
    const nlohmann::json run =
        ParseJsonStrict(files.ReadFile(run_path, kMaxBytes), run_path, kMaxBytes);
    identity.run_id = run.value("run_id", "");
    identity.attempt = run.value("attempt", 0u) + 1;
    const ExperimentConfig before =
        ParseExperiment(files.ReadFile(config_path, kMaxBytes), config_path, {});
    CheckSameExperiment(before, config, log);
    CheckEndedStages(files, before, config);
  } else {
    if (config.checkpoint.resume == "must") {
      throw ConfigError("run folder " + folder +
                        " holds no run and checkpoint.resume is 'must' (start with resume: auto)");
    }
    MakeDirectoriesDurably(files, folder);
    identity.run_id = config.run.name + "-" + Sha256Hex(resolved).substr(0, 12);
    identity.attempt = 1;
  }
  WriteFileAtomically(files, config_path, resolved);
  const nlohmann::json run{
      {"format_version", 1}, {"run_id", identity.run_id}, {"attempt", identity.attempt}};
  WriteFileAtomically(files, run_path, run.dump(2) + "\n");
  return identity;
}

}  // namespace ponder
