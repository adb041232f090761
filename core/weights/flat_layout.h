// The canonical flat buffer: all tensors of a model, Hugging Face names and order, row-major, each
// at a 64-byte aligned offset. Independent of the number of ranks. Bytes, not tensors: no LibTorch
// here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ponder {

// Names as in safetensors.
// The order is that of the format's reference writer, which sorts by it.
enum class DType : uint8_t {
  kBool,
  kU8,
  kI8,
  kF8E5M2,
  kF8E4M3,
  kI16,
  kU16,
  kF16,
  kBF16,
  kI32,
  kU32,
  kF32,
  kF64,
  kI64,
  kU64
};
uint64_t SizeOf(DType dtype);              // bytes of one element
std::string_view NameOf(DType dtype);      // "F32"
DType DTypeOfName(std::string_view name);  // throws Error(kBadData)

// Of every tensor's offset and of the size of a flat buffer.
inline constexpr uint64_t kFlatAlignmentBytes = 64;

struct TensorSpec {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<uint64_t> shape;
  uint64_t offset = 0;  // bytes from the start of the flat buffer
  // Throw Error(kBadData) when the product does not fit into 64 bits.
  uint64_t num_elements() const;
  uint64_t num_bytes() const;
  bool operator==(const TensorSpec&) const = default;
};

// True for a name that can be printed and used in a path: not empty, without NUL and "..".
bool IsSafeTensorName(std::string_view name);

// Immutable once built.
class FlatLayout {
 public:
  FlatLayout() = default;
  // Assigns aligned offsets in the given order; offsets in `tensors` are ignored. Duplicate or
  // unsafe names and sizes that overflow throw Error(kBadData).
  static FlatLayout FromTensors(std::vector<TensorSpec> tensors);
  static FlatLayout FromJson(std::string_view json);  // throws ProtocolError
  std::string ToJson() const;
  const std::vector<TensorSpec>& tensors() const { return tensors_; }
  // With the padding after the last tensor.
  uint64_t total_bytes() const { return total_bytes_; }
  const TensorSpec* Find(std::string_view name) const;  // null when absent
  bool operator==(const FlatLayout&) const = default;

 private:
  std::vector<TensorSpec> tensors_;
  uint64_t total_bytes_ = 0;
};

}  // namespace ponder
