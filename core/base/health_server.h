// Health checks (grpc.health.v1) for a program that serves nothing else.
#pragma once

#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

namespace ponder {

// Answers SERVING from construction to destruction. Thread safe.
class HealthServer {
 public:
  // Throws Error(kIo) when `address` ("host:port", port 0 picks one) cannot be listened on.
  explicit HealthServer(const std::string& address);
  ~HealthServer();
  HealthServer(const HealthServer&) = delete;
  HealthServer& operator=(const HealthServer&) = delete;

  int port() const { return port_; }

 private:
  // gRPC polls a server only for the sake of a service; this one knows no method.
  grpc::CallbackGenericService none_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace ponder
