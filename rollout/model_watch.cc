#include "rollout/model_watch.h"

#include <utility>

namespace ponder {
namespace {

constexpr auto kReconnectPause = std::chrono::milliseconds(200);

}  // namespace

ModelWatch::ModelWatch(std::shared_ptr<grpc::Channel> channel, std::string session,
                       std::string model, std::function<void(const v1::ModelInfo&)> announced,
                       const Log& log)
    : stub_(v1::Model::NewStub(std::move(channel))),
      session_(std::move(session)),
      model_(std::move(model)),
      announced_(std::move(announced)),
      log_(log),
      thread_([this] { Run(); }) {}

ModelWatch::~ModelWatch() {
  stopping_ = true;
  {
    MutexLock lock(mutex_);
    stopped_.NotifyAll();
  }
  canceller_.Cancel();
  thread_.join();
}

void ModelWatch::Run() {
  while (!stopping_) {
    Follow();
    MutexLock lock(mutex_);
    if (!stopping_) stopped_.WaitFor(mutex_, kReconnectPause);
  }
}

void ModelWatch::Follow() {
  // The stream has no deadline: it lasts as long as the run; keepalive ends it when the peer is
  // gone. How it ended matters to nobody: the session's heartbeat decides what that means.
  grpc::ClientContext context;
  const CallCanceller::Scope scope(canceller_, context);
  v1::WatchRequest request;
  request.set_session(session_);
  request.set_model(model_);
  const auto reader = stub_->Watch(&context, request);
  v1::ModelInfo info;
  try {
    while (reader->Read(&info)) announced_(info);
  } catch (const std::exception& error) {
    log_.Warning(std::string("an announced model cannot be used: ") + error.what());
    context.TryCancel();
  }
  reader->Finish();
}

}  // namespace ponder
