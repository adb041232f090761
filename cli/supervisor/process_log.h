// The log file of one process, and what to show of it when the process failed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/unique_fd.h"

namespace ponder {

// Opens `path` for appending, made if need be. Throws Error(kIo).
UniqueFd OpenLog(const std::string& path);

// Copies what a child writes to its log and to one of this process's own streams, so that a person
// sees it live. Not thread safe.
class OutputTee {
 public:
  // Both descriptors are borrowed and must outlive this. Throws Error(kIo).
  OutputTee(int log_fd, int live_fd);
  // Where the child writes; closed by CloseInput once the child has it.
  int input() const { return input_.get(); }
  void CloseInput() { input_.Reset(); }
  // What poll() should watch.
  int output() const { return output_.get(); }
  // Copies what is there, never blocks on the child. False once all writers are gone.
  bool Pump();

 private:
  UniqueFd output_;
  UniqueFd input_;
  const int log_fd_;
  const int live_fd_;
};

// The last `count` lines of a text. Of a line that was redrawn (carriage returns) only what it
// ended as.
std::vector<std::string> LastLines(std::string_view text, size_t count);

// What failed first, where later lines only echo it: the earliest error line of several logs
// between the times of day `since` and `now` ("03:12:25.123"; the span may cross midnight). An
// error line has level E
// ("03:12:25.123 E trainer/1  text") or is what a program prints when it ends ("trainer: error:
// text", "rank 1 of 2: ends the job ..."), which has the time of the line before it. Empty when
// there is none.
std::string FirstError(const std::vector<std::string>& logs, std::string_view since,
                       std::string_view now);

// The last `max_bytes` of a file; empty when it cannot be read.
std::string ReadTail(const std::string& path, size_t max_bytes);

}  // namespace ponder
