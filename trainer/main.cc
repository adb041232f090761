// ponder_trainer: parses, wires and runs one rank of a training run.
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/base/program.h"
#include "core/base/rpc.h"
#include "core/usage/usage.h"
#include "trainer/group_exchange.h"
#include "trainer/results.h"
#include "trainer/self_test.h"
#include "trainer/trainer.h"

namespace ponder {
namespace {

struct Arguments {
  std::string config_path;
  std::vector<std::string> overrides;
  std::string listen = "127.0.0.1:0";
  bool allow_remote = false;
};

// The communicator of this process: MPI when a launcher started it, local otherwise.
std::unique_ptr<Communicator> MakeCommunicator() {
  const bool under_mpi = std::getenv("OMPI_COMM_WORLD_SIZE") != nullptr ||
                         std::getenv("PMIX_RANK") != nullptr || std::getenv("PMI_RANK") != nullptr;
  return under_mpi ? MakeMpiCommunicator(CommOptions{}) : MakeLocalCommunicator();
}

// Rank 0 reads the file; every rank parses what rank 0 resolved.
ExperimentConfig ReadOnAllRanks(Communicator& comm, const Arguments& arguments) {
  std::string resolved;
  if (comm.rank() == 0) {
    resolved = ResolvedYaml(ReadExperiment(arguments.config_path, arguments.overrides));
  }
  BroadcastString(comm, &resolved, /*patient=*/true);
  return ParseExperiment(resolved, arguments.config_path, {});
}

int RunRank(Communicator& comm, const Arguments& arguments, const SignalWatcher& signals) {
  const Log log("trainer", comm.rank());
  ConfigureFailpoints("trainer", comm.rank());
  at::set_num_threads(1);
  RealClock clock;
  const std::unique_ptr<FileSystem> files = MakeRealFileSystem();
  const ExperimentConfig config = ReadOnAllRanks(comm, arguments);
  comm.SetTimeout(std::chrono::milliseconds(
      static_cast<int64_t>(config.trainer.collective_timeout_s * 1000.0)));

  RunIdentity identity;
  if (comm.rank() == 0) {
    CheckListenAddress(arguments.listen, arguments.allow_remote);
    identity = OpenRunFolder(*files, config, log);
  }
  BroadcastString(comm, &identity.run_id, /*patient=*/false);
  comm.Broadcast({&identity.attempt, 1, DType::kU32, nullptr}, /*root=*/0);

  bool finished = false;
  {
    Trainer trainer(config, {.config_path = arguments.config_path, .listen = arguments.listen},
                    identity, comm, *files, clock, log, signals);
    finished = trainer.Run();
  }
  comm.Barrier();
  if (!finished) {
    // One rank reports the stop: the launcher takes any other failing rank for a second accident.
    if (comm.rank() != 0) return 0;
    return RowOf(signals.signal() == SIGINT ? Condition::kInterrupted : Condition::kPreempted)
        .exit_code;
  }
  // A run that only evaluates has nothing to compare; `ponder eval` shows its metrics.
  const bool trains = std::any_of(config.stages.begin(), config.stages.end(),
                                  [](const StageConfig& stage) { return stage.num_steps > 0; });
  if (comm.rank() == 0 && trains) {
    const std::string results = RenderResults(*files, config, arguments.config_path);
    std::fwrite(results.data(), 1, results.size(), stdout);
    std::fflush(stdout);
  }
  return 0;
}

// Answers `ponder doctor`. Not in --help: nobody else needs it.
int RunSelfTest(Communicator& comm) {
  const std::string answer = SelfTestJson(comm);
  if (comm.rank() == 0) std::printf("%s\n", answer.c_str());
  comm.Barrier();
  return 0;
}

int Run(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--self-test") {
    return RunSelfTest(*MakeCommunicator());
  }
  Arguments arguments;
  bool describes = false;
  CLI::App app{"Trains the policy of an experiment. Start it with mpirun for several ranks."};
  app.name("ponder_trainer");
  UseHelpStyle(app);
  app.set_version_flag("--version", VersionText("ponder_trainer"));
  app.add_option("--config", arguments.config_path, "The experiment (YAML)")
      ->required()
      ->group("Experiment");
  app.add_option("--set", arguments.overrides, "Override a key: stages.reason.num_steps=10")
      ->take_all()
      ->expected(1)
      ->group("Experiment");
  app.add_option("--listen", arguments.listen, "host:port of rank 0; port 0 picks a free one")
      ->capture_default_str()
      ->group("Connection");
  app.add_flag("--describe", describes)->group("");  // answers `ponder inspect`
  app.add_flag("--insecure-allow-remote", arguments.allow_remote,
               "Allow --listen beyond this machine; connections are not encrypted")
      ->group("Connection");
  app.footer("Example: mpirun -np 2 ponder_trainer --config configs/quickstart.yaml");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ReportUsage(app, error, argc, argv);
  }

  if (describes) {
    const ExperimentConfig config = ReadExperiment(arguments.config_path, arguments.overrides);
    std::printf("%s\n", DescribeModels(*MakeRealFileSystem(), config).c_str());
    return 0;
  }
  const SignalWatcher signals;
  const std::unique_ptr<Communicator> comm = MakeCommunicator();
  std::string failure;
  int exit_code = 0;
  try {
    return RunRank(*comm, arguments, signals);
  } catch (const Error& error) {
    failure = error.what();
    exit_code = error.exit_code();
  } catch (const std::exception& error) {
    failure = error.what();
    exit_code = RowOf(Condition::kInternal).exit_code;
  }
  // One rank's failure must end all: the others would wait for it.
  if (comm->size() > 1) comm->Abort(failure, exit_code);
  std::fprintf(stderr, "trainer: error: %s\n", failure.c_str());
  return exit_code;
}

}  // namespace
}  // namespace ponder

int main(int argc, char** argv) { return ponder::RunMain("trainer", argc, argv, ponder::Run); }
