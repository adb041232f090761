#include "reward/service/reward_host.h"

#include <grpcpp/health_check_service_interface.h>

#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/session_client.h"
#include "reward/service/judge.h"

namespace ponder {
namespace {

constexpr auto kPollInterval = std::chrono::milliseconds(50);
constexpr auto kDrainLimit = std::chrono::seconds(5);

}  // namespace

RewardHost::RewardHost(RewardHostOptions options, ChannelFactory& channels,
                       std::function<bool()> stop, const Log& log)
    : options_(std::move(options)),
      channels_(channels),
      stop_(std::move(stop)),
      log_(log),
      service_(options_.num_threads, options_.max_queued) {
  grpc::ServerBuilder builder;
  ConfigureServer(builder);
  builder.RegisterService(&service_);
  int port = 0;
  server_ = StartServer(builder, options_.listen, &port);
  address_ = options_.listen.substr(0, options_.listen.rfind(':') + 1) + std::to_string(port);
  Announce({});
}

RewardHost::~RewardHost() {
  server_->GetHealthCheckService()->SetServingStatus(false);
  server_->Shutdown(std::chrono::system_clock::now() + kDrainLimit);
  server_->Wait();
}

void RewardHost::Announce(JudgedRun run) {
  const bool is_serving = run.score != nullptr;
  service_.Serve(std::move(run));
  server_->GetHealthCheckService()->SetServingStatus(is_serving);
}

void RewardHost::Run() {
  for (bool is_first = true; ServeAttempt(is_first); is_first = false) {
    log_.Info("registering again with the trainer at " + options_.trainer);
  }
}

bool RewardHost::ServeAttempt(bool is_first) {
  std::optional<SessionClient> session;
  try {
    session.emplace(
        channels_.Connect(options_.trainer),
        SessionOptions{.role = v1::ROLE_REWARD,
                       .name = options_.name,
                       .address = address_,
                       .kernel_paths = {}},
        is_first ? options_.connect_timeout : options_.reconnect_timeout, stop_,
        [] { return std::vector<uint64_t>(); }, [](const std::vector<uint64_t>&) {}, log_);
  } catch (const Error& error) {
    if (error.condition() == Condition::kInterrupted) return false;
    throw;
  }
  const Registration& registration = session->registration();
  const ExperimentConfig experiment =
      ParseExperiment(registration.experiment_yaml, "the experiment from the trainer", {});
  Announce({.run_id = registration.run_id,
            .attempt = registration.attempt,
            .score = [judge = std::make_shared<const Judge>(
                          experiment, RewardContext{channels_, log_, stop_, registration.run_id})](
                         const v1::ScoreRequest& request) { return judge->Score(request); }});
  log_.Info("scores on " + address_ + " for run " + registration.run_id + ", attempt " +
            std::to_string(registration.attempt));
  while (!stop_() && !session->run_ended() && !session->is_lost()) {
    std::this_thread::sleep_for(kPollInterval);
  }
  if (stop_() || session->run_ended()) return false;
  Announce({});
  return true;
}

}  // namespace ponder
