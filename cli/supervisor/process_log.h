// The log file of one process.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "core/base/unique_fd.h"

namespace ponder {

// Opens `path` for appending, made if need be. Throws Error(kIo).
UniqueFd OpenLog(const std::string& path);

// A pipe that a child writes to; what comes out of it goes to the child's log, and to whoever shows
// it. Not thread safe.
class ChildOutput {
 public:
  explicit ChildOutput(UniqueFd log);  // throws Error(kIo)

  // Where the child writes; closed by CloseInput once the child has it.
  int input() const { return input_.get(); }
  void CloseInput() { input_.Reset(); }
  // What poll() should watch.
  int output() const { return output_.get(); }
  // From now on the child's output goes to `log`.
  void SwitchLog(UniqueFd log) { log_ = std::move(log); }
  // Copies what is there to the log and returns it, never blocks on the child. `*open` becomes
  // false once all writers are gone.
  std::string Pump(bool* open);

 private:
  UniqueFd output_;
  UniqueFd input_;
  UniqueFd log_;
};

}  // namespace ponder
