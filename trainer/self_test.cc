#include "trainer/self_test.h"

#include <ATen/Version.h>
#include <cuda_runtime_api.h>
#include <dlfcn.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>
#include <mpi.h>
#include <nccl.h>
#include <torch/headeronly/version.h>

#include <array>
#include <future>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/health_server.h"
#include "core/base/program.h"
#include "core/base/rpc.h"
#include "core/base/runtime_libraries.h"
#include "tasks/task.h"
#include "trainer/initial_model.h"

namespace ponder {
namespace {

using nlohmann::json;

constexpr auto kCallDeadline = std::chrono::seconds(5);

std::string CudaVersionText(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

std::string NcclVersionText(int version) {
  return std::to_string(version / 10000) + "." + std::to_string(version / 100 % 100) + "." +
         std::to_string(version % 100);
}

json Versions() {
  json versions{{"ponder", VersionText("ponder_trainer")},
                {"torch", TORCH_VERSION},
                {"cpu_capability", at::get_cpu_capability()}};
  std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
  int length = 0;
  if (MPI_Get_library_version(text.data(), &length) == MPI_SUCCESS) {
    const std::string all(text.data(), static_cast<size_t>(length));
    versions["mpi"] = all.substr(0, all.find(','));
  }
  int version = 0;
  if (ncclGetVersion(&version) == ncclSuccess) versions["nccl"] = NcclVersionText(version);
  if (cudaRuntimeGetVersion(&version) == cudaSuccess) {
    versions["cuda_runtime"] = CudaVersionText(version);
  }
  return versions;
}

json Devices() {
  json devices;
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL);
  devices["driver_library"] = driver != nullptr;
  int version = 0;
  if (cudaDriverGetVersion(&version) == cudaSuccess && version > 0) {
    devices["driver_cuda"] = CudaVersionText(version);
  }
  int count = 0;
  const cudaError_t code = cudaGetDeviceCount(&count);
  devices["count"] = code == cudaSuccess ? count : 0;
  if (code != cudaSuccess) devices["error"] = cudaGetErrorString(code);
  if (driver != nullptr) dlclose(driver);
  return devices;
}

// Asks the health service of a server in this process, over a real connection.
json GrpcRoundTrip() {
  const HealthServer server("127.0.0.1:0");
  TcpChannelFactory channels(/*allow_remote=*/false);
  grpc::GenericStub stub(channels.Connect("127.0.0.1:" + std::to_string(server.port())));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kCallDeadline);
  const grpc::ByteBuffer request(nullptr, 0);  // an empty message: the whole server
  grpc::ByteBuffer reply;
  std::promise<grpc::Status> done;
  const auto begin = std::chrono::steady_clock::now();
  stub.UnaryCall(&context, "/grpc.health.v1.Health/Check", grpc::StubOptions(), &request, &reply,
                 [&done](grpc::Status status) { done.set_value(std::move(status)); });
  const grpc::Status status = done.get_future().get();  // by the deadline of the call
  const std::chrono::duration<double, std::milli> elapsed =
      std::chrono::steady_clock::now() - begin;
  if (!status.ok()) return {{"error", status.error_message()}};
  return {{"round_trip_ms", elapsed.count()}};
}

template <typename Part>
json Tried(const Part& part) {
  try {
    return part();
  } catch (const Error& error) {
    return {{"error", error.what()}};
  }
}

}  // namespace

std::string SelfTestJson(Communicator& comm) {
  double sum = comm.rank() + 1;
  comm.AllReduceSum({&sum, 1, DType::kF64, nullptr});
  const int size = comm.size();
  json answer{{"backend", comm.backend()},
              {"ranks", size},
              {"sum", sum},
              {"expected_sum", size * (size + 1) / 2}};
  if (comm.rank() != 0) return {};
  answer["versions"] = Versions();
  answer["devices"] = Devices();
  answer["grpc"] = Tried(GrpcRoundTrip);
  answer["libraries"] = LoadedRuntimeLibraries();
  return answer.dump();
}

std::string DescribeModels(FileSystem& files, const ExperimentConfig& config) {
  const uint32_t vocab_size = MakeTask(config.tasks.front())->tokenizer().vocab_size();
  const DecoderConfig decoder = InitialDecoder(files, config, vocab_size);
  const json model{{"num_parameters", decoder.num_parameters()},
                   {"vocab_size", decoder.vocab_size},
                   {"max_positions", decoder.max_positions}};
  return json{{config.models.front().name, model}}.dump();
}

}  // namespace ponder
