#include "cli/run_argument.h"

#include <charconv>
#include <filesystem>

#include "cli/find_run.h"
#include "core/base/error.h"
#include "trainer/checkpoint/run_checkpoints.h"

namespace ponder {
namespace {

constexpr const char* kConfigName = "/config.resolved.yaml";
constexpr uint64_t kMaxConfigBytes = uint64_t{1} << 20;
// RUN/stages/NAME/start is the deepest.
constexpr int kLevelsBelowRun = 3;

std::string WithoutTrailingSlashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

RunArgument FindRunOrCheckpoint(FileSystem& files, const std::string& text) {
  const std::string path = WithoutTrailingSlashes(text);
  if (!files.Exists(path + "/" + kManifestName)) return {FindRun(files, text), ""};
  std::string above = path;
  for (int level = 0; level < kLevelsBelowRun; ++level) {
    above = WithoutTrailingSlashes(std::filesystem::path(above + "/..").lexically_normal());
    if (files.Exists(above + kConfigName)) return {above, path};
  }
  throw Error(
      Condition::kUsage,
      "checkpoint " + path +
          ": expected it inside the folder of its run, whose config.resolved.yaml says what "
          "its tokens mean; there is none above it");
}

ExperimentConfig ReadRunExperiment(FileSystem& files, const std::string& run_directory) {
  const std::string path = run_directory + kConfigName;
  return ParseExperiment(files.ReadFile(path, kMaxConfigBytes), path, {});
}

int64_t ParseStep(const std::string& text) {
  if (text.empty()) return kNewestStep;
  if (text == "best") return kBestStep;
  int64_t step = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
  if (error != std::errc() || end != text.data() + text.size() || step < 0) {
    throw Error(Condition::kUsage,
                "--step: expected a step of the run, or best, got '" + text + "'");
  }
  return step;
}

LoadedCheckpoint LoadCheckpointOf(FileSystem& files, const RunArgument& argument,
                                  const std::string& step, const Log& log) {
  if (argument.checkpoint.empty()) {
    return LoadCheckpointOf(files, argument.run_directory, ParseStep(step),
                            [&log](const std::string& bad, const std::string& why) {
                              log.Warning("passed over: " + bad + " is bad: " + why);
                            });
  }
  if (!step.empty()) {
    throw Error(Condition::kUsage, "--step " + step + ": " + argument.checkpoint +
                                       " is one checkpoint already; name its run instead");
  }
  return {argument.checkpoint, VerifyDirectory(files, argument.checkpoint), &files};
}

}  // namespace ponder
