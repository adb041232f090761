// Reads and writes safetensors files, and survives hostile ones.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/file.h"
#include "core/weights/flat_layout.h"

namespace ponder {

// The parsed header. Offsets of the tensors count from `data_begin` in the file.
struct SafetensorsHeader {
  std::vector<TensorSpec> tensors;  // sorted by offset
  std::map<std::string, std::string> metadata;
  uint64_t data_begin = 0;
};

// Checks every rule of the format over the bytes of a whole file: header length, UTF-8, strict JSON
// without duplicate keys, known dtypes, shapes that fit their ranges with overflow checks, ranges
// that cover the buffer exactly, names without NUL or "..". Throws Error(kBadData) naming `path`.
SafetensorsHeader ParseSafetensors(std::string_view file_bytes, const std::string& path,
                                   uint64_t max_header_bytes = 16u << 20);

// The same from the beginning of a file alone, for files that may be larger than memory: reads the
// header and compares it with the file's size. Throws Error(kIo) and Error(kBadData).
SafetensorsHeader ReadSafetensorsHeader(FileSystem& files, const std::string& path,
                                        uint64_t max_header_bytes = 16u << 20);

// A tensor to write: `data` is borrowed until the call returns.
struct TensorBytes {
  TensorSpec spec;  // offset ignored
  std::string_view data;
};

// The bytes of a safetensors file: tensors sorted by descending alignment, then by name; header
// padded with spaces to 8 bytes; metadata written as given plus {"format": "pt"}.
std::string SerializeSafetensors(const std::vector<TensorBytes>& tensors,
                                 std::map<std::string, std::string> metadata);

// The tensors of a safetensors file as a flat buffer in the order of `layout`. Names, shapes and
// dtypes must match exactly; missing, extra or misshaped tensors throw Error(kBadData) naming them.
std::vector<char> FlatFromSafetensors(std::string_view file_bytes, const std::string& path,
                                      const FlatLayout& layout);
// The inverse of FlatFromSafetensors.
std::string SafetensorsFromFlat(const FlatLayout& layout, std::string_view flat,
                                std::map<std::string, std::string> metadata);

}  // namespace ponder
