#include "cli/inspect/target.h"

#include <filesystem>

#include "cli/console_text.h"
#include "cli/inspect/weights_facts.h"
#include "core/base/error.h"
#include "trainer/checkpoint/checkpoint_writer.h"
#include "trainer/checkpoint/manifest.h"

namespace ponder {

TargetKind KindOf(FileSystem& files, const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code error;
  if (!fs::exists(path, error)) {
    throw Error(Condition::kIo,
                "inspecting " + Printable(path) + ": there is no such file or folder");
  }
  const auto holds = [&](const std::string& name) { return files.Exists(path + "/" + name); };
  if (fs::is_directory(path, error)) {
    const std::string name = fs::path(path).filename().string();
    if (holds(kManifestName) || StepOfCheckpointName(name)) return TargetKind::kCheckpoint;
    if (holds("run.json") || holds("config.resolved.yaml")) return TargetKind::kRun;
    if (IsModelFolder(files, path)) return TargetKind::kModelFolder;
  } else if (path.ends_with(".safetensors")) {
    return TargetKind::kWeightsFile;
  } else if (path.ends_with(".yaml") || path.ends_with(".yml")) {
    return TargetKind::kExperiment;
  }
  throw Error(Condition::kUsage,
              "inspecting " + Printable(path) +
                  ": expected a run folder (with run.json), a checkpoint (with MANIFEST.json), a "
                  "model folder or a .safetensors file, or an experiment (.yaml), got something "
                  "else");
}

}  // namespace ponder
