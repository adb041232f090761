// What the numbers of one tensor in a file look like, without holding it in memory.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/file.h"
#include "core/weights/flat_layout.h"

namespace ponder {

// Of the finite elements; minimum, maximum and mean are 0 when there is none.
struct TensorStatistics {
  double min = 0;
  double max = 0;
  double mean = 0;
  uint64_t num_finite = 0;
  uint64_t num_nan = 0;
  uint64_t num_infinite = 0;
};

// What one pass over the bytes of a tensor gives.
struct TensorContents {
  std::string sha256;  // of the bytes as they are in the file
  TensorStatistics statistics;
};

// Reads the elements of `tensor`, which begin at byte `begin` of `path`. Memory does not depend on
// the tensor's size. Throws Error(kIo), and Error(kBadData) when the file ends too early.
TensorContents ReadTensorContents(FileSystem& files, const std::string& path, uint64_t begin,
                                  const TensorSpec& tensor);

// One element of any dtype, at `bytes` (SizeOf(dtype) of them, little endian). 64-bit integers are
// rounded to a double.
double ElementValue(DType dtype, const char* bytes);

}  // namespace ponder
