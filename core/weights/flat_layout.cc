#include "core/weights/flat_layout.h"

#include <array>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "core/base/error.h"
#include "core/base/json.h"

namespace ponder {
namespace {

// More than any layout needs; bounds the work that a message can ask for.
constexpr uint64_t kMaxLayoutJsonBytes = 16u << 20;

struct DTypeRow {
  std::string_view name;
  uint64_t size;
};

// Indexed by DType.
constexpr std::array<DTypeRow, 15> kDTypes{{{"BOOL", 1},
                                            {"U8", 1},
                                            {"I8", 1},
                                            {"F8_E5M2", 1},
                                            {"F8_E4M3", 1},
                                            {"I16", 2},
                                            {"U16", 2},
                                            {"F16", 2},
                                            {"BF16", 2},
                                            {"I32", 4},
                                            {"U32", 4},
                                            {"F32", 4},
                                            {"F64", 8},
                                            {"I64", 8},
                                            {"U64", 8}}};

uint64_t CheckedProduct(uint64_t a, uint64_t b, const std::string& name) {
  if (b != 0 && a > std::numeric_limits<uint64_t>::max() / b) {
    throw Error(Condition::kBadData, "size of tensor '" + name +
                                         "': expected a product that fits into 64 bits, got " +
                                         std::to_string(a) + " * " + std::to_string(b));
  }
  return a * b;
}

uint64_t AlignUp(uint64_t offset, const std::string& name) {
  const uint64_t padding =
      (kFlatAlignmentBytes - offset % kFlatAlignmentBytes) % kFlatAlignmentBytes;
  if (offset > std::numeric_limits<uint64_t>::max() - padding) {
    throw Error(Condition::kBadData, "offset after tensor '" + name +
                                         "': expected one that fits into 64 bits, got " +
                                         std::to_string(offset) + " before alignment");
  }
  return offset + padding;
}

}  // namespace

uint64_t SizeOf(DType dtype) { return kDTypes.at(static_cast<size_t>(dtype)).size; }

std::string_view NameOf(DType dtype) { return kDTypes.at(static_cast<size_t>(dtype)).name; }

DType DTypeOfName(std::string_view name) {
  for (size_t index = 0; index < kDTypes.size(); ++index) {
    if (kDTypes[index].name == name) return static_cast<DType>(index);
  }
  throw Error(Condition::kBadData, "reading a dtype: expected one of BOOL, U8, ... U64, got '" +
                                       std::string(name) + "'");
}

uint64_t TensorSpec::num_elements() const {
  uint64_t product = 1;
  for (const uint64_t extent : shape) product = CheckedProduct(product, extent, name);
  return product;
}

uint64_t TensorSpec::num_bytes() const {
  return CheckedProduct(num_elements(), SizeOf(dtype), name);
}

bool IsSafeTensorName(std::string_view name) {
  return !name.empty() && name.find('\0') == std::string_view::npos &&
         name.find("..") == std::string_view::npos;
}

FlatLayout FlatLayout::FromTensors(std::vector<TensorSpec> tensors) {
  FlatLayout layout;
  std::set<std::string_view> names;
  uint64_t end = 0;
  for (TensorSpec& tensor : tensors) {
    if (!IsSafeTensorName(tensor.name)) {
      throw Error(Condition::kBadData,
                  "laying out a model: expected tensor names without NUL and '..', got '" +
                      tensor.name + "'");
    }
    if (!names.insert(tensor.name).second) {
      throw Error(Condition::kBadData, "laying out a model: expected distinct names, got tensor '" +
                                           tensor.name + "' twice");
    }
    tensor.offset = end;
    const uint64_t size = tensor.num_bytes();
    if (size > std::numeric_limits<uint64_t>::max() - end) {
      throw Error(Condition::kBadData,
                  "laying out a model: expected a total that fits into 64 bits, got " +
                      std::to_string(end) + " + " + std::to_string(size) + " at tensor '" +
                      tensor.name + "'");
    }
    end = AlignUp(end + size, tensor.name);
  }
  layout.total_bytes_ = end;
  names.clear();
  layout.tensors_ = std::move(tensors);
  return layout;
}

std::string FlatLayout::ToJson() const {
  nlohmann::json tensors = nlohmann::json::array();
  for (const TensorSpec& tensor : tensors_) {
    tensors.push_back({{"name", tensor.name},
                       {"dtype", NameOf(tensor.dtype)},
                       {"shape", tensor.shape},
                       {"offset", tensor.offset}});
  }
  return nlohmann::json{{"tensors", std::move(tensors)}, {"total_bytes", total_bytes_}}.dump();
}

FlatLayout FlatLayout::FromJson(std::string_view json) {
  // The offsets in the text are a check only: FromTensors computes them, and both must agree.
  try {
    const nlohmann::json root = ParseJsonStrict(json, "model layout", kMaxLayoutJsonBytes);
    std::vector<TensorSpec> tensors;
    std::vector<uint64_t> offsets;
    // A number or a string would iterate as its own only element.
    if (!root.at("tensors").is_array()) throw ProtocolError("tensors: expected an array");
    for (const nlohmann::json& item : root.at("tensors")) {
      TensorSpec tensor;
      tensor.name = item.at("name").get_ref<const std::string&>();
      tensor.dtype = DTypeOfName(item.at("dtype").get_ref<const std::string&>());
      if (!item.at("shape").is_array()) throw ProtocolError("shape: expected an array");
      for (const nlohmann::json& extent : item.at("shape")) {
        tensor.shape.push_back(extent.get_ref<const uint64_t&>());
      }
      offsets.push_back(item.at("offset").get_ref<const uint64_t&>());
      tensors.push_back(std::move(tensor));
    }
    FlatLayout layout = FromTensors(std::move(tensors));
    for (size_t index = 0; index < offsets.size(); ++index) {
      const TensorSpec& tensor = layout.tensors_[index];
      if (tensor.offset != offsets[index]) {
        throw ProtocolError("expected offset " + std::to_string(tensor.offset) + " for tensor '" +
                            tensor.name + "', got " + std::to_string(offsets[index]));
      }
    }
    const uint64_t total = root.at("total_bytes").get_ref<const uint64_t&>();
    if (layout.total_bytes_ != total) {
      throw ProtocolError("expected total_bytes " + std::to_string(layout.total_bytes_) + ", got " +
                          std::to_string(total));
    }
    return layout;
  } catch (const nlohmann::json::exception& error) {
    throw ProtocolError(std::string("reading a model layout: ") + error.what());
  } catch (const Error& error) {
    throw ProtocolError(std::string("reading a model layout: ") + error.what());
  }
}

const TensorSpec* FlatLayout::Find(std::string_view name) const {
  for (const TensorSpec& tensor : tensors_) {
    if (tensor.name == name) return &tensor;
  }
  return nullptr;
}

}  // namespace ponder
