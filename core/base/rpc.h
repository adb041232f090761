// Helpers that every client and server uses: channels with keepalive, deadlines, retries, and the
// one function that turns exceptions into statuses.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/base/error.h"

namespace ponder {

inline constexpr int kMaxMessageBytes = 16 << 20;
inline constexpr size_t kWeightChunkBytes = 1 << 20;

// The channel seam: programs get stubs' channels through it, tests give in-process ones. Thread
// safe.
class ChannelFactory {
 public:
  virtual ~ChannelFactory() = default;
  virtual std::shared_ptr<grpc::Channel> Connect(const std::string& address) = 0;
};

// Insecure TCP channels with keepalive 20 s / 10 s. Refuses a non-loopback address unless
// `allow_remote` (there is no transport security on this path).
class TcpChannelFactory : public ChannelFactory {
 public:
  explicit TcpChannelFactory(bool allow_remote) : allow_remote_(allow_remote) {}
  std::shared_ptr<grpc::Channel> Connect(const std::string& address) override;

 private:
  const bool allow_remote_;
};

// Sets limits, keepalive and health checking on a server under construction.
void ConfigureServer(grpc::ServerBuilder& builder);

// Throws Error(kUsage) unless a server may listen on `address`: HOST:PORT with a loopback host, or
// with any host when `allow_remote`.
void CheckListenAddress(const std::string& address, bool allow_remote);

// True for 127.0.0.0/8, ::1, localhost and unix: addresses, with or without a port.
bool IsLoopback(const std::string& address);

// Starts `builder`'s server on `address` ("host:port", port 0 picks one) and returns the bound port
// in `port`. Throws Error(kIo) "cannot listen on ...: is the port in use?".
std::unique_ptr<grpc::Server> StartServer(grpc::ServerBuilder& builder, const std::string& address,
                                          int* port);

// The status of an exception (via the table in error.h); the condition's name is in error_details,
// because several conditions share a gRPC code. A long text is cut, so that headers stay small.
grpc::Status StatusOf(const std::exception& error);
// Runs `body`; OK when it returns, StatusOf what it throws otherwise. Every service method is one
// call.
grpc::Status HandleRpc(const std::function<void()>& body);
// May a client send the request again? By the table in error.h; and after CANCELLED, which a server
// answers while it shuts down: ask only about calls that nobody cancels on this side.
bool IsRetried(const grpc::Status& status);
// Throws RpcError naming method and peer unless `status` is OK.
void ThrowIfFailed(const grpc::Status& status, const std::string& method, const std::string& peer);

// Half of `backoff` or more, drawn by (seed, tries), so that clients that failed together do not
// come back together.
std::chrono::milliseconds Jittered(std::chrono::milliseconds backoff, uint64_t seed, int tries);

struct RetryPolicy {
  int max_tries = 5;
  std::chrono::milliseconds first_backoff{50};
  std::chrono::milliseconds max_backoff{2000};
  // Each wait is drawn between half of the backoff and all of it. Callers with different seeds do
  // not come back at the same time.
  uint64_t jitter_seed = 0;
};

// Calls `call` with a fresh ClientContext (deadline `deadline` from now) until it answers with a
// status that the table does not retry, or tries run out; waits twice as long after each try.
// CANCELLED, which a server answers while it shuts down, is tried again: `call` must not cancel.
// Returns the last status. Once `stop` is true it makes no further try.
grpc::Status CallWithRetry(const RetryPolicy& policy, std::chrono::milliseconds deadline,
                           const std::function<bool()>& stop,
                           const std::function<grpc::Status(grpc::ClientContext&)>& call);

}  // namespace ponder
