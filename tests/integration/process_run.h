// Runs real process trees for tests: `ponder up` in a temporary folder, with failpoints, under a
// deadline.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace ponder {

struct ProcessRun {
  int exit_code = -1;
  std::string output;  // stdout and stderr
};

// Runs `command` by the shell with `environment` added; kills it after `limit_s` (exit code 124).
ProcessRun RunCommand(const std::string& command,
                      const std::map<std::string, std::string>& environment, int limit_s);

// What must be equal after any kill, by name: the SHA-256 of metrics.jsonl of a run folder, of the
// outcomes, and of the newest checkpoint's policy and optimizer files; its best checkpoint, and
// that one's policy.
std::map<std::string, std::string> DigestsOf(const std::string& folder);

// A run of `ponder up CONFIG` whose run folder lies in its own temporary directory.
class UpRun {
 public:
  // `config`: a file below configs/. The directory is removed with the object unless a test failed.
  UpRun(const std::string& name, const std::string& config);
  ~UpRun();

  ProcessRun Start(const std::vector<std::string>& overrides, const std::string& failpoints,
                   int limit_s) const;
  // The run folder (run.dir/run.name).
  const std::string& folder() const { return folder_; }
  const std::string& directory() const { return directory_; }
  // A file for a failpoint's once= filter.
  std::string Marker(const std::string& name) const { return directory_ + "/" + name + ".fired"; }

  std::map<std::string, std::string> Digests() const { return DigestsOf(folder_); }

 private:
  const std::string config_;
  std::string directory_;
  std::string folder_;
};

}  // namespace ponder
