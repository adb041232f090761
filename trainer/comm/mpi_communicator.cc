// Collectives between processes, in host memory, over non-blocking MPI.
#include <mpi.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <vector>

#include "core/base/error.h"
#include "trainer/comm/exchange_communicator.h"
#include "trainer/comm/mpi_session.h"
#include "trainer/comm/mpi_wait.h"

namespace ponder {
namespace {

constexpr uint64_t kMaxBlockBytes = uint64_t{4} << 20;
constexpr int kTag = 1;
// Of a rank that waits for a step's groups: as rare as a step's latency allows.
constexpr std::chrono::microseconds kPatientSleep{2000};

class MpiCommunicator final : public ExchangeCommunicator {
 public:
  explicit MpiCommunicator(const CommOptions& options)
      : ExchangeCommunicator(std::min(kMaxBlockBytes, options.max_message_bytes)),
        max_message_bytes_(options.max_message_bytes),
        timeout_(options.timeout),
        exceptions_at_start_(std::uncaught_exceptions()) {
    PONDER_CHECK(options.max_message_bytes >= 8 && options.max_message_bytes <= INT_MAX)
        << "max_message_bytes: expected 8.." << INT_MAX << ", got " << options.max_message_bytes;
  }

  ~MpiCommunicator() override {
    if (std::uncaught_exceptions() > exceptions_at_start_) {
      session_.MarkFailed();
      return;
    }
    try {
      Barrier();  // MPI_Finalize waits for all ranks without a limit, so they meet under one first
    } catch (const Error& error) {
      // A job whose ranks did not end together must not look finished.
      Abort(error.what(), error.exit_code());
    }
  }

  int rank() const override { return session_.rank(); }
  int size() const override { return session_.size(); }
  std::string_view backend() const override { return "mpi"; }

  void SetTimeout(std::chrono::milliseconds timeout) override { timeout_ = timeout; }

  void Barrier() override {
    const Operation operation{"Barrier", {}};
    CheckUsable(operation);
    std::vector<MPI_Request> requests(1);
    Check(MPI_Ibarrier(session_.comm(), requests.data()), operation);
    Finish(requests, {timeout_}, operation);
  }

  [[noreturn]] void Abort(const std::string& reason, int exit_code) override {
    std::fprintf(stderr, "rank %d of %d: ends the job with exit code %d: %s\n", rank(), size(),
                 exit_code, reason.c_str());
    std::fflush(nullptr);
    MPI_Abort(session_.comm(), exit_code);
    std::_Exit(exit_code);
  }

 protected:
  void Exchange(std::span<const Transfer> sends, std::span<const Transfer> receives,
                const Operation& operation) override {
    CheckUsable(operation);
    std::vector<MPI_Request> requests;
    std::vector<int> expected;  // bytes of the first requests, which receive
    for (const Transfer& transfer : receives) {
      ForEachMessage(transfer.data, transfer.bytes, [&](void* data, int bytes) {
        requests.emplace_back();
        expected.push_back(bytes);
        Check(MPI_Irecv(data, bytes, MPI_BYTE, transfer.peer, kTag, session_.comm(),
                        &requests.back()),
              operation);
      });
    }
    for (const Transfer& transfer : sends) {
      ForEachMessage(transfer.data, transfer.bytes, [&](void* data, int bytes) {
        requests.emplace_back();
        Check(MPI_Isend(data, bytes, MPI_BYTE, transfer.peer, kTag, session_.comm(),
                        &requests.back()),
              operation);
      });
    }
    const std::vector<MPI_Status> statuses = Finish(requests, {timeout_}, operation);
    for (size_t i = 0; i < expected.size(); ++i) {
      int bytes = 0;
      Check(MPI_Get_count(&statuses[i], MPI_BYTE, &bytes), operation);
      if (bytes != expected[i]) {
        Fail(operation, "expected " + std::to_string(expected[i]) + " bytes from rank " +
                            std::to_string(statuses[i].MPI_SOURCE) + ", got " +
                            std::to_string(bytes) + " (do the ranks agree on the counts?)");
      }
    }
  }

  void BroadcastBytes(const Operation& operation, int root, bool patient) override {
    CheckUsable(operation);
    std::vector<MPI_Request> requests;
    const CommBuffer& buffer = operation.buffer;
    ForEachMessage(buffer.data, buffer.count * SizeOf(buffer.dtype), [&](void* data, int bytes) {
      requests.emplace_back();
      Check(MPI_Ibcast(data, bytes, MPI_BYTE, root, session_.comm(), &requests.back()), operation);
    });
    WaitLimits limits{timeout_};
    if (patient && rank() != root) limits.longest_sleep = kPatientSleep;
    Finish(requests, limits, operation);
  }

  void Fold(std::span<const void* const> pieces, uint64_t count, FoldKind kind, void* out,
            const Operation& operation) override {
    FoldInRankOrder(pieces, count, operation.buffer.dtype, kind, out);
  }

  void Copy(void* to, const void* from, uint64_t bytes, const Operation& /*operation*/) override {
    std::memcpy(to, from, bytes);
  }

  void* Scratch(uint64_t bytes) override {
    if (scratch_.size() * sizeof(uint64_t) < bytes) scratch_.resize((bytes + 7) / 8);
    return scratch_.data();
  }

 private:
  template <typename Body>
  void ForEachMessage(void* data, uint64_t bytes, const Body& body) {
    for (uint64_t begin = 0; begin < bytes; begin += max_message_bytes_) {
      body(static_cast<char*>(data) + begin,
           static_cast<int>(std::min(max_message_bytes_, bytes - begin)));
    }
  }

  [[noreturn]] void Fail(const Operation& operation, const std::string& cause) {
    failed_ = true;
    throw CommError(Describe(operation, cause));
  }
  void Check(int code, const Operation& operation) {
    if (code != MPI_SUCCESS) Fail(operation, MpiErrorText(code));
  }
  void CheckUsable(const Operation& operation) {
    if (failed_) Fail(operation, "not started, since an operation before it failed");
  }
  std::vector<MPI_Status> Finish(std::vector<MPI_Request>& requests, const WaitLimits& limits,
                                 const Operation& operation) {
    std::vector<MPI_Status> statuses;
    if (requests.empty()) return statuses;
    const std::string cause = WaitForAll(requests, limits, &statuses);
    if (!cause.empty()) Fail(operation, cause);
    return statuses;
  }

  const uint64_t max_message_bytes_;
  std::chrono::milliseconds timeout_;
  const int exceptions_at_start_;
  MpiSession session_;
  // Words, so that pieces of every dtype are aligned. Outlives a failed operation, whose messages
  // may still arrive in it.
  std::vector<uint64_t> scratch_;
  bool failed_ = false;
};

}  // namespace

std::unique_ptr<Communicator> MakeMpiCommunicator(const CommOptions& options) {
  return std::make_unique<MpiCommunicator>(options);
}

}  // namespace ponder
