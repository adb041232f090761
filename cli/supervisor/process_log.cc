#include "cli/supervisor/process_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "cli/monitor/log_text.h"
#include "core/base/error.h"

namespace ponder {

UniqueFd OpenLog(const std::string& path) {
  UniqueFd fd(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!fd.valid()) {
    throw Error(Condition::kIo, "open of log " + path + ": " + std::strerror(errno));
  }
  return fd;
}

ChildOutput::ChildOutput(UniqueFd log) : log_(std::move(log)) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw Error(Condition::kIo, std::string("pipe for a child's output: ") + std::strerror(errno));
  }
  output_ = UniqueFd(ends[0]);
  input_ = UniqueFd(ends[1]);
  fcntl(output_.get(), F_SETFL, O_NONBLOCK);  // the reading end only
}

std::string ChildOutput::Pump(bool* open) {
  std::string text;
  std::array<char, 16384> chunk{};
  while (true) {
    const ssize_t n = read(output_.get(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    *open = n < 0 && errno == EAGAIN;
    if (n <= 0) break;
    text.append(chunk.data(), static_cast<size_t>(n));
  }
  WriteAll(log_.get(), text);
  return text;
}

}  // namespace ponder
