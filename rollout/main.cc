// ponder_rollout: a rollout worker.
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <string>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/base/program.h"
#include "core/base/signals.h"
#include "rollout/worker.h"

namespace ponder {
namespace {

int Run(int argc, char** argv) {
  WorkerOptions options;
  double connect_timeout_s = 60;
  int threads = 1;
  bool allow_remote = false;
  CLI::App app{
      "Samples chains of thought for a trainer. Any number of workers may join and leave."};
  app.name("ponder_rollout");
  app.set_version_flag("--version", VersionText("ponder_rollout"));
  app.add_option("--trainer", options.trainer, "host:port of trainer rank 0")->required();
  app.add_option("--name", options.name, "Stable name; a newcomer of the same name takes over")
      ->capture_default_str();
  app.add_option("--threads", threads, "LibTorch threads")->capture_default_str();
  app.add_option("--connect-timeout", connect_timeout_s, "Seconds to wait for the trainer")
      ->capture_default_str();
  app.add_flag("--insecure-allow-remote", allow_remote,
               "Allow addresses beyond this machine; the connection is not encrypted");
  app.footer("Example: ponder_rollout --trainer 127.0.0.1:5005");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : RowOf(Condition::kUsage).exit_code;
  }
  options.connect_timeout =
      std::chrono::milliseconds(static_cast<int64_t>(connect_timeout_s * 1000));
  ConfigureFailpoints("worker", /*rank=*/-1);
  at::set_num_threads(threads);
  const SignalWatcher signals;
  const Log log("worker", /*rank=*/-1);
  TcpChannelFactory channels(allow_remote);
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
        break;
    }
  }
}

}  // namespace
}  // namespace ponder

int main(int argc, char** argv) { return ponder::RunMain("worker", argc, argv, ponder::Run); }
