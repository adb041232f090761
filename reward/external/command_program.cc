#include "reward/external/command_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

#include "core/base/error.h"
#include "core/base/process_tree.h"
#include "reward/external/group_scores.h"

namespace ponder {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// How long a wait goes without a look at `stop`.
constexpr milliseconds kSlice{50};
// A program that closed its stdout gets so long to end, so that its exit status can be told.
constexpr milliseconds kEndLimit{1000};
constexpr int kMaxStderrLines = 200;

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Pipe MakePipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw Error(Condition::kIo, std::string("pipe to a command: ") + std::strerror(errno));
  }
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

void MakeNonBlocking(const UniqueFd& fd) { fcntl(fd.get(), F_SETFL, O_NONBLOCK); }

// posix_spawn's two argument objects, freed with this.
struct SpawnSettings {
  SpawnSettings() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

std::string DescribeStatus(int status) {
  if (WIFSIGNALED(status)) {
    return fmt::format("killed by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
  }
  return fmt::format("exit code {}", WEXITSTATUS(status));
}

}  // namespace

CommandProgram::CommandProgram(const std::vector<std::string>& argv,
                               std::function<void(std::string_view)> on_stderr)
    : on_stderr_(std::move(on_stderr)) {
  Pipe in = MakePipe();
  Pipe out = MakePipe();
  Pipe err = MakePipe();
  SpawnSettings settings;
  posix_spawn_file_actions_adddup2(&settings.actions, in.read.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&settings.actions, out.write.get(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&settings.actions, err.write.get(), STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&settings.actions, STDERR_FILENO + 1);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&settings.attributes, &none);
  posix_spawnattr_setsigdefault(&settings.attributes, &all);
  posix_spawnattr_setpgroup(&settings.attributes, 0);
  posix_spawnattr_setflags(&settings.attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<std::string> words = argv;
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  const int code = posix_spawnp(&pid_, pointers[0], &settings.actions, &settings.attributes,
                                pointers.data(), environ);
  if (code != 0) {
    throw ConfigError("cannot execute '" + argv.front() + "': " + std::strerror(code));
  }
  stdin_ = std::move(in.write);
  stdout_ = std::move(out.read);
  stderr_ = std::move(err.read);
  for (const UniqueFd* fd : {&stdin_, &stdout_, &stderr_}) MakeNonBlocking(*fd);
}

CommandProgram::~CommandProgram() {
  // What the program left in its group may live on without it.
  if (!is_reaped_) KillTree(pid_);
  kill(-pid_, SIGKILL);
  if (!is_reaped_) waitpid(pid_, nullptr, 0);
}

bool CommandProgram::Drain(int fd, std::string* text) {
  std::array<char, 16384> chunk{};
  while (text->size() <= kMaxLineBytes) {
    const ssize_t n = read(fd, chunk.data(), chunk.size());
    if (n > 0) {
      text->append(chunk.data(), static_cast<size_t>(n));
    } else if (n == 0) {
      return false;
    } else if (errno != EINTR) {
      return true;
    }
  }
  return true;
}

void CommandProgram::TakeStderr() {
  if (!stderr_.valid()) return;
  const bool is_open = Drain(stderr_.get(), &err_);
  if (!is_open) {
    stderr_.Reset();
    if (!err_.empty()) err_ += '\n';
  }
  EmitStderr();
}

void CommandProgram::EmitStderr() {
  size_t begin = 0;
  for (size_t end = err_.find('\n'); end != std::string::npos; end = err_.find('\n', begin)) {
    const std::string line = Excerpt(std::string_view(err_).substr(begin, end - begin));
    begin = end + 1;
    if (line.empty()) continue;
    last_stderr_line_ = line;
    if (++num_stderr_lines_ <= kMaxStderrLines) {
      on_stderr_(line);
    } else if (num_stderr_lines_ == kMaxStderrLines + 1) {
      on_stderr_("(the rest of what it writes about this request is left out)");
    }
  }
  err_.erase(0, begin);
  // A line without end is cut.
  if (err_.size() > kMaxLineBytes) err_.clear();
}

void CommandProgram::ThrowEnded() {
  int status = 0;
  const auto end = steady_clock::now() + kEndLimit;
  while (!is_reaped_ && steady_clock::now() < end) {
    is_reaped_ = waitpid(pid_, &status, WNOHANG) == pid_;
    if (!is_reaped_) std::this_thread::sleep_for(milliseconds(5));
  }
  TakeStderr();
  std::string text = is_reaped_ ? "it ended with " + DescribeStatus(status) + " without an answer"
                                : "it closed its stdout without an answer";
  if (!last_stderr_line_.empty()) {
    text += "; the last line of its stderr: '" + last_stderr_line_ + "'";
  }
  throw Error(Condition::kUnavailable, text);
}

std::string CommandProgram::Exchange(std::string_view request, Deadline deadline,
                                     const std::function<bool()>& stop) {
  const std::string text = std::string(request) + '\n';
  size_t written = 0;
  num_stderr_lines_ = 0;
  while (true) {
    TakeStderr();
    const bool is_open = Drain(stdout_.get(), &out_);
    if (const size_t end = out_.find('\n'); end != std::string::npos && end <= kMaxLineBytes) {
      std::string line = out_.substr(0, end);
      out_.erase(0, end + 1);
      return line;
    }
    if (out_.size() > kMaxLineBytes) {
      throw ProtocolError(fmt::format("expected a line of at most {} bytes, got a longer one: '{}'",
                                      kMaxLineBytes, Excerpt(out_)));
    }
    if (!is_open) ThrowEnded();
    if (stop()) throw Error(Condition::kInterrupted, "this service was asked to end");
    const auto now = steady_clock::now();
    if (now >= deadline) throw Error(Condition::kDeadline, "no answer in time");
    std::array<pollfd, 3> watched{{{stdout_.get(), POLLIN, 0},
                                   {stderr_.get(), POLLIN, 0},
                                   {written < text.size() ? stdin_.get() : -1, POLLOUT, 0}}};
    const auto slice = std::min<steady_clock::duration>(kSlice, deadline - now);
    poll(watched.data(), watched.size(),
         static_cast<int>(std::chrono::ceil<milliseconds>(slice).count()));
    if (watched[2].revents == 0) continue;
    const ssize_t n = write(stdin_.get(), text.data() + written, text.size() - written);
    if (n > 0) written += static_cast<size_t>(n);
    // A program that reads no further is about to end, or answers what it has.
    if (n < 0 && errno == EPIPE) written = text.size();
  }
}

}  // namespace ponder
