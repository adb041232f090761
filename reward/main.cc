// ponder_reward: a reward service.
#include <CLI/CLI.hpp>
#include <string>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/base/program.h"
#include "core/base/signals.h"
#include "core/usage/option_checks.h"
#include "core/usage/usage.h"
#include "reward/service/reward_host.h"

namespace ponder {
namespace {

// Peers get the host of --listen to call, so it must be one that they can reach.
void CheckHostIsNamed(const std::string& listen) {
  if (!listen.starts_with("0.0.0.0:") && !listen.starts_with("[::]:")) return;
  throw Error(Condition::kUsage, "--listen: expected an address that peers can call, got '" +
                                     listen + "' (name this machine's address)");
}

int Run(int argc, char** argv) {
  RewardHostOptions options;
  double connect_timeout_s = 60;
  double reconnect_timeout_s = 600;
  bool allow_remote = false;
  CLI::App app{"Judges sampled answers for a run. Start as many as scoring needs."};
  app.name("ponder_reward");
  UseHelpStyle(app);
  app.set_version_flag("--version", VersionText("ponder_reward"));
  app.add_option("--trainer", options.trainer, "host:port of trainer rank 0")
      ->required()
      ->group("Connection");
  app.add_option("--listen", options.listen, "host:port to serve on; port 0 picks a free one")
      ->capture_default_str()
      ->group("Connection");
  app.add_option("--name", options.name, "Stable name; a newcomer of the same name takes over")
      ->default_str("HOST-PID-RANDOM")
      ->group("Connection");
  app.add_option("--threads", options.num_threads, "Scoring threads")
      ->capture_default_str()
      ->check(WholeNumber({.min = 1, .max = 256}))
      ->group("Scoring");
  app.add_option("--queue", options.max_queued, "Requests that may wait for a thread")
      ->capture_default_str()
      ->check(WholeNumber({.min = 1, .max = 65536}))
      ->group("Scoring");
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
  app.add_flag("--insecure-allow-remote", allow_remote,
               "Allow addresses beyond this machine; the connection is not encrypted")
      ->group("Connection");
  app.footer("Example: ponder_reward --trainer 127.0.0.1:5005 --threads 2");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ReportUsage(app, error, argc, argv);
  }
  options.connect_timeout = Milliseconds(connect_timeout_s);
  options.reconnect_timeout = Milliseconds(reconnect_timeout_s);
  CheckListenAddress(options.listen, allow_remote);
  CheckHostIsNamed(options.listen);
  ConfigureFailpoints("reward", /*rank=*/-1);
  const SignalWatcher signals;
  const Log log("reward", /*rank=*/-1);
  TcpChannelFactory channels(allow_remote);
  RewardHost(
      options, channels, [&signals] { return signals.stop_requested(); }, log)
      .Run();
  log.Info(signals.stop_requested() ? "stopped as asked" : "the run has ended");
  return 0;
}

}  // namespace
}  // namespace ponder

int main(int argc, char** argv) { return ponder::RunMain("reward", argc, argv, ponder::Run); }
