// What the backends share: argument checks, and reductions and gathers as exchanges of shards.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "trainer/comm/communicator.h"
#include "trainer/comm/rank_order_fold.h"

namespace ponder {

// A backend supplies transport and arithmetic; this class decides who sends what to whom. A
// reduction works in blocks, so that its scratch memory is (size - 1) blocks and not a second copy
// of the buffer.
class ExchangeCommunicator : public Communicator {
 public:
  void Broadcast(const CommBuffer& buffer, int root) final;
  void AllReduceSum(const CommBuffer& buffer) final;
  void AllReduceMax(const CommBuffer& buffer) final;
  void ReduceScatterSum(const CommBuffer& input, const CommBuffer& output,
                        std::span<const uint64_t> counts) final;
  void AllGather(const CommBuffer& input, const CommBuffer& output,
                 std::span<const uint64_t> counts) final;
  void PatientBroadcast(const CommBuffer& buffer, int root) final;

 protected:
  // The call in progress, for messages and for its stream.
  struct Operation {
    std::string_view name;
    CommBuffer buffer;
  };
  struct Transfer {
    int peer = 0;
    void* data = nullptr;
    uint64_t bytes = 0;
  };

  // `block_bytes`: of one block of one rank; alike on all ranks.
  explicit ExchangeCommunicator(uint64_t block_bytes) : block_bytes_(block_bytes) {}

  // "rank 1 of 2: AllReduceSum of 114688 F32: CAUSE"
  std::string Describe(const Operation& operation, const std::string& cause) const;

  // Completes all sends and receives; peers differ from this rank. Between a pair of ranks
  // transfers match in order. Throws CommError.
  virtual void Exchange(std::span<const Transfer> sends, std::span<const Transfer> receives,
                        const Operation& operation) = 0;
  // Copies the root's bytes to all. `patient`: waiting ranks sleep. Throws CommError.
  virtual void BroadcastBytes(const Operation& operation, int root, bool patient) = 0;
  // FoldInRankOrder over memory of the backend's kind; complete on return.
  virtual void Fold(std::span<const void* const> pieces, uint64_t count, FoldKind kind, void* out,
                    const Operation& operation) = 0;
  // Copies within memory of the backend's kind, without overlap. Complete on return.
  virtual void Copy(void* to, const void* from, uint64_t bytes, const Operation& operation) = 0;
  // Memory of the backend's kind, owned by it, valid until the next call with a larger size.
  virtual void* Scratch(uint64_t bytes) = 0;

 private:
  void AllReduce(std::string_view name, const CommBuffer& buffer, FoldKind kind);
  // Leaves the fold over ranks of this rank's range at `out`, which may be its own place in
  // `input`.
  void ReduceRanges(void* input, void* out, std::span<const uint64_t> counts, FoldKind kind,
                    const Operation& operation);
  // Sends this rank's range in `data` to all and receives theirs at their places.
  void GatherRanges(void* data, std::span<const uint64_t> counts, const Operation& operation);
  void CheckRoot(std::string_view name, const CommBuffer& buffer, int root) const;
  void CheckRanges(std::string_view name, const CommBuffer& whole, const CommBuffer& own,
                   std::span<const uint64_t> counts) const;

  const uint64_t block_bytes_;
};

}  // namespace ponder
