// Lets one thread end the call in which another one waits.
#pragma once

#include <grpcpp/grpcpp.h>

// After gRPC's headers.
#include "core/base/mutex.h"

namespace ponder {

// Thread safe. For one call at a time.
class CallCanceller {
 public:
  // Lends a call's context for the length of a scope. The context outlives it.
  class Scope {
   public:
    Scope(CallCanceller& canceller, grpc::ClientContext& context) : canceller_(canceller) {
      MutexLock lock(canceller_.mutex_);
      canceller_.active_ = &context;
      if (canceller_.cancelled_) context.TryCancel();
    }
    ~Scope() {
      MutexLock lock(canceller_.mutex_);
      canceller_.active_ = nullptr;
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    CallCanceller& canceller_;
  };

  // Ends the call in progress and every later one. Does not wait for it.
  void Cancel() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    cancelled_ = true;
    if (active_ != nullptr) active_->TryCancel();
  }

 private:
  Mutex mutex_;
  grpc::ClientContext* active_ GUARDED_BY(mutex_) = nullptr;
  bool cancelled_ GUARDED_BY(mutex_) = false;
};

}  // namespace ponder
