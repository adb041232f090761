#include "tests/integration/process_run.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/file.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string ReadAll(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// "step_000120".
std::string CheckpointName(int64_t step) {
  const std::string digits = std::to_string(step);
  return "step_" + std::string(6 - std::min<size_t>(6, digits.size()), '0') + digits;
}

// The SHA-256 of every file of a folder; of a folder that is not there, that it is missing.
void AddFolder(const fs::path& folder, const std::string& name,
               std::map<std::string, std::string>* digests) {
  if (!fs::exists(folder)) {
    (*digests)[name] = "missing";
    return;
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    (*digests)[name + "/" + entry.path().filename().string()] = Sha256Hex(ReadAll(entry.path()));
  }
}

}  // namespace

ProcessRun RunCommand(const std::string& command,
                      const std::map<std::string, std::string>& environment, int limit_s) {
  std::string full = "env";
  for (const auto& [name, value] : environment) full += " " + name + "='" + value + "'";
  full += " timeout -k 10 " + std::to_string(limit_s) + " " + command + " 2>&1 </dev/null";
  ProcessRun run;
  FILE* pipe = popen(full.c_str(), "r");
  if (pipe == nullptr) return run;
  char buffer[4096];
  size_t count = 0;
  while ((count = std::fread(buffer, 1, sizeof buffer, pipe)) > 0) run.output.append(buffer, count);
  const int status = pclose(pipe);
  run.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return run;
}

std::map<std::string, std::string> DigestsOf(const std::string& folder) {
  std::map<std::string, std::string> digests;
  digests["metrics.jsonl"] = Sha256Hex(ReadAll(folder + "/metrics.jsonl"));
  fs::path newest;
  if (!fs::exists(folder + "/checkpoints")) return digests;
  for (const auto& entry : fs::directory_iterator(folder + "/checkpoints")) {
    if (entry.path().filename().string().starts_with("step_"))
      newest = std::max(newest, entry.path());
  }
  if (newest.empty()) return digests;
  digests["checkpoint"] = newest.filename().string();
  AddFolder(newest / "policy", "policy", &digests);
  AddFolder(newest / "optimizer", "optimizer", &digests);
  AddFolder(folder + "/outcomes", "outcomes", &digests);
  const nlohmann::json best = nlohmann::json::parse(ReadAll(newest / "state.json")).at("best");
  if (best.is_null()) return digests;
  digests["best"] = best.dump();
  const std::string name = CheckpointName(best.at("step").get<int64_t>());
  AddFolder(folder + "/checkpoints/" + name + "/policy", "best policy", &digests);
  return digests;
}

UpRun::UpRun(const std::string& name, const std::string& config) : config_(config) {
  directory_ = ::testing::TempDir() + "ponder_" + name;
  fs::remove_all(directory_);
  fs::create_directories(directory_);
  folder_ = directory_ + "/run";
}

UpRun::~UpRun() {
  if (!::testing::Test::HasFailure()) fs::remove_all(directory_);
}

ProcessRun UpRun::Start(const std::vector<std::string>& overrides, const std::string& failpoints,
                        int limit_s) const {
  std::string command = Environment("PONDER_BIN_DIR") + "/ponder up " +
                        Environment("PONDER_SOURCE_DIR") + "/configs/" + config_ +
                        " --set run.dir=" + directory_ + " --set run.name=run";
  for (const std::string& text : overrides) command += " --set " + text;
  std::map<std::string, std::string> environment{{"PONDER_PROGRESS", "lines"}};
  if (!failpoints.empty()) environment["PONDER_FAILPOINTS"] = failpoints;
  return RunCommand(command, environment, limit_s);
}

}  // namespace ponder
