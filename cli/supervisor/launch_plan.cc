#include "cli/supervisor/launch_plan.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <sstream>

#include "cli/supervisor/process_log.h"
#include "core/base/error.h"

namespace ponder {
namespace {

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::string RequireProgram(const std::string& bin_directory, const std::string& name) {
  std::string path = bin_directory + "/" + name;
  if (access(path.c_str(), X_OK) != 0) {
    throw Error(Condition::kUsage, "start of " + name + ": expected the program " + path +
                                       ", got: " + std::strerror(errno) +
                                       " (build or install all of Ponder into one folder)");
  }
  return path;
}

void RequireInPath(const std::string& name, const std::string& hint) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  std::string folder;
  while (std::getline(folders, folder, ':')) {
    if (access((folder + "/" + name).c_str(), X_OK) == 0) return;
  }
  throw Error(Condition::kUsage, "start of " + name + ": not found in PATH (" + hint + ")");
}

}  // namespace

ChildSpec MpirunSpec(int64_t num_ranks) {
  ChildSpec spec;
  spec.name = "mpirun";
  // More ranks than cores, a fast start over shared memory, no busy waiting.
  spec.argv = {"mpirun",
               "--oversubscribe",
               "--bind-to",
               "none",
               "--mca",
               "pml",
               "ob1",
               "--mca",
               "btl",
               "self,vader",
               "--mca",
               "mpi_yield_when_idle",
               "1",
               "-np",
               std::to_string(num_ranks)};
  spec.is_launcher = true;
  // Lets mpirun end its ranks, which are not this process's children.
  spec.death_signal = SIGTERM;
  if (geteuid() == 0) {
    spec.environment = {{"OMPI_ALLOW_RUN_AS_ROOT", "1"}, {"OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1"}};
  }
  return spec;
}

LaunchPlan MakeLaunchPlan(const ExperimentConfig& config, const std::string& config_path,
                          const std::vector<std::string>& overrides,
                          const std::string& bin_directory, uint16_t trainer_port, bool live_view) {
  RequireInPath("mpirun", "install openmpi-bin");
  const std::string address = "127.0.0.1:" + std::to_string(trainer_port);
  LaunchPlan plan;
  plan.trainer_port = trainer_port;
  plan.run_directory = config.RunDirectory();
  plan.max_restarts = config.launch.max_restarts;

  ChildSpec& trainer = plan.trainer;
  trainer = MpirunSpec(config.launch.trainer_ranks);
  trainer.name = "trainer";
  trainer.argv.insert(trainer.argv.end(), {"--output-filename", ""});
  plan.rank_logs_argument = trainer.argv.size() - 1;
  for (const std::string& word :
       {RequireProgram(bin_directory, "ponder_trainer"), std::string("--config"), config_path,
        std::string("--listen"), address}) {
    trainer.argv.push_back(word);
  }
  for (const std::string& text : overrides) {
    trainer.argv.push_back("--set");
    trainer.argv.push_back(text);
  }
  trainer.environment["PONDER_PROGRESS"] = live_view ? "notes" : "lines";

  const auto add_service = [&](const std::string& program, const std::string& name) {
    ChildSpec service;
    service.name = name;
    service.argv = {RequireProgram(bin_directory, program), "--trainer", address, "--name", name};
    plan.services.push_back(service);
  };
  for (int64_t i = 0; i < config.launch.reward_services; ++i) {
    add_service("ponder_reward", "reward" + std::to_string(i));
  }
  for (int64_t i = 0; i < config.launch.workers; ++i) {
    add_service("ponder_rollout", "worker" + std::to_string(i));
  }
  return plan;
}

uint16_t PickFreeLoopbackPort() {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (!fd.valid() || bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw Error(Condition::kIo,
                std::string("choice of a port on 127.0.0.1: ") + std::strerror(errno));
  }
  return ntohs(address.sin_port);
}

bool AcceptsConnections(uint16_t port) {
  const UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(port);
  // On the loopback interface a connection is accepted or refused at once.
  return fd.valid() &&
         connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

std::string OwnBinDirectory() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) throw Error(Condition::kIo, "read of /proc/self/exe: " + error.message());
  return path.parent_path().string();
}

}  // namespace ponder
