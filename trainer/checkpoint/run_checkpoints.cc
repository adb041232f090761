#include "trainer/checkpoint/run_checkpoints.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "core/base/error.h"
#include "trainer/checkpoint/resume.h"
#include "trainer/checkpoint/run_state.h"

namespace ponder {
namespace {

std::string RootOf(const std::string& run_directory) { return run_directory + "/checkpoints"; }

LoadedCheckpoint Newest(FileSystem& files, const std::string& run_directory,
                        const CheckpointReport& report) {
  if (auto newest = LoadNewest(files, RootOf(run_directory), report)) return *std::move(newest);
  throw CheckpointError(Condition::kBadData,
                        "reading run " + run_directory +
                            ": expected a checkpoint in its folder 'checkpoints', got none (a run "
                            "saves every checkpoint.save_steps steps and at its end)");
}

// "20, 40, 60", the steps that there are.
std::string StepsText(FileSystem& files, const std::string& run_directory) {
  std::vector<int64_t> steps = CheckpointSteps(files, RootOf(run_directory));
  std::reverse(steps.begin(), steps.end());
  std::string text;
  for (const int64_t step : steps) text += (text.empty() ? "" : ", ") + std::to_string(step);
  return text.empty() ? "none" : text;
}

}  // namespace

LoadedCheckpoint LoadCheckpointOf(FileSystem& files, const std::string& run_directory, int64_t step,
                                  const CheckpointReport& report) {
  if (step == kNewestStep) return Newest(files, run_directory, report);
  std::string what = fmt::format("step {}", step);
  if (step == kBestStep) {
    const LoadedCheckpoint newest = Newest(files, run_directory, report);
    const RunState state =
        RunState::FromJson(newest.File(kStateFile), newest.directory + "/" + kStateFile);
    if (!state.best) {
      throw CheckpointError(Condition::kBadData,
                            "reading run " + run_directory +
                                ": expected a best checkpoint, got none (checkpoint.best says "
                                "which evaluation decides, and it must have run)");
    }
    step = state.best->step;
    what = fmt::format("step {}, the best by {}", step, state.best->measure);
  }
  const std::vector<int64_t> steps = CheckpointSteps(files, RootOf(run_directory));
  if (std::find(steps.begin(), steps.end(), step) == steps.end()) {
    throw CheckpointError(Condition::kBadData,
                          fmt::format("reading run {}: expected a checkpoint of {}; those that it "
                                      "has are of steps {}",
                                      run_directory, what, StepsText(files, run_directory)));
  }
  return LoadStep(files, RootOf(run_directory), step);
}

}  // namespace ponder
