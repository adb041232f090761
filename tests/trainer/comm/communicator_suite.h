// The one suite that every backend passes. Each test program names the backends it runs it with.
#pragma once

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "tests/trainer/comm/mpi_test_main.h"
#include "trainer/comm/communicator.h"
#include "trainer/comm/cuda_memory.h"

namespace ponder {

// Defined by the test program.
std::vector<std::string> BackendsUnderTest();

template <typename T>
constexpr DType DTypeOf() {
  if constexpr (std::is_same_v<T, float>) return DType::kF32;
  if constexpr (std::is_same_v<T, double>) return DType::kF64;
  if constexpr (std::is_same_v<T, int64_t>) return DType::kI64;
  if constexpr (std::is_same_v<T, uint8_t>) return DType::kU8;
}

// A copy of `values` in the memory that a backend works on.
template <typename T>
class TestBuffer {
 public:
  TestBuffer(std::string_view backend, std::vector<T> values)
      : on_device_(backend == "nccl"), values_(std::move(values)) {
    if (!on_device_) return;
    device_.Reserve(values_.size() * sizeof(T) + 1);
    CheckCuda(
        cudaMemcpy(data(), values_.data(), values_.size() * sizeof(T), cudaMemcpyHostToDevice),
        "upload");
  }
  T* data() { return on_device_ ? reinterpret_cast<T*>(device_.Reserve(0)) : values_.data(); }
  CommBuffer view() { return view(0, values_.size()); }
  CommBuffer view(uint64_t begin, uint64_t count) {
    return {data() + begin, count, DTypeOf<T>(), nullptr};
  }
  std::vector<T> Values() {
    if (on_device_) {
      CheckCuda(
          cudaMemcpy(values_.data(), data(), values_.size() * sizeof(T), cudaMemcpyDeviceToHost),
          "download");
    }
    return values_;
  }

 private:
  const bool on_device_;
  std::vector<T> values_;
  DeviceMemory device_;
};

// What `rank` contributes: numbers of very different sizes, so that the order of a sum shows.
template <typename T>
std::vector<T> Contribution(int rank, uint64_t count) {
  std::mt19937_64 random(1000 + static_cast<uint64_t>(rank));
  std::vector<T> values(count);
  for (T& value : values) {
    if constexpr (std::is_integral_v<T>) {
      value = static_cast<T>(random());
    } else {
      const double mantissa = static_cast<double>(random() >> 11) * 0x1p-52 - 1.0;  // [-1, 1)
      value = static_cast<T>(std::ldexp(mantissa, static_cast<int>(random() % 24)));
    }
  }
  return values;
}

template <typename T>
std::vector<T> SumInOrder(const std::vector<int>& ranks, uint64_t count) {
  std::vector<T> sum = Contribution<T>(ranks[0], count);
  for (size_t i = 1; i < ranks.size(); ++i) {
    const std::vector<T> next = Contribution<T>(ranks[i], count);
    for (uint64_t j = 0; j < count; ++j) {
      if constexpr (std::is_integral_v<T>) {
        sum[j] = static_cast<T>(static_cast<uint64_t>(sum[j]) + static_cast<uint64_t>(next[j]));
      } else {
        sum[j] = sum[j] + next[j];
      }
    }
  }
  return sum;
}

template <typename T>
bool SameBits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

// Why NCCL cannot run here, or empty.
inline std::string WhyNoDevice() {
  int count = 0;
  const cudaError_t code = cudaGetDeviceCount(&count);
  if (code != cudaSuccess) {
    return std::string("no CUDA device answers: ") + cudaGetErrorString(code);
  }
  if (count < World().size()) {
    return "NCCL needs one device per rank: " + std::to_string(World().size()) + " ranks, " +
           std::to_string(count) + " devices";
  }
  return "";
}

class CommunicatorSuite : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "nccl") {
      const std::string reason = WhyNoDevice();
      if (!reason.empty()) GTEST_SKIP() << reason;
      CheckCuda(cudaSetDevice(World().rank()), "choice of the device");
      owned_ = MakeNcclCommunicator(World(), WorldOptions());
    } else if (GetParam() == "local") {
      owned_ = MakeLocalCommunicator();
    }
  }
  Communicator& comm() { return owned_ != nullptr ? *owned_ : World(); }
  int rank() { return comm().rank(); }
  int size() { return comm().size(); }
  std::vector<int> RanksInOrder() {
    std::vector<int> ranks(static_cast<size_t>(size()));
    for (int r = 0; r < size(); ++r) ranks[static_cast<size_t>(r)] = r;
    return ranks;
  }
  template <typename T>
  TestBuffer<T> Buffer(std::vector<T> values) {
    return TestBuffer<T>(GetParam(), std::move(values));
  }

 private:
  std::unique_ptr<Communicator> owned_;
};

}  // namespace ponder
