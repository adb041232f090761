#include "trainer/comm/exchange_communicator.h"

#include <algorithm>
#include <numeric>
#include <sstream>

#include "core/base/error.h"
#include "core/base/failpoint.h"

namespace ponder {
namespace {

// Element offsets of the ranges, and the total as last entry.
std::vector<uint64_t> OffsetsOf(std::span<const uint64_t> counts) {
  std::vector<uint64_t> offsets(counts.size() + 1, 0);
  std::partial_sum(counts.begin(), counts.end(), offsets.begin() + 1);
  return offsets;
}

void* At(void* data, uint64_t bytes) { return static_cast<char*>(data) + bytes; }

}  // namespace

ShardRange ShardOf(uint64_t total, int rank, int size) {
  PONDER_CHECK(size >= 1 && rank >= 0 && rank < size)
      << "shard of rank " << rank << " in a world of " << size;
  const auto index = static_cast<uint64_t>(rank);
  const uint64_t base = total / static_cast<uint64_t>(size);
  const uint64_t longer = total % static_cast<uint64_t>(size);  // the first ranges get one more
  const uint64_t begin = index * base + std::min(index, longer);
  return {begin, begin + base + (index < longer ? 1 : 0)};
}

std::string ExchangeCommunicator::Describe(const Operation& operation,
                                           const std::string& cause) const {
  std::ostringstream text;
  text << "rank " << rank() << " of " << size() << ": " << operation.name;
  if (operation.buffer.data != nullptr || operation.buffer.count > 0) {
    text << " of " << operation.buffer.count << " " << NameOf(operation.buffer.dtype);
  }
  text << ": " << cause;
  return text.str();
}

void ExchangeCommunicator::Broadcast(const CommBuffer& buffer, int root) {
  PONDER_FAILPOINT("comm.broadcast");
  CheckRoot("Broadcast", buffer, root);
  BroadcastBytes({"Broadcast", buffer}, root, /*patient=*/false);
}

void ExchangeCommunicator::PatientBroadcast(const CommBuffer& buffer, int root) {
  PONDER_FAILPOINT("comm.broadcast");
  CheckRoot("PatientBroadcast", buffer, root);
  BroadcastBytes({"PatientBroadcast", buffer}, root, /*patient=*/true);
}

void ExchangeCommunicator::AllReduceSum(const CommBuffer& buffer) {
  PONDER_FAILPOINT("comm.reduce");
  AllReduce("AllReduceSum", buffer, FoldKind::kSum);
}

void ExchangeCommunicator::AllReduceMax(const CommBuffer& buffer) {
  AllReduce("AllReduceMax", buffer, FoldKind::kMax);
}

void ExchangeCommunicator::AllReduce(std::string_view name, const CommBuffer& buffer,
                                     FoldKind kind) {
  PONDER_CHECK(IsReducible(buffer.dtype))
      << name << " of " << NameOf(buffer.dtype) << ": expected F32, F64 or I64";
  const Operation operation{name, buffer};
  std::vector<uint64_t> counts;
  for (int r = 0; r < size(); ++r) counts.push_back(ShardOf(buffer.count, r, size()).size());
  const uint64_t own = ShardOf(buffer.count, rank(), size()).begin * SizeOf(buffer.dtype);
  ReduceRanges(buffer.data, At(buffer.data, own), counts, kind, operation);
  GatherRanges(buffer.data, counts, operation);
}

void ExchangeCommunicator::ReduceScatterSum(const CommBuffer& input, const CommBuffer& output,
                                            std::span<const uint64_t> counts) {
  PONDER_FAILPOINT("comm.reduce");
  CheckRanges("ReduceScatterSum", input, output, counts);
  PONDER_CHECK(IsReducible(input.dtype))
      << "ReduceScatterSum of " << NameOf(input.dtype) << ": expected F32, F64 or I64";
  ReduceRanges(input.data, output.data, counts, FoldKind::kSum, {"ReduceScatterSum", input});
}

void ExchangeCommunicator::AllGather(const CommBuffer& input, const CommBuffer& output,
                                     std::span<const uint64_t> counts) {
  CheckRanges("AllGather", output, input, counts);
  const Operation operation{"AllGather", output};
  const uint64_t width = SizeOf(output.dtype);
  const auto own = static_cast<size_t>(rank());
  void* place = At(output.data, OffsetsOf(counts)[own] * width);
  if (input.data != place && input.count > 0) {
    Copy(place, input.data, input.count * width, operation);
  }
  GatherRanges(output.data, counts, operation);
}

void ExchangeCommunicator::ReduceRanges(void* input, void* out, std::span<const uint64_t> counts,
                                        FoldKind kind, const Operation& operation) {
  const uint64_t width = SizeOf(operation.buffer.dtype);
  const std::vector<uint64_t> offsets = OffsetsOf(counts);
  const auto own = static_cast<size_t>(rank());
  const uint64_t block = std::max<uint64_t>(1, block_bytes_ / width);
  const uint64_t longest = *std::max_element(counts.begin(), counts.end());
  // The part of `rank`'s range that the block at `begin` covers, in elements.
  const auto covered = [&](size_t r, uint64_t begin) {
    return begin < counts[r] ? std::min(block, counts[r] - begin) : 0;
  };
  void* scratch = Scratch(std::min(block, counts[own]) * width * static_cast<uint64_t>(size() - 1));
  // Every rank walks the same number of blocks, so that messages match whatever the ranges.
  for (uint64_t begin = 0; begin < longest; begin += block) {
    const uint64_t mine = covered(own, begin);
    std::vector<Transfer> sends;
    std::vector<Transfer> receives;
    std::vector<const void*> pieces;
    for (size_t r = 0; r < counts.size(); ++r) {
      if (r == own) {
        pieces.push_back(At(input, (offsets[own] + begin) * width));
        continue;
      }
      if (const uint64_t theirs = covered(r, begin); theirs > 0) {
        sends.push_back(
            {static_cast<int>(r), At(input, (offsets[r] + begin) * width), theirs * width});
      }
      if (mine > 0) {
        void* piece = At(scratch, receives.size() * mine * width);
        receives.push_back({static_cast<int>(r), piece, mine * width});
        pieces.push_back(piece);
      }
    }
    Exchange(sends, receives, operation);
    if (mine > 0) Fold(pieces, mine, kind, At(out, begin * width), operation);
  }
}

void ExchangeCommunicator::GatherRanges(void* data, std::span<const uint64_t> counts,
                                        const Operation& operation) {
  const uint64_t width = SizeOf(operation.buffer.dtype);
  const std::vector<uint64_t> offsets = OffsetsOf(counts);
  const auto own = static_cast<size_t>(rank());
  std::vector<Transfer> sends;
  std::vector<Transfer> receives;
  for (size_t r = 0; r < counts.size(); ++r) {
    if (r == own) continue;
    const auto peer = static_cast<int>(r);
    if (counts[own] > 0) {
      sends.push_back({peer, At(data, offsets[own] * width), counts[own] * width});
    }
    if (counts[r] > 0) {
      receives.push_back({peer, At(data, offsets[r] * width), counts[r] * width});
    }
  }
  Exchange(sends, receives, operation);
}

void ExchangeCommunicator::CheckRoot(std::string_view name, const CommBuffer& buffer,
                                     int root) const {
  PONDER_CHECK(root >= 0 && root < size())
      << name << ": root " << root << " in a world of " << size();
  PONDER_CHECK(buffer.data != nullptr || buffer.count == 0)
      << name << " of " << buffer.count << " elements at a null address";
}

void ExchangeCommunicator::CheckRanges(std::string_view name, const CommBuffer& whole,
                                       const CommBuffer& own,
                                       std::span<const uint64_t> counts) const {
  PONDER_CHECK(counts.size() == static_cast<size_t>(size()))
      << name << ": expected one count per rank (" << size() << "), got " << counts.size();
  const uint64_t total = OffsetsOf(counts).back();
  PONDER_CHECK(whole.count == total)
      << name << ": expected " << total << " elements by the counts, got " << whole.count;
  const uint64_t mine = counts[static_cast<size_t>(rank())];
  PONDER_CHECK(own.count == mine) << name << ": expected a range of " << mine << " elements, got "
                                  << own.count;
  PONDER_CHECK(whole.dtype == own.dtype)
      << name << ": " << NameOf(whole.dtype) << " and " << NameOf(own.dtype) << " differ";
}

}  // namespace ponder
