// Collectives between the ranks of a trainer. Three backends: local (one rank), MPI (host memory),
// NCCL (device memory, bootstrapped over MPI). Called only from the main thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/weights/flat_layout.h"

namespace ponder {

// `count` elements at `data`. `stream`: the CUDA stream of device memory; null for host memory.
struct CommBuffer {
  void* data = nullptr;
  uint64_t count = 0;
  DType dtype = DType::kF32;
  void* stream = nullptr;
};

// Every method is collective: all ranks call it with matching counts and dtypes, and it returns
// when this rank's part is complete (device memory included). A failure or a passed deadline throws
// CommError
// ("rank 1 of 2: AllReduceSum of 114688 F32: no answer for 600.0 s (a peer died or hangs)"); from
// then on every operation throws, and the caller must end the job with Abort: nothing ever hangs.
// Buffers of a failed operation may still be written to until then. Wrong arguments throw
// Error(kInternal). Reductions exchange shards and sum in rank order: deterministic, the same bytes
// on every rank. A NaN of any rank wins a maximum. Supported dtypes of reductions: F32, F64, I64.
// Others: any.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual std::string_view backend() const = 0;  // "local", "mpi", "nccl"

  virtual void Broadcast(const CommBuffer& buffer, int root) = 0;
  // In place.
  virtual void AllReduceSum(const CommBuffer& buffer) = 0;
  // In place, maximum instead of sum.
  virtual void AllReduceMax(const CommBuffer& buffer) = 0;
  // `input` holds the concatenated ranges of all ranks (sizes `counts`, one per rank); `output`
  // receives the sum over ranks of this rank's range. They must not overlap.
  virtual void ReduceScatterSum(const CommBuffer& input, const CommBuffer& output,
                                std::span<const uint64_t> counts) = 0;
  // The inverse: every rank's `input` range is gathered into `output` on every rank. `input` may
  // lie at its own place inside `output`.
  virtual void AllGather(const CommBuffer& input, const CommBuffer& output,
                         std::span<const uint64_t> counts) = 0;
  // Like Broadcast, but meant for long waits for `root`: polls between short sleeps, so that a
  // waiting rank leaves its core to others. The deadline is that of every operation: a root that is
  // busy for longer says so by broadcasts in between.
  virtual void PatientBroadcast(const CommBuffer& buffer, int root) = 0;
  virtual void Barrier() = 0;
  // The limit of every later operation: a run starts with the default, and learns the experiment's
  // from rank 0. Not collective by itself; set alike on all ranks.
  virtual void SetTimeout(std::chrono::milliseconds timeout) = 0;
  // Ends every rank of the job with `exit_code` (MPI_Abort). Never returns for MPI; local throws
  // CommError.
  [[noreturn]] virtual void Abort(const std::string& reason, int exit_code) = 0;
};

// Limits and pacing.
struct CommOptions {
  std::chrono::milliseconds timeout{600'000};  // of one operation
  // Longer messages are cut into pieces. MPI counts are 32-bit: at most INT_MAX. Alike on all
  // ranks.
  uint64_t max_message_bytes = uint64_t{1} << 30;
};

// One rank, no peers. Any operation is a copy or nothing.
std::unique_ptr<Communicator> MakeLocalCommunicator();

// Owns MPI_Init_thread(FUNNELED, checked) and MPI_Finalize of the process: at most one at a time.
// Sets an error handler that returns codes. Throws CommError when MPI cannot start, and
// Error(kConfig) when the launcher started several processes but MPI sees one (mpirun of another
// MPI installation). Destroyed after a failure or by an exception it does not finalize, since that
// would wait for the peers; mpirun then ends the job when the process exits.
std::unique_ptr<Communicator> MakeMpiCommunicator(const CommOptions& options);

// Device tensors over NCCL, bootstrapped over `mpi` (borrowed, must outlive). Uses the calling
// thread's current CUDA device, one per rank. Asserts that the loaded library is the compiled-in
// version. Throws Error(kConfig) with a clear text on every rank when any of them finds no CUDA
// device. Reductions stage through pinned host memory: NCCL carries the shards between devices, the
// host sums them in rank order. NCCL's own reductions order the sum by topology, which is not the
// promise made above.
std::unique_ptr<Communicator> MakeNcclCommunicator(Communicator& mpi, const CommOptions& options);

// [begin, end) of `rank` in `total` elements cut into `size` nearly equal ranges of the canonical
// order.
struct ShardRange {
  uint64_t begin = 0;
  uint64_t end = 0;
  uint64_t size() const { return end - begin; }
};
ShardRange ShardOf(uint64_t total, int rank, int size);

}  // namespace ponder
