#include "core/base/rpc.h"

#include <arpa/inet.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <thread>

#include "core/base/philox.h"

namespace ponder {
namespace {

constexpr int kKeepaliveMs = 20'000;
constexpr int kKeepaliveTimeoutMs = 10'000;
constexpr int kMinPingIntervalMs = 10'000;
constexpr int kMaxMetadataBytes = 16 << 10;
// A status travels percent-encoded in the trailers, at worst three bytes for one.
constexpr size_t kMaxStatusTextBytes = 2 << 10;

std::string HostOf(const std::string& address) {
  if (address.starts_with("[")) return address.substr(1, address.find(']') - 1);
  const size_t colon = address.rfind(':');
  // More than one colon without brackets is a bare IPv6 address.
  if (colon == std::string::npos || address.find(':') != colon) return address;
  return address.substr(0, colon);
}

// Sleeps `duration` or until `stop`.
void SleepUnless(const std::function<bool()>& stop, std::chrono::milliseconds duration) {
  constexpr std::chrono::milliseconds kSlice{20};
  for (; duration.count() > 0 && !stop(); duration -= kSlice) {
    std::this_thread::sleep_for(std::min(duration, kSlice));
  }
}

// The condition whose name a peer sent along, or the one that the code stands for.
Condition ConditionOf(const grpc::Status& status) {
  constexpr std::array kAll{
      Condition::kUsage,       Condition::kConfig,         Condition::kBadData,
      Condition::kProtocol,    Condition::kUnknownSession, Condition::kUnavailable,
      Condition::kDeadline,    Condition::kExhausted,      Condition::kIo,
      Condition::kComm,        Condition::kPreempted,      Condition::kDiverged,
      Condition::kInterrupted, Condition::kInternal};
  for (const Condition condition : kAll) {
    if (RowOf(condition).name == status.error_details()) return condition;
  }
  return ConditionOfGrpcCode(status.error_code());
}

}  // namespace

bool IsLoopback(const std::string& address) {
  if (address.starts_with("unix:")) return true;
  const std::string host = HostOf(address);
  if (host == "localhost" || host == "::1") return true;
  // Numbers only: "127.example.org" is a name that anybody may point anywhere.
  in_addr number{};
  return inet_pton(AF_INET, host.c_str(), &number) == 1 && (ntohl(number.s_addr) >> 24) == 127;
}

void CheckListenAddress(const std::string& address, bool allow_remote) {
  if (address.find(':') == std::string::npos) {
    throw Error(Condition::kUsage,
                "--listen: expected HOST:PORT, got '" + address + "' (port 0 picks a free one)");
  }
  if (!allow_remote && !IsLoopback(address)) {
    throw Error(Condition::kUsage,
                "--listen: expected a loopback address, because whoever reaches the port is "
                "trusted and nothing is encrypted, got '" +
                    address +
                    "' (allow it with --insecure-allow-remote on a network that you trust)");
  }
}

std::shared_ptr<grpc::Channel> TcpChannelFactory::Connect(const std::string& address) {
  if (!allow_remote_ && !IsLoopback(address)) {
    throw Error(Condition::kUsage,
                "connecting to " + address +
                    ": expected a loopback address, because the connection is not "
                    "encrypted (allow it with --insecure-allow-remote on a network "
                    "that you trust)");
  }
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // A peer that restarts on the same port is found again within a second.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  // A failed connection asks for the address again, by default at most every 30 s, and no
  // connection is tried before it came.
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, 500);
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

void ConfigureServer(grpc::ServerBuilder& builder) {
  grpc::EnableDefaultHealthCheckService(true);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS,
                             kMinPingIntervalMs);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_METADATA_SIZE, kMaxMetadataBytes);
  // Two servers on one port would share the calls between them in silence.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

std::unique_ptr<grpc::Server> StartServer(grpc::ServerBuilder& builder, const std::string& address,
                                          int* port) {
  *port = 0;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), port);
  std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (server == nullptr || *port == 0) {
    throw Error(Condition::kIo,
                "cannot listen on " + address +
                    ": is the port in use? (choose another one, or port 0 for a free one)");
  }
  return server;
}

grpc::Status StatusOf(const std::exception& error) {
  const auto* known = dynamic_cast<const Error*>(&error);
  const ConditionRow& row = RowOf(known != nullptr ? known->condition() : Condition::kInternal);
  std::string text = error.what();
  if (text.size() > kMaxStatusTextBytes) text = text.substr(0, kMaxStatusTextBytes) + " ...";
  return {static_cast<grpc::StatusCode>(row.grpc_code), text, std::string(row.name)};
}

grpc::Status HandleRpc(const std::function<void()>& body) {
  try {
    body();
    return grpc::Status::OK;
  } catch (const std::exception& error) {
    return StatusOf(error);
  }
}

bool IsRetried(const grpc::Status& status) {
  return status.error_code() == grpc::StatusCode::CANCELLED || RowOf(ConditionOf(status)).retried;
}

void ThrowIfFailed(const grpc::Status& status, const std::string& method, const std::string& peer) {
  if (status.ok()) return;
  const Condition condition = ConditionOf(status);
  throw RpcError(condition, method + " at " + peer + " failed (" +
                                std::string(RowOf(condition).name) +
                                "): " + status.error_message());
}

std::chrono::milliseconds Jittered(std::chrono::milliseconds backoff, uint64_t seed, int tries) {
  const auto words = Philox4x32({static_cast<uint32_t>(tries), 0, 0, 0},
                                {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  const double share = 0.5 + 0.5 * static_cast<double>(words[0]) * 0x1.0p-32;
  return std::chrono::milliseconds(std::llround(share * static_cast<double>(backoff.count())));
}

grpc::Status CallWithRetry(const RetryPolicy& policy, std::chrono::milliseconds deadline,
                           const std::function<bool()>& stop,
                           const std::function<grpc::Status(grpc::ClientContext&)>& call) {
  auto backoff = policy.first_backoff;
  for (int tries = 1;; ++tries) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + deadline);
    grpc::Status status = call(context);
    if (status.ok() || tries >= policy.max_tries || stop()) return status;
    if (!IsRetried(status)) return status;
    SleepUnless(stop, Jittered(backoff, policy.jitter_seed, tries));
    if (stop()) return status;
    backoff = std::min(2 * backoff, policy.max_backoff);
  }
}

}  // namespace ponder
