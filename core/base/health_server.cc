#include "core/base/health_server.h"

#include <grpcpp/health_check_service_interface.h>

#include <chrono>

#include "core/base/rpc.h"

namespace ponder {
namespace {

constexpr auto kDrainLimit = std::chrono::seconds(1);

}  // namespace

HealthServer::HealthServer(const std::string& address) {
  grpc::ServerBuilder builder;
  ConfigureServer(builder);
  builder.RegisterCallbackGenericService(&none_);
  server_ = StartServer(builder, address, &port_);
  server_->GetHealthCheckService()->SetServingStatus(true);
}

HealthServer::~HealthServer() { server_->Shutdown(std::chrono::system_clock::now() + kDrainLimit); }

}  // namespace ponder
