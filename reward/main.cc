// ponder_reward: a reward service.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <thread>

#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "core/base/program.h"
#include "core/base/session_client.h"
#include "core/base/signals.h"
#include "reward/service/reward_service.h"

namespace ponder {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(50);
constexpr auto kDrainLimit = std::chrono::seconds(5);

struct Arguments {
  std::string trainer;
  std::string listen = "127.0.0.1:0";
  std::string name = "reward0";
  int threads = 1;
  size_t queue = 256;
  double connect_timeout_s = 60;
  bool allow_remote = false;
};

// The address that peers call: the host of --listen with the port that was bound.
std::string PublicAddress(const std::string& listen, int port) {
  return listen.substr(0, listen.rfind(':') + 1) + std::to_string(port);
}

// Serves one attempt of a trainer. True when the run ended or a stop was asked for, false to
// register again.
bool ServeAttempt(const Arguments& arguments, ChannelFactory& channels,
                  const SignalWatcher& signals, const Log& log) {
  const auto stop = [&signals] { return signals.stop_requested(); };
  // The port must be known before registering, the experiment only after: the health service
  // answers first, Score when the experiment is there.
  struct LateService final : v1::Reward::CallbackService {
    grpc::ServerUnaryReactor* Score(grpc::CallbackServerContext* context,
                                    const v1::ScoreRequest* request,
                                    v1::ScoreReply* reply) override {
      if (RewardService* ready = service.load()) return ready->Score(context, request, reply);
      grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
      reactor->Finish(
          StatusOf(Error(Condition::kUnavailable, "scoring a group: still registering")));
      return reactor;
    }
    std::atomic<RewardService*> service{nullptr};
  } entry;
  grpc::ServerBuilder builder;
  ConfigureServer(builder);
  builder.RegisterService(&entry);
  int port = 0;
  const std::unique_ptr<grpc::Server> server = StartServer(builder, arguments.listen, &port);
  const std::string address = PublicAddress(arguments.listen, port);

  SessionClient session(
      channels.Connect(arguments.trainer),
      {.role = v1::ROLE_REWARD, .name = arguments.name, .address = address, .kernel_paths = {}},
      std::chrono::milliseconds(static_cast<int64_t>(arguments.connect_timeout_s * 1000)), stop,
      [] { return std::vector<uint64_t>(); }, [](const std::vector<uint64_t>&) {}, log);
  const Registration& registration = session.registration();
  RewardService service(std::make_shared<Judge>(ParseExperiment(
                            registration.experiment_yaml, "the experiment from the trainer", {})),
                        arguments.threads, arguments.queue);
  entry.service = &service;
  log.Info("scores on " + address + " for run " + registration.run_id + ", attempt " +
           std::to_string(registration.attempt));
  while (!stop() && !session.run_ended() && !session.is_lost()) {
    std::this_thread::sleep_for(kPollInterval);
  }
  server->Shutdown(std::chrono::system_clock::now() + kDrainLimit);
  server->Wait();
  return stop() || session.run_ended();
}

int Run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{"Judges sampled answers for a run. Start as many as scoring needs."};
  app.name("ponder_reward");
  app.set_version_flag("--version", VersionText("ponder_reward"));
  app.add_option("--trainer", arguments.trainer, "host:port of trainer rank 0")->required();
  app.add_option("--listen", arguments.listen, "host:port to serve on; port 0 picks a free one")
      ->capture_default_str();
  app.add_option("--name", arguments.name, "Stable name; a newcomer of the same name takes over")
      ->capture_default_str();
  app.add_option("--threads", arguments.threads, "Scoring threads")
      ->capture_default_str()
      ->check(CLI::Range(1, 256));
  app.add_option("--queue", arguments.queue, "Requests that may wait for a thread")
      ->capture_default_str();
  app.add_option("--connect-timeout", arguments.connect_timeout_s,
                 "Seconds to wait for the trainer")
      ->capture_default_str();
  app.add_flag("--insecure-allow-remote", arguments.allow_remote,
               "Allow addresses beyond this machine; the connection is not encrypted");
  app.footer("Example: ponder_reward --trainer 127.0.0.1:5005 --threads 2");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : RowOf(Condition::kUsage).exit_code;
  }
  ConfigureFailpoints("reward", /*rank=*/-1);
  if (!arguments.allow_remote && !IsLoopback(arguments.listen)) {
    throw Error(Condition::kUsage,
                "listening on " + arguments.listen +
                    ": expected a loopback address, because the connection is not "
                    "encrypted (allow it with --insecure-allow-remote)");
  }
  const SignalWatcher signals;
  const Log log("reward", /*rank=*/-1);
  TcpChannelFactory channels(arguments.allow_remote);
  while (!ServeAttempt(arguments, channels, signals, log)) {
  }
  log.Info("leaving: the run has ended or a stop was asked for");
  return 0;
}

}  // namespace
}  // namespace ponder

int main(int argc, char** argv) { return ponder::RunMain("reward", argc, argv, ponder::Run); }
