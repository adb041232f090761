// Ranks as threads of one process, for tests of what runs on several ranks.
#pragma once

#include <barrier>
#include <chrono>
#include <cstring>
#include <exception>
#include <functional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "trainer/comm/communicator.h"

namespace ponder {

// What the ranks share: where each one's buffer is during an operation.
class ThreadWorld {
 public:
  explicit ThreadWorld(int size)
      : buffers_(static_cast<size_t>(size), nullptr),
        left_(static_cast<size_t>(size), 0),
        barrier_(size),
        size_(size) {}
  int size() const { return size_; }
  void Post(int rank, const void* data) {
    buffers_[static_cast<size_t>(rank)] = data;
    barrier_.arrive_and_wait();
  }
  // Throws CommError when that rank has ended: the ranks disagree on what to do next.
  const void* BufferOf(int rank) const {
    if (left_[static_cast<size_t>(rank)] != 0) {
      throw CommError("rank " + std::to_string(rank) + " ended while others wait for it");
    }
    return buffers_[static_cast<size_t>(rank)];
  }
  // Everybody has read; buffers may change again.
  void Done() { barrier_.arrive_and_wait(); }
  // A rank that ended no longer takes part.
  void Leave(int rank) {
    left_[static_cast<size_t>(rank)] = 1;
    barrier_.arrive_and_drop();
  }

 private:
  std::vector<const void*> buffers_;
  std::vector<char> left_;
  std::barrier<> barrier_;
  const int size_;
};

// One rank.
class ThreadCommunicator : public Communicator {
 public:
  ThreadCommunicator(ThreadWorld& world, int rank) : world_(world), rank_(rank) {}
  int rank() const override { return rank_; }
  int size() const override { return world_.size(); }
  std::string_view backend() const override { return "threads"; }

  void Broadcast(const CommBuffer& buffer, int root) override {
    world_.Post(rank_, buffer.data);
    if (rank_ != root) {
      std::memcpy(buffer.data, world_.BufferOf(root), buffer.count * SizeOf(buffer.dtype));
    }
    world_.Done();
  }
  void PatientBroadcast(const CommBuffer& buffer, int root) override { Broadcast(buffer, root); }
  void AllReduceSum(const CommBuffer& buffer) override {
    Reduce(buffer, buffer, 0, [](auto sum, auto next) { return sum + next; });
  }
  void AllReduceMax(const CommBuffer& buffer) override {
    Reduce(buffer, buffer, 0, [](auto best, auto next) { return next > best ? next : best; });
  }
  void ReduceScatterSum(const CommBuffer& input, const CommBuffer& output,
                        std::span<const uint64_t> counts) override {
    uint64_t begin = 0;
    for (int rank = 0; rank < rank_; ++rank) begin += counts[static_cast<size_t>(rank)];
    Reduce(input, output, begin, [](auto sum, auto next) { return sum + next; });
  }
  void AllGather(const CommBuffer& input, const CommBuffer& output,
                 std::span<const uint64_t> counts) override {
    world_.Post(rank_, input.data);
    auto* out = static_cast<char*>(output.data);
    for (int rank = 0; rank < size(); ++rank) {
      const uint64_t bytes = counts[static_cast<size_t>(rank)] * SizeOf(output.dtype);
      if (bytes > 0) std::memmove(out, world_.BufferOf(rank), bytes);
      out += bytes;
    }
    world_.Done();
  }
  void Barrier() override { world_.Done(); }
  void SetTimeout(std::chrono::milliseconds) override {}  // ranks of one process do not get lost
  [[noreturn]] void Abort(const std::string& reason, int) override { throw CommError(reason); }

 private:
  template <typename T, typename Fold>
  void ReduceTyped(const CommBuffer& output, uint64_t begin, const Fold& fold) {
    std::vector<T> result(output.count);
    for (uint64_t i = 0; i < output.count; ++i) {
      for (int rank = 0; rank < size(); ++rank) {
        const T next = static_cast<const T*>(world_.BufferOf(rank))[begin + i];
        result[i] = rank == 0 ? next : fold(result[i], next);
      }
    }
    world_.Done();
    if (output.count > 0) std::memcpy(output.data, result.data(), output.count * sizeof(T));
  }
  // Folds elements [begin, begin + output.count) of all inputs in rank order.
  template <typename Fold>
  void Reduce(const CommBuffer& input, const CommBuffer& output, uint64_t begin, const Fold& fold) {
    world_.Post(rank_, input.data);
    switch (input.dtype) {
      case DType::kF32:
        return ReduceTyped<float>(output, begin, fold);
      case DType::kF64:
        return ReduceTyped<double>(output, begin, fold);
      case DType::kI64:
        return ReduceTyped<int64_t>(output, begin, fold);
      default:
        throw CommError("reduction of an unsupported dtype");
    }
  }

  ThreadWorld& world_;
  const int rank_;
};

// Runs `body` on `size` ranks and waits for all; rethrows the exception of the lowest rank that
// threw.
inline void RunRanks(int size, const std::function<void(Communicator&)>& body) {
  ThreadWorld world(size);
  std::vector<std::exception_ptr> errors(static_cast<size_t>(size));
  {
    std::vector<std::jthread> threads;
    for (int rank = 0; rank < size; ++rank) {
      threads.emplace_back([&world, &errors, &body, rank] {
        try {
          ThreadCommunicator comm(world, rank);
          body(comm);
        } catch (...) {
          errors[static_cast<size_t>(rank)] = std::current_exception();
        }
        world.Leave(rank);
      });
    }
  }
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace ponder
