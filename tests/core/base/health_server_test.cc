#include "core/base/health_server.h"

#include <grpcpp/generic/generic_stub.h>
#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>

#include "core/base/error.h"
#include "core/base/rpc.h"

namespace ponder {
namespace {

// The bytes of the HealthCheckResponse of the server at `address`, or the status's text.
std::string AskHealth(const std::string& address) {
  TcpChannelFactory channels(/*allow_remote=*/false);
  grpc::GenericStub stub(channels.Connect(address));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(20));
  const grpc::Slice empty;
  const grpc::ByteBuffer request(&empty, 1);  // a HealthCheckRequest for the server as a whole
  grpc::ByteBuffer reply;
  std::mutex mutex;
  std::condition_variable wake;
  bool done = false;
  grpc::Status status;
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::StubOptions(), &request, &reply,
                 [&](grpc::Status result) {
                   const std::lock_guard lock(mutex);
                   status = std::move(result);
                   done = true;
                   wake.notify_one();
                 });
  std::unique_lock lock(mutex);
  wake.wait(lock, [&] { return done; });
  if (!status.ok()) return status.error_message();
  grpc::Slice bytes;
  EXPECT_TRUE(reply.DumpToSingleSlice(&bytes).ok());
  return {reinterpret_cast<const char*>(bytes.begin()), bytes.size()};
}

TEST(HealthServer, SaysThatItServesUntilItEnds) {
  std::string address;
  {
    const HealthServer server("127.0.0.1:0");
    ASSERT_GT(server.port(), 0);
    address = "127.0.0.1:" + std::to_string(server.port());
    EXPECT_EQ(AskHealth(address), std::string("\x08\x01", 2)) << "HealthCheckResponse{SERVING}";
  }
  EXPECT_NE(AskHealth(address), std::string("\x08\x01", 2));
}

TEST(HealthServer, NamesAnAddressThatIsTaken) {
  const HealthServer server("127.0.0.1:0");
  EXPECT_THROW(HealthServer("127.0.0.1:" + std::to_string(server.port())), Error);
}

}  // namespace
}  // namespace ponder
