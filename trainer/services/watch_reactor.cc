#include "trainer/services/watch_reactor.h"

#include <utility>

#include "core/base/wire.h"

namespace ponder {

WatchReactor* WatchReactor::Start(SnapshotStore& store, const std::string& model) {
  std::shared_ptr<WatchReactor> reactor(new WatchReactor(store, model));
  WatchReactor* raw = reactor.get();
  raw->self_ = reactor;
  store.Watch(reactor);
  return raw;
}

void WatchReactor::Enqueue(SnapshotPtr snapshot, size_t num_kept) {
  MutexLock lock(mutex_);
  queue_.push_back(std::move(snapshot));
  while (queue_.size() > num_kept) queue_.pop_front();
}

void WatchReactor::EnqueueEnd() {
  MutexLock lock(mutex_);
  ending_ = true;
}

// `busy_` is the right to call into gRPC: whoever sets it makes the one call that is then
// outstanding.
void WatchReactor::Pump() {
  SnapshotPtr next;
  bool cancelled = false;
  {
    MutexLock lock(mutex_);
    if (busy_) return;
    cancelled = cancelled_;
    if (!cancelled_ && !queue_.empty()) {
      next = std::move(queue_.front());
      queue_.pop_front();
    } else if (!cancelled_ && !ending_) {
      return;
    }
    busy_ = true;
  }
  if (next == nullptr) {
    Finish(cancelled ? grpc::Status(grpc::StatusCode::CANCELLED, "watching: the caller went away")
                     : grpc::Status::OK);
    return;
  }
  *message_.mutable_identity() = ToWire(next->identity);
  message_.set_config_json(next->config_json);
  message_.set_layout_json(next->layout.ToJson());
  message_.set_total_bytes(next->bytes.size());
  message_.set_kernel_path(next->kernel_path);
  StartWrite(&message_);
}

void WatchReactor::OnWriteDone(bool ok) {
  {
    MutexLock lock(mutex_);
    busy_ = false;
    if (!ok) cancelled_ = true;
  }
  Pump();
}

void WatchReactor::OnCancel() {
  {
    MutexLock lock(mutex_);
    cancelled_ = true;
  }
  Pump();
}

void WatchReactor::OnDone() {
  store_.Unwatch(this);
  const std::shared_ptr<WatchReactor> last = std::move(self_);
}

}  // namespace ponder
