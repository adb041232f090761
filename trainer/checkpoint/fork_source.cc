#include "trainer/checkpoint/fork_source.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/config/nearest_name.h"
#include "trainer/checkpoint/run_checkpoints.h"
#include "trainer/checkpoint/run_state.h"

namespace ponder {
namespace {

constexpr uint64_t kMaxConfigBytes = 1u << 20;

[[noreturn]] void Refuse(const ModelInit& init, const std::string& problem) {
  throw ConfigError("beginning with the policy of run '" + init.run + "': " + problem);
}

std::string ConfigPath(const std::string& folder) { return folder + "/config.resolved.yaml"; }

std::vector<std::string> RunsIn(FileSystem& files, const std::string& runs) {
  std::vector<std::string> names;
  for (const std::string& name : files.List(runs)) {
    if (files.Exists(ConfigPath(runs + "/" + name))) names.push_back(name);
  }
  return names;
}

std::string StepsText(std::vector<int64_t> steps) {
  std::reverse(steps.begin(), steps.end());
  std::vector<std::string> words;
  for (const int64_t step : steps) words.push_back(std::to_string(step));
  return "it has " + JoinNames(words);
}

LoadedCheckpoint LoadStepOf(FileSystem& files, const std::string& folder, const ModelInit& init) {
  if (init.step == kBestStep) {
    // Checkpoints that are passed over on the way to the state that names the best are not the
    // best.
    return LoadCheckpointOf(files, folder, kBestStep,
                            [](const std::string&, const std::string&) {});
  }
  const std::vector<int64_t> steps = CheckpointSteps(files, folder + "/checkpoints");
  if (std::find(steps.begin(), steps.end(), init.step) == steps.end()) {
    Refuse(init, "expected a checkpoint of step " + std::to_string(init.step) + ", got none; " +
                     StepsText(steps) +
                     " (checkpoint.keep says how many stay; 'stage: NAME' names what a stage "
                     "ended with, which always stays)");
  }
  return LoadStep(files, folder + "/checkpoints", init.step);
}

LoadedCheckpoint LoadEndOf(FileSystem& files, const std::string& folder, const ModelInit& init) {
  const ExperimentConfig other =
      ParseExperiment(files.ReadFile(ConfigPath(folder), kMaxConfigBytes), ConfigPath(folder), {});
  std::vector<std::string> stages;
  for (const StageConfig& stage : other.stages) stages.push_back(stage.name);
  const auto found = std::find(stages.begin(), stages.end(), init.stage);
  if (found == stages.end()) {
    Refuse(init, "there is no stage '" + init.stage + "'" +
                     NameHint(init.stage, stages, "its stages are"));
  }
  const std::string not_over = "stage '" + init.stage + "' has not ended yet";
  if (found + 1 != stages.end()) {
    auto start = LoadStageStart(files, folder + "/stages/" + *(found + 1));
    if (!start) Refuse(init, not_over);
    return *std::move(start);
  }
  const std::vector<int64_t> steps = CheckpointSteps(files, folder + "/checkpoints");
  if (steps.empty()) Refuse(init, not_over);
  LoadedCheckpoint newest = LoadStep(files, folder + "/checkpoints", steps.front());
  const RunState state =
      RunState::FromJson(newest.File("state.json"), newest.directory + "/state.json");
  if (!state.stage_complete || state.stage_index + 1 != stages.size()) {
    Refuse(init, not_over + "; of its checkpoints 'step: N' takes one; " + StepsText(steps));
  }
  return newest;
}

}  // namespace

LoadedCheckpoint LoadForkSource(FileSystem& files, const std::string& runs, const ModelInit& init) {
  const std::string folder = RunDirectoryOf(init, runs);
  if (!files.Exists(ConfigPath(folder))) {
    Refuse(init, "there is no such run in " + runs +
                     NameHint(init.run, RunsIn(files, runs), "the runs there are"));
  }
  return init.stage.empty() ? LoadStepOf(files, folder, init) : LoadEndOf(files, folder, init);
}

}  // namespace ponder
