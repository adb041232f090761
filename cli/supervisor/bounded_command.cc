#include "cli/supervisor/bounded_command.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <optional>
#include <thread>

#include "cli/monitor/first_error.h"
#include "cli/monitor/log_text.h"
#include "core/base/error.h"
#include "core/base/unique_fd.h"

namespace ponder {
namespace {

using std::chrono::steady_clock;

constexpr auto kPollInterval = std::chrono::milliseconds(5);
constexpr size_t kLastLines = 20;
constexpr size_t kMaxKeptBytes = size_t{1} << 20;
constexpr off_t kMaxWrittenBytes = off_t{64} << 20;

UniqueFd MemoryFile(const char* name) {
  UniqueFd fd(memfd_create(name, MFD_CLOEXEC));
  if (!fd.valid()) {
    throw Error(Condition::kIo,
                std::string("memory for a program's output: ") + std::strerror(errno));
  }
  return fd;
}

off_t SizeOfFile(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 ? status.st_size : 0;
}

std::string Contents(int fd) {
  std::string bytes(std::min(static_cast<size_t>(SizeOfFile(fd)), kMaxKeptBytes), '\0');
  const ssize_t count = pread(fd, bytes.data(), bytes.size(), 0);
  bytes.resize(count < 0 ? 0 : static_cast<size_t>(count));
  return bytes;
}

bool SaysSomething(const std::string& line) {
  return std::any_of(line.begin(), line.end(),
                     [](unsigned char c) { return std::isalnum(c) != 0; });
}

// The last line that says something. mpirun tells that a program failed in a frame of dashes: what
// lies within one counts only when there is nothing else.
std::string LastWords(const std::string& text) {
  std::string framed;
  std::string words;
  bool in_frame = false;
  for (const std::string& line : LastLines(text, kLastLines)) {
    if (line.starts_with("-----")) {
      in_frame = !in_frame;
    } else if (SaysSomething(line)) {
      (in_frame ? framed : words) = line;
    }
  }
  return words.empty() ? framed : words;
}

// The first error of a log, on one line; empty when none has the form of one.
std::string FirstErrorIn(const std::string& text) {
  const std::optional<ErrorCause> cause = FirstError({{"", text}}, "00:00:00.000", "23:59:59.999");
  if (!cause) return {};
  std::string line = (cause->process.empty() ? "" : cause->process + ": ") + cause->text;
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

}  // namespace

std::string CommandResult::Explain() const {
  const std::string end = problem.empty() && status ? status->Describe() : problem;
  if (const std::string error = FirstErrorIn(err); !error.empty()) return end + "; " + error;
  const std::string words = LastWords(err);
  return words.empty() ? end : end + "; its last words: " + words;
}

CommandResult RunBounded(const ChildSpec& spec, std::chrono::milliseconds deadline) {
  CommandResult result;
  const UniqueFd out = MemoryFile("stdout");
  const UniqueFd err = MemoryFile("stderr");
  try {
    ChildProcess child(spec, out.get(), err.get());
    result.started = true;
    const auto begin = steady_clock::now();
    while (!(result.status = child.Poll())) {
      if (steady_clock::now() - begin >= deadline) {
        result.problem = "no end after " + std::to_string(deadline.count()) + " ms (killed)";
        break;
      }
      if (std::max(SizeOfFile(out.get()), SizeOfFile(err.get())) > kMaxWrittenBytes) {
        result.problem = "endless output (killed)";
        break;
      }
      std::this_thread::sleep_for(kPollInterval);
    }
  } catch (const Error& error) {
    result.problem = error.what();
  }
  result.out = Contents(out.get());
  result.err = Contents(err.get());
  return result;
}

}  // namespace ponder
