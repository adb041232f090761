#include "core/weights/safetensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "core/base/error.h"
#include "core/base/json.h"

namespace ponder {
namespace {

// The format's own limit.
constexpr uint64_t kFormatMaxHeaderBytes = 100'000'000;
constexpr uint64_t kLengthBytes = 8;

[[noreturn]] void Refuse(const std::string& path, const std::string& what) {
  throw Error(Condition::kBadData, "reading safetensors file " + path + ": " + what);
}

uint64_t ReadLittleEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t index = 0; index < kLengthBytes; ++index) {
    value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[index])) << (8 * index);
  }
  return value;
}

// Checks that `value` is an array of integers >= 0 (JSON's 1.0 and -0 are none) and returns them.
std::vector<uint64_t> Integers(const nlohmann::json& value, const std::string& path,
                               const std::string& field) {
  if (!value.is_array()) {
    Refuse(path, field + ": expected an array, got " + value.type_name());
  }
  std::vector<uint64_t> integers;
  integers.reserve(value.size());
  for (const nlohmann::json& item : value) {
    if (!item.is_number_unsigned()) {
      Refuse(path, field + ": expected integers from 0 to 2^64 - 1, got " + item.dump());
    }
    integers.push_back(item.get<uint64_t>());
  }
  return integers;
}

struct Entry {
  TensorSpec spec;
  uint64_t end = 0;
};

Entry ParseEntry(const std::string& name, const nlohmann::json& value, const std::string& path) {
  // Escaped: a name from outside may hold anything.
  const std::string what = "tensor " + nlohmann::json(name).dump();
  if (!IsSafeTensorName(name)) {
    Refuse(path, what + ": expected a name without NUL and '..'");
  }
  if (!value.is_object() || value.size() != 3 || !value.contains("dtype") ||
      !value.contains("shape") || !value.contains("data_offsets")) {
    Refuse(path, what + ": expected exactly the keys dtype, shape, data_offsets");
  }
  if (!value["dtype"].is_string()) {
    Refuse(path, what + " dtype: expected a string, got " + value["dtype"].type_name());
  }
  Entry entry;
  entry.spec.name = name;
  entry.spec.shape = Integers(value["shape"], path, what + " shape");
  uint64_t size = 0;
  try {
    entry.spec.dtype = DTypeOfName(value["dtype"].get_ref<const std::string&>());
    size = entry.spec.num_bytes();
  } catch (const Error& error) {
    Refuse(path, what + ": " + error.what());
  }
  const std::vector<uint64_t> range = Integers(value["data_offsets"], path, what + " data_offsets");
  if (range.size() != 2 || range[0] > range[1]) {
    Refuse(path, what + " data_offsets: expected [begin, end] with begin <= end, got " +
                     value["data_offsets"].dump());
  }
  entry.spec.offset = range[0];
  entry.end = range[1];
  if (entry.end - entry.spec.offset != size) {
    Refuse(path, what + ": expected " + std::to_string(size) + " bytes by shape and dtype, got " +
                     std::to_string(entry.end - entry.spec.offset));
  }
  return entry;
}

std::map<std::string, std::string> ParseMetadata(const nlohmann::json& value,
                                                 const std::string& path) {
  if (!value.is_object()) {
    Refuse(path, std::string("__metadata__: expected an object, got ") + value.type_name());
  }
  std::map<std::string, std::string> metadata;
  for (const auto& [key, text] : value.items()) {
    if (!text.is_string()) {
      Refuse(path, "__metadata__ '" + key + "': expected a string, got " + text.type_name());
    }
    metadata.emplace(key, text.get_ref<const std::string&>());
  }
  return metadata;
}

// The checks over the header's text alone. Offsets stay relative to the buffer.
std::vector<Entry> ParseEntries(std::string_view text, const std::string& path,
                                std::map<std::string, std::string>* metadata) {
  if (text.empty() || text.front() != '{') {
    Refuse(path, "expected a header that begins with '{'");
  }
  const size_t last = text.find_last_not_of(' ');
  if (text[last] != '}') Refuse(path, "expected a header that ends with '}' and spaces");
  const nlohmann::json root =
      ParseJsonStrict(text.substr(0, last + 1), path, kFormatMaxHeaderBytes);
  std::vector<Entry> entries;
  entries.reserve(root.size());
  for (const auto& [name, value] : root.items()) {
    if (name == "__metadata__") {
      *metadata = ParseMetadata(value, path);
    } else {
      entries.push_back(ParseEntry(name, value, path));
    }
  }
  return entries;
}

void CheckContiguous(const std::vector<Entry>& entries, uint64_t buffer_bytes,
                     const std::string& path) {
  uint64_t end = 0;
  for (const Entry& entry : entries) {
    if (entry.spec.offset != end) {
      Refuse(path, "tensor '" + entry.spec.name + "': expected to begin at " + std::to_string(end) +
                       ", got " + std::to_string(entry.spec.offset) +
                       " (ranges must cover the buffer without holes or overlaps)");
    }
    end = entry.end;
  }
  if (end != buffer_bytes) {
    Refuse(path, "expected tensors that cover the buffer's " + std::to_string(buffer_bytes) +
                     " bytes, got " + std::to_string(end));
  }
}

// The length of the header, from the first bytes of a file of `file_bytes` bytes.
uint64_t HeaderBytes(std::string_view beginning, uint64_t file_bytes, const std::string& path,
                     uint64_t max_header_bytes) {
  if (file_bytes < kLengthBytes || beginning.size() < kLengthBytes) {
    Refuse(path, "expected at least 8 bytes, got " + std::to_string(file_bytes));
  }
  const uint64_t header_bytes = ReadLittleEndian(beginning);
  const uint64_t limit = std::min(max_header_bytes, kFormatMaxHeaderBytes);
  if (header_bytes > limit) {
    Refuse(path, "header length: expected at most " + std::to_string(limit) + ", got " +
                     std::to_string(header_bytes));
  }
  if (header_bytes > file_bytes - kLengthBytes) {
    Refuse(path, "header length: expected at most the file's " +
                     std::to_string(file_bytes - kLengthBytes) + " bytes after it, got " +
                     std::to_string(header_bytes));
  }
  return header_bytes;
}

// The header `text` of a file of `file_bytes` bytes, checked.
SafetensorsHeader ParseHeader(std::string_view text, uint64_t file_bytes, const std::string& path) {
  SafetensorsHeader header;
  header.data_begin = kLengthBytes + text.size();
  std::vector<Entry> entries = ParseEntries(text, path, &header.metadata);
  // By end as well: an empty tensor stands before the one that begins where it does.
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.spec.offset, a.end, a.spec.name) <
           std::tie(b.spec.offset, b.end, b.spec.name);
  });
  CheckContiguous(entries, file_bytes - header.data_begin, path);
  header.tensors.reserve(entries.size());
  for (Entry& entry : entries) header.tensors.push_back(std::move(entry.spec));
  return header;
}

std::string_view TensorData(std::string_view file_bytes, const SafetensorsHeader& header,
                            const TensorSpec& tensor) {
  return file_bytes.substr(header.data_begin + tensor.offset, tensor.num_bytes());
}

std::string ShapeText(const TensorSpec& tensor) {
  return std::string(NameOf(tensor.dtype)) + nlohmann::json(tensor.shape).dump();
}

}  // namespace

SafetensorsHeader ParseSafetensors(std::string_view file_bytes, const std::string& path,
                                   uint64_t max_header_bytes) {
  const uint64_t header_bytes = HeaderBytes(file_bytes, file_bytes.size(), path, max_header_bytes);
  return ParseHeader(file_bytes.substr(kLengthBytes, header_bytes), file_bytes.size(), path);
}

SafetensorsHeader ReadSafetensorsHeader(FileSystem& files, const std::string& path,
                                        uint64_t max_header_bytes) {
  const uint64_t file_bytes = files.FileSize(path);
  const uint64_t header_bytes =
      HeaderBytes(files.ReadRange(path, 0, kLengthBytes), file_bytes, path, max_header_bytes);
  const std::string text = files.ReadRange(path, kLengthBytes, header_bytes);
  if (text.size() != header_bytes) {
    Refuse(path, "header: expected " + std::to_string(header_bytes) + " bytes, got " +
                     std::to_string(text.size()) + " (the file became shorter)");
  }
  return ParseHeader(text, file_bytes, path);
}

std::string SerializeSafetensors(const std::vector<TensorBytes>& tensors,
                                 std::map<std::string, std::string> metadata) {
  std::vector<const TensorBytes*> order;
  order.reserve(tensors.size());
  for (const TensorBytes& tensor : tensors) {
    PONDER_CHECK(IsSafeTensorName(tensor.spec.name)) << "tensor '" << tensor.spec.name << "'";
    PONDER_CHECK(tensor.spec.name != "__metadata__") << "the name is taken by the format";
    PONDER_CHECK(tensor.data.size() == tensor.spec.num_bytes())
        << "tensor '" << tensor.spec.name << "': expected " << tensor.spec.num_bytes()
        << " bytes, got " << tensor.data.size();
    order.push_back(&tensor);
  }
  std::sort(order.begin(), order.end(), [](const TensorBytes* a, const TensorBytes* b) {
    return a->spec.dtype != b->spec.dtype ? a->spec.dtype > b->spec.dtype
                                          : a->spec.name < b->spec.name;
  });

  metadata["format"] = "pt";
  nlohmann::ordered_json root;
  root["__metadata__"] = metadata;
  std::set<std::string_view> names;
  uint64_t end = 0;
  for (const TensorBytes* tensor : order) {
    const TensorSpec& spec = tensor->spec;
    PONDER_CHECK(names.insert(spec.name).second) << "tensor '" << spec.name << "' is there twice";
    root[spec.name] = nlohmann::ordered_json{{"dtype", NameOf(spec.dtype)},
                                             {"shape", spec.shape},
                                             {"data_offsets", {end, end + tensor->data.size()}}};
    end += tensor->data.size();
  }
  std::string text = root.dump();
  text.append((8 - text.size() % 8) % 8, ' ');

  std::string bytes;
  bytes.reserve(kLengthBytes + text.size() + end);
  for (size_t index = 0; index < kLengthBytes; ++index) {
    bytes.push_back(static_cast<char>((text.size() >> (8 * index)) & 0xff));
  }
  bytes += text;
  for (const TensorBytes* tensor : order) bytes += tensor->data;
  return bytes;
}

std::vector<char> FlatFromSafetensors(std::string_view file_bytes, const std::string& path,
                                      const FlatLayout& layout) {
  const SafetensorsHeader header = ParseSafetensors(file_bytes, path);
  std::map<std::string_view, const TensorSpec*> found;
  for (const TensorSpec& tensor : header.tensors) found.emplace(tensor.name, &tensor);

  std::vector<char> flat(layout.total_bytes(), '\0');
  std::string problems;
  for (const TensorSpec& wanted : layout.tensors()) {
    const auto it = found.find(wanted.name);
    if (it == found.end()) {
      problems += "\n  missing '" + wanted.name + "'";
      continue;
    }
    const TensorSpec& tensor = *it->second;
    found.erase(it);
    if (tensor.dtype != wanted.dtype || tensor.shape != wanted.shape) {
      problems +=
          "\n  '" + wanted.name + "': expected " + ShapeText(wanted) + ", got " + ShapeText(tensor);
      continue;
    }
    const std::string_view data = TensorData(file_bytes, header, tensor);
    std::copy(data.begin(), data.end(), flat.begin() + static_cast<ptrdiff_t>(wanted.offset));
  }
  for (const auto& [name, tensor] : found) problems += "\n  unexpected '" + std::string(name) + "'";
  if (!problems.empty()) {
    Refuse(path, "expected exactly the model's tensors, got these differences:" + problems);
  }
  return flat;
}

std::string SafetensorsFromFlat(const FlatLayout& layout, std::string_view flat,
                                std::map<std::string, std::string> metadata) {
  PONDER_CHECK(flat.size() == layout.total_bytes())
      << "flat buffer: expected " << layout.total_bytes() << " bytes, got " << flat.size();
  std::vector<TensorBytes> tensors;
  tensors.reserve(layout.tensors().size());
  for (const TensorSpec& tensor : layout.tensors()) {
    tensors.push_back({tensor, flat.substr(tensor.offset, tensor.num_bytes())});
  }
  return SerializeSafetensors(tensors, std::move(metadata));
}

}  // namespace ponder
