// Hears of every version of a model that the trainer announces.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "core/base/log.h"
#include "core/base/rpc.h"
#include "ponder/v1/model.grpc.pb.h"
#include "rollout/call_canceller.h"

namespace ponder {

// Follows Model.Watch, again when the stream breaks; each time it hears of all versions that can
// still be fetched. The thread starts in the constructor and ends in the destructor.
class ModelWatch {
 public:
  // `announced` is called by this object's thread; what it throws breaks the stream off and is
  // logged. `log` is borrowed.
  ModelWatch(std::shared_ptr<grpc::Channel> channel, std::string session, std::string model,
             std::function<void(const v1::ModelInfo&)> announced, const Log& log);
  ~ModelWatch();
  ModelWatch(const ModelWatch&) = delete;
  ModelWatch& operator=(const ModelWatch&) = delete;

 private:
  void Run();
  // Follows one stream until it ends.
  void Follow();

  const std::unique_ptr<v1::Model::Stub> stub_;
  const std::string session_;
  const std::string model_;
  const std::function<void(const v1::ModelInfo&)> announced_;
  const Log& log_;
  std::atomic<bool> stopping_{false};
  Mutex mutex_;
  CondVar stopped_;
  CallCanceller canceller_;
  std::thread thread_;  // last: starts when everything else is ready
};

}  // namespace ponder
