#include "cli/inspect/tensor_statistics.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "core/base/error.h"

namespace ponder {
namespace {

constexpr uint64_t kPieceBytes = 4u << 20;  // a multiple of every element's size

template <typename Number>
double As(const char* bytes) {
  Number number{};
  std::memcpy(&number, bytes, sizeof number);
  return static_cast<double>(number);
}

// A small float: sign, `exponent_bits`, `mantissa_bits`. `has_infinity`: the largest exponent
// stands for infinity and NaN, as IEEE 754 has it; otherwise only all ones is NaN, as in E4M3.
double SmallFloat(uint32_t bits, int exponent_bits, int mantissa_bits, bool has_infinity) {
  const uint32_t mantissa = bits & ((1u << mantissa_bits) - 1);
  const uint32_t largest = (1u << exponent_bits) - 1;
  const uint32_t exponent = bits >> mantissa_bits & largest;
  const double sign = (bits >> (exponent_bits + mantissa_bits) & 1) != 0 ? -1.0 : 1.0;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  if (exponent == largest) {
    if (has_infinity && mantissa == 0) return sign * std::numeric_limits<double>::infinity();
    if (has_infinity || mantissa == (1u << mantissa_bits) - 1) {
      return std::numeric_limits<double>::quiet_NaN();
    }
  }
  if (exponent == 0) return sign * std::ldexp(mantissa, 1 - bias - mantissa_bits);
  return sign * std::ldexp(mantissa + (1u << mantissa_bits),
                           static_cast<int>(exponent) - bias - mantissa_bits);
}

uint32_t Bits16(const char* bytes) {
  uint16_t bits = 0;
  std::memcpy(&bits, bytes, sizeof bits);
  return bits;
}

// Adds elements one by one.
class Accumulator {
 public:
  void Add(double value) {
    if (std::isnan(value)) {
      ++result_.num_nan;
    } else if (std::isinf(value)) {
      ++result_.num_infinite;
    } else {
      ++result_.num_finite;
      min_ = std::min(min_, value);
      max_ = std::max(max_, value);
      sum_ += value;
    }
  }

  TensorStatistics Finish() {
    if (result_.num_finite > 0) {
      result_.min = min_;
      result_.max = max_;
      result_.mean = static_cast<double>(sum_ / static_cast<long double>(result_.num_finite));
    }
    return result_;
  }

 private:
  TensorStatistics result_;
  double min_ = std::numeric_limits<double>::infinity();
  double max_ = -std::numeric_limits<double>::infinity();
  long double sum_ = 0;
};

}  // namespace

double ElementValue(DType dtype, const char* bytes) {
  switch (dtype) {
    case DType::kBool:
    case DType::kU8:
      return As<uint8_t>(bytes);
    case DType::kI8:
      return As<int8_t>(bytes);
    case DType::kF8E5M2:
      return SmallFloat(static_cast<unsigned char>(*bytes), 5, 2, /*has_infinity=*/true);
    case DType::kF8E4M3:
      return SmallFloat(static_cast<unsigned char>(*bytes), 4, 3, /*has_infinity=*/false);
    case DType::kI16:
      return As<int16_t>(bytes);
    case DType::kU16:
      return As<uint16_t>(bytes);
    case DType::kF16:
      return SmallFloat(Bits16(bytes), 5, 10, /*has_infinity=*/true);
    case DType::kBF16:
      return SmallFloat(Bits16(bytes), 8, 7, /*has_infinity=*/true);
    case DType::kI32:
      return As<int32_t>(bytes);
    case DType::kU32:
      return As<uint32_t>(bytes);
    case DType::kF32:
      return As<float>(bytes);
    case DType::kF64:
      return As<double>(bytes);
    case DType::kI64:
      return As<int64_t>(bytes);
    case DType::kU64:
      return As<uint64_t>(bytes);
  }
  throw Error(Condition::kInternal, "reading an element: a dtype without a case");
}

TensorContents ReadTensorContents(FileSystem& files, const std::string& path, uint64_t begin,
                                  const TensorSpec& tensor) {
  const uint64_t size = tensor.num_bytes();
  const uint64_t step = SizeOf(tensor.dtype);
  Sha256 digest;
  Accumulator elements;
  for (uint64_t done = 0; done < size;) {
    const uint64_t wanted = std::min(size - done, kPieceBytes);
    const std::string piece = files.ReadRange(path, begin + done, wanted);
    if (piece.size() != wanted) {
      throw Error(Condition::kBadData, "reading tensor '" + tensor.name + "' of " + path +
                                           ": expected " + std::to_string(size) + " bytes, got " +
                                           std::to_string(done + piece.size()));
    }
    digest.Update(piece);
    for (uint64_t at = 0; at < piece.size(); at += step) {
      elements.Add(ElementValue(tensor.dtype, piece.data() + at));
    }
    done += wanted;
  }
  return {digest.FinishHex(), elements.Finish()};
}

}  // namespace ponder
