// Collectives between devices over NCCL. One rank per device. NCCL moves bytes only; the sums are
// made in pinned host memory, in rank order.
#include <cuda_runtime_api.h>
#include <nccl.h>

#include <cstdlib>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "trainer/comm/cuda_memory.h"
#include "trainer/comm/exchange_communicator.h"
#include "trainer/comm/pacer.h"

namespace ponder {
namespace {

constexpr uint64_t kBlockBytes = uint64_t{16} << 20;

void CheckVersion() {
  int loaded = 0;
  const ncclResult_t code = ncclGetVersion(&loaded);
  if (code != ncclSuccess || loaded != NCCL_VERSION_CODE) {
    throw Error(Condition::kConfig, "NCCL start: expected library version " +
                                        std::to_string(NCCL_VERSION_CODE) + ", got " +
                                        std::to_string(loaded) +
                                        " (another libnccl comes first on the library path)");
  }
}

// All ranks learn whether every rank has a device, so that none waits for one that gave up.
void CheckDevices(Communicator& mpi) {
  int num_devices = 0;
  const cudaError_t code = cudaGetDeviceCount(&num_devices);
  const bool answers = code == cudaSuccess && num_devices > 0;
  int64_t last_without = answers ? -1 : mpi.rank();
  mpi.AllReduceMax({&last_without, 1, DType::kI64, nullptr});
  if (last_without < 0) return;
  const std::string who =
      "NCCL start: rank " + std::to_string(mpi.rank()) + " of " + std::to_string(mpi.size()) + ": ";
  if (answers) {
    throw Error(Condition::kConfig, who + "expected a CUDA device on every rank, but rank " +
                                        std::to_string(last_without) + " has none");
  }
  const std::string cause = code == cudaSuccess
                                ? "0 devices"
                                : "CUDA error " + std::to_string(static_cast<int>(code)) + ", " +
                                      cudaGetErrorString(code);
  throw Error(Condition::kConfig,
              who + "expected a CUDA device, got " + cause +
                  " (this machine has no usable NVIDIA driver: use the mpi backend here)");
}

class NcclCommunicator final : public ExchangeCommunicator {
 public:
  NcclCommunicator(Communicator& mpi, const CommOptions& options)
      : ExchangeCommunicator(kBlockBytes), mpi_(mpi), timeout_(options.timeout) {
    const Operation operation{"NCCL start", {}};
    ncclUniqueId id{};
    if (mpi_.rank() == 0) CheckCall(ncclGetUniqueId(&id), operation);
    mpi_.Broadcast({&id, sizeof(id), DType::kU8, nullptr}, 0);
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    CheckCall(ncclCommInitRankConfig(&comm_, mpi_.size(), id, mpi_.rank(), &config), operation);
    AwaitCalls(operation);
  }

  ~NcclCommunicator() override {
    if (comm_ == nullptr) return;
    try {
      const Operation operation{"NCCL end", {}};
      CheckCall(ncclCommFinalize(comm_), operation);
      AwaitCalls(operation);
      ncclCommDestroy(comm_);
    } catch (const Error&) {
      // Fail has released the communicator, and an end has nobody left to tell.
    }
  }

  int rank() const override { return mpi_.rank(); }
  int size() const override { return mpi_.size(); }
  std::string_view backend() const override { return "nccl"; }
  void Barrier() override { mpi_.Barrier(); }
  void SetTimeout(std::chrono::milliseconds timeout) override {
    timeout_ = timeout;
    mpi_.SetTimeout(timeout);
  }
  [[noreturn]] void Abort(const std::string& reason, int exit_code) override {
    mpi_.Abort(reason, exit_code);
    std::abort();  // g++ does not see that the call above never returns
  }

 protected:
  void Exchange(std::span<const Transfer> sends, std::span<const Transfer> receives,
                const Operation& operation) override {
    CheckUsable(operation);
    if (sends.empty() && receives.empty()) return;
    const cudaStream_t stream = StreamOf(operation);
    CheckCall(ncclGroupStart(), operation);
    for (const Transfer& transfer : receives) {
      CheckCall(ncclRecv(transfer.data, transfer.bytes, ncclUint8, transfer.peer, comm_, stream),
                operation);
    }
    for (const Transfer& transfer : sends) {
      CheckCall(ncclSend(transfer.data, transfer.bytes, ncclUint8, transfer.peer, comm_, stream),
                operation);
    }
    CheckCall(ncclGroupEnd(), operation);
    AwaitCalls(operation);
    AwaitStream(operation);
  }

  void BroadcastBytes(const Operation& operation, int root, bool patient) override {
    CheckUsable(operation);
    if (patient) {
      // The long wait is MPI's, whose waiting ranks sleep.
      uint8_t ready = 1;
      mpi_.PatientBroadcast({&ready, 1, DType::kU8, nullptr}, root);
    }
    const CommBuffer& buffer = operation.buffer;
    if (buffer.count == 0) return;
    CheckCall(ncclBroadcast(buffer.data, buffer.data, buffer.count * SizeOf(buffer.dtype),
                            ncclUint8, root, comm_, StreamOf(operation)),
              operation);
    AwaitCalls(operation);
    AwaitStream(operation);
  }

  void Fold(std::span<const void* const> pieces, uint64_t count, FoldKind kind, void* out,
            const Operation& operation) override {
    const uint64_t bytes = count * SizeOf(operation.buffer.dtype);
    char* host = host_.Reserve(bytes * pieces.size());
    std::vector<const void*> host_pieces;
    for (const void* piece : pieces) {
      char* place = host + host_pieces.size() * bytes;
      CheckCopy(cudaMemcpyAsync(place, piece, bytes, cudaMemcpyDeviceToHost, StreamOf(operation)),
                operation);
      host_pieces.push_back(place);
    }
    AwaitStream(operation);
    FoldInRankOrder(host_pieces, count, operation.buffer.dtype, kind, host);
    CheckCopy(cudaMemcpyAsync(out, host, bytes, cudaMemcpyHostToDevice, StreamOf(operation)),
              operation);
    AwaitStream(operation);
  }

  void Copy(void* to, const void* from, uint64_t bytes, const Operation& operation) override {
    CheckCopy(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, StreamOf(operation)),
              operation);
    AwaitStream(operation);
  }

  void* Scratch(uint64_t bytes) override { return device_.Reserve(bytes); }

 private:
  static cudaStream_t StreamOf(const Operation& operation) {
    return static_cast<cudaStream_t>(operation.buffer.stream);
  }

  // Releases the communicator, which also ends kernels that wait for a peer.
  [[noreturn]] void Fail(const Operation& operation, const std::string& cause) {
    if (comm_ != nullptr) ncclCommAbort(std::exchange(comm_, nullptr));
    throw CommError(Describe(operation, cause));
  }
  void CheckCall(ncclResult_t code, const Operation& operation) {
    if (code == ncclSuccess || code == ncclInProgress) return;
    Fail(operation,
         std::string("NCCL: ") + ncclGetErrorString(code) + " (" + ncclGetLastError(comm_) + ")");
  }
  void CheckCopy(cudaError_t code, const Operation& operation) {
    if (code != cudaSuccess) Fail(operation, std::string("CUDA: ") + cudaGetErrorString(code));
  }
  void CheckUsable(const Operation& operation) {
    if (comm_ == nullptr) Fail(operation, "not started, since an operation before it failed");
  }

  // Waits until NCCL has taken in the calls made so far: with a non-blocking communicator they
  // return at once.
  void AwaitCalls(const Operation& operation) {
    Pacer pacer({timeout_});
    while (true) {
      ncclResult_t state = ncclSuccess;
      CheckCall(ncclCommGetAsyncError(comm_, &state), operation);
      CheckCall(state, operation);
      if (state == ncclSuccess) return;
      const std::string cause = pacer.Pause();
      if (!cause.empty()) Fail(operation, cause);
    }
  }

  // Waits until the work in the operation's stream is done, while watching for errors of the
  // network.
  void AwaitStream(const Operation& operation) {
    Pacer pacer({timeout_});
    while (true) {
      const cudaError_t done = cudaStreamQuery(StreamOf(operation));
      if (done == cudaSuccess) return;
      if (done != cudaErrorNotReady) CheckCopy(done, operation);
      ncclResult_t state = ncclSuccess;
      CheckCall(ncclCommGetAsyncError(comm_, &state), operation);
      CheckCall(state, operation);
      const std::string cause = pacer.Pause();
      if (!cause.empty()) Fail(operation, cause);
    }
  }

  Communicator& mpi_;
  std::chrono::milliseconds timeout_;
  ncclComm_t comm_ = nullptr;
  DeviceMemory device_;
  PinnedMemory host_;
};

}  // namespace

std::unique_ptr<Communicator> MakeNcclCommunicator(Communicator& mpi, const CommOptions& options) {
  CheckVersion();
  CheckDevices(mpi);
  return std::make_unique<NcclCommunicator>(mpi, options);
}

}  // namespace ponder
