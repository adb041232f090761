// ponder_rollout: a rollout worker.
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/base/health_server.h"
#include "core/base/program.h"
#include "core/base/runtime_libraries.h"
#include "core/base/signals.h"
#include "core/usage/option_checks.h"
#include "core/usage/usage.h"
#include "rollout/worker.h"

namespace ponder {
namespace {

int Run(int argc, char** argv) {
  // Answers `ponder doctor`. Not in --help: nobody else needs it.
  if (argc == 2 && std::string_view(argv[1]) == "--self-test") {
    std::printf("%s\n", RuntimeLibrariesJson(LoadedRuntimeLibraries()).c_str());
    return 0;
  }
  WorkerOptions options;
  double connect_timeout_s = 60;
  double reconnect_timeout_s = 600;
  int threads = 1;
  bool allow_remote = false;
  std::string health_address;
  CLI::App app{
      "Samples chains of thought for a trainer. Any number of workers may join and leave."};
  app.name("ponder_rollout");
  UseHelpStyle(app);
  app.set_version_flag("--version", VersionText("ponder_rollout"));
  app.add_option("--trainer", options.trainer, "host:port of trainer rank 0")
      ->required()
      ->group("Connection");
  app.add_option("--name", options.name, "Stable name; a newcomer of the same name takes over")
      ->default_str("HOST-PID-RANDOM")
      ->group("Connection");
  app.add_option("--threads", threads, "LibTorch threads")
      ->capture_default_str()
      ->check(WholeNumber({.min = 1, .max = 1024}))
      ->group("Sampling");
  app.add_option("--connect-timeout", connect_timeout_s,
                 "Seconds to wait for the trainer to answer the first time")
      ->capture_default_str()
      ->check(RealNumber({.min = 0, .max = 1e6}))
      ->group("Connection");
  app.add_option("--reconnect-timeout", reconnect_timeout_s,
                 "Seconds to wait for a trainer that went away; then the exit code is 75")
      ->capture_default_str()
      ->check(RealNumber({.min = 0, .max = 1e6}))
      ->group("Connection");
  app.add_option("--listen", health_address, "host:port to answer health checks on; none if absent")
      ->group("Connection");
  app.add_flag("--insecure-allow-remote", allow_remote,
               "Allow addresses beyond this machine; the connection is not encrypted")
      ->group("Connection");
  app.footer("Example: ponder_rollout --trainer 127.0.0.1:5005");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ReportUsage(app, error, argc, argv);
  }
  options.connect_timeout = Milliseconds(connect_timeout_s);
  if (!health_address.empty()) CheckListenAddress(health_address, allow_remote);
  ConfigureFailpoints("worker", /*rank=*/-1);
  at::set_num_threads(threads);
  const SignalWatcher signals;
  const Log log("worker", /*rank=*/-1);
  TcpChannelFactory channels(allow_remote);
  std::optional<HealthServer> health;
  if (!health_address.empty()) health.emplace(health_address);
  while (true) {
    Worker worker(options, channels, log, [&signals] { return signals.stop_requested(); });
    switch (worker.Run()) {
      case WorkerEnd::kRunEnded:
        log.Info("the run has ended");
        return 0;
      case WorkerEnd::kStopped:
        log.Info("stopped as asked");
        return 0;
      case WorkerEnd::kRegisterAgain:
        options.connect_timeout = Milliseconds(reconnect_timeout_s);
        break;
    }
  }
}

}  // namespace
}  // namespace ponder

int main(int argc, char** argv) { return ponder::RunMain("worker", argc, argv, ponder::Run); }
