// Owned CUDA memory, by the runtime library alone: no toolkit is needed to build this.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <string>
#include <utility>

#include "core/base/error.h"

namespace ponder {

inline void CheckCuda(cudaError_t code, const std::string& what) {
  if (code != cudaSuccess) {
    throw CommError(what + ": " + cudaGetErrorString(code) + " (CUDA error " +
                    std::to_string(static_cast<int>(code)) + ")");
  }
}

// Grows on demand, never shrinks; contents are not kept. Move-free: members hold it by value.
template <cudaError_t (*Allocate)(void**, size_t), cudaError_t (*Release)(void*)>
class CudaMemory {
 public:
  CudaMemory() = default;
  ~CudaMemory() { Release(data_); }
  CudaMemory(const CudaMemory&) = delete;
  CudaMemory& operator=(const CudaMemory&) = delete;

  // At least `bytes` bytes, valid until the next call with more.
  char* Reserve(uint64_t bytes) {
    if (bytes > bytes_) {
      bytes_ = 0;
      CheckCuda(Release(std::exchange(data_, nullptr)), "release of a CUDA buffer");
      CheckCuda(Allocate(&data_, bytes),
                "allocation of " + std::to_string(bytes) + " bytes of CUDA memory");
      bytes_ = bytes;
    }
    return static_cast<char*>(data_);
  }

 private:
  void* data_ = nullptr;
  uint64_t bytes_ = 0;
};

using DeviceMemory = CudaMemory<cudaMalloc, cudaFree>;
// Page-locked host memory: copies to and from it run at full speed, asynchronously.
using PinnedMemory = CudaMemory<cudaMallocHost, cudaFreeHost>;

}  // namespace ponder
