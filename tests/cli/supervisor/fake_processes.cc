#include "tests/cli/supervisor/fake_processes.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "cli/supervisor/supervisor.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

std::atomic<bool> stop{false};

void Note(const std::string& folder, const std::string& role) {
  std::ofstream(folder + "/starts", std::ios::app) << role + " " + std::to_string(getpid()) + "\n";
}

int CountStarts(const std::string& folder, const std::string& role) {
  std::ifstream file(folder + "/starts");
  int count = 0;
  for (std::string line; std::getline(file, line);) count += line.rfind(role + " ", 0) == 0;
  return count;
}

// At most half a minute, so that a failed test leaves nothing behind for long.
void SleepUntil(const std::atomic<bool>& flag) {
  for (int i = 0; i < 3000 && !flag; ++i) std::this_thread::sleep_for(milliseconds(10));
}

void Listen(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || listen(fd, 16) != 0) {
    std::perror("fake trainer: listen");
    std::_Exit(74);
  }
}

std::vector<std::string> Split(const std::string& text) {
  std::vector<std::string> parts{""};
  for (const char c : text) {
    if (c == ':') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

int Serve(int code) {
  std::signal(SIGTERM, [](int) { stop = true; });
  SleepUntil(stop);
  return stop ? code : 99;
}

// Two ranks in process groups of their own, as mpirun makes them; ends when both have.
int RunRanks(const std::string& folder) {
  for (int rank = 0; rank < 2; ++rank) {
    if (fork() == 0) {
      setpgid(0, 0);
      Note(folder, "rank");
      const int code = Serve(75);
      if (code == 75) Note(folder, "rank_stopped");
      std::_Exit(code);
    }
  }
  std::signal(SIGTERM, [](int) { std::_Exit(143); });
  int status = 0;
  while (wait(&status) > 0) {
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int RunTrainer(const std::vector<std::string>& arguments) {
  const std::string& folder = arguments[0];
  Note(folder, "trainer");
  const size_t start = static_cast<size_t>(CountStarts(folder, "trainer"));
  const std::vector<std::string> action =
      Split(arguments.at(std::min(start + 1, arguments.size() - 1)));
  std::printf("trainer start %zu\n", start);
  std::fprintf(stderr, "progress of start %zu\n", start);
  std::fflush(stdout);
  if (action[0] == "silent") return Serve(75);
  Listen(std::stoi(arguments[1]));
  if (action[0] == "serve") return Serve(75);
  if (action[0] == "ranks") return RunRanks(folder);
  if (action[0] == "save_slowly") {
    const int code = Serve(75);
    std::this_thread::sleep_for(milliseconds(300));
    Note(folder, "trainer_saved");
    return code;
  }
  if (action[0] == "deaf") {
    std::signal(SIGTERM, SIG_IGN);
    SleepUntil(stop);
    return 99;
  }
  const fs::path worker = folder + "/worker_seen";
  for (int i = 0; i < 1000 && !fs::exists(worker); ++i) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  if (action[0].rfind("gain", 0) == 0) {
    fs::create_directories(folder + "/run/checkpoints/step_" + action[1]);
  }
  std::fprintf(stderr, "trainer: error: planned end of start %zu\n", start);
  if (action[0] == "kill" || action[0] == "gain_kill") std::raise(SIGKILL);
  return std::stoi(action.back());
}

int RunWorker(const std::vector<std::string>& arguments) {
  const std::string& folder = arguments[0];
  Note(folder, "worker");
  std::ofstream(folder + "/worker_seen") << "1";
  const std::vector<std::string> action = Split(arguments[1]);
  std::fprintf(stderr, "worker speaks\n");
  if (action[0] == "exit") return std::stoi(action[1]);
  if (action[0] == "killed_once" && CountStarts(folder, "worker") == 1) std::raise(SIGKILL);
  const int code = Serve(0);
  Note(folder, "worker_stopped");
  return code;
}

int RunSupervisor(const std::vector<std::string>& arguments) {
  const std::string& folder = arguments[0];
  const std::string self = fs::read_symlink("/proc/self/exe").string();
  LaunchPlan plan;
  plan.trainer_port = PickFreeLoopbackPort();
  plan.run_directory = folder + "/run";
  plan.first_attempt = NextAttempt(*MakeRealFileSystem(), plan.run_directory);
  plan.max_restarts = std::stoi(arguments[1]);
  plan.trainer = {.name = "trainer",
                  .argv = {self, "--child=trainer", folder, std::to_string(plan.trainer_port)},
                  .environment = {{"PONDER_TEST_VARIABLE", "1"}},
                  .death_signal = SIGTERM,
                  .is_launcher = true};
  plan.trainer.argv.insert(plan.trainer.argv.end(), arguments.begin() + 3, arguments.end());
  ChildSpec worker;
  worker.name = "worker0";
  worker.argv = {self, "--child=worker", folder, arguments[2]};
  plan.services.push_back(worker);
  const SupervisorLimits limits{
      .health = milliseconds(2000),
      .leave = milliseconds(200),
      .grace = milliseconds(4000),
      .backoff = {
          .first = milliseconds(10), .longest = milliseconds(100), .steady = milliseconds(5000)}};
  const auto files = MakeRealFileSystem();
  ExperimentConfig config;
  config.run = {.name = "run", .dir = folder};
  Console console(WantsLiveView(), /*log_fd=*/-1);
  RunReporter reporter(*files, config, console);
  return Supervisor(plan, limits, *files, reporter).Run();
}

}  // namespace

std::optional<int> RunAsChild(int argc, char** argv) {
  const std::string role = argc > 1 ? argv[1] : "";
  if (role.rfind("--child=", 0) != 0) return std::nullopt;
  const std::vector<std::string> arguments(argv + 2, argv + argc);
  if (role == "--child=trainer") return RunTrainer(arguments);
  if (role == "--child=worker") return RunWorker(arguments);
  if (role == "--child=supervisor") return RunSupervisor(arguments);
  return 2;
}

}  // namespace ponder
