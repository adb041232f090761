#include "cli/report/json_lines.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/base/error.h"

namespace ponder::report {
namespace {

using nlohmann::json;

constexpr size_t kBlockBytes = 1 << 20;
constexpr size_t kMaxLineBytes = 64 << 20;

// Collects a line over blocks; what is beyond the limit is counted but not kept.
class LineBuffer {
 public:
  void Append(const char* begin, const char* end) {
    const auto size = static_cast<size_t>(end - begin);
    too_long_ = too_long_ || text_.size() + size > kMaxLineBytes;
    if (!too_long_) text_.append(begin, end);
  }
  bool empty() const { return text_.empty() && !too_long_; }
  // The line as an object; discarded when it is none. Starts the next line.
  json Take() {
    json line(json::value_t::discarded);
    if (!too_long_) line = json::parse(text_, nullptr, /*allow_exceptions=*/false);
    text_.clear();
    too_long_ = false;
    return line.is_object() ? line : json(json::value_t::discarded);
  }

 private:
  std::string text_;
  bool too_long_ = false;
};

}  // namespace

JsonLinesCount ReadJsonLines(const std::string& path,
                             const std::function<void(const json& line)>& take) {
  JsonLinesCount count;
  if (!std::filesystem::exists(path)) return count;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Error(Condition::kIo, "opening " + path + ": " + std::strerror(errno));
  std::vector<char> block(kBlockBytes);
  LineBuffer buffer;
  while (stream) {
    stream.read(block.data(), static_cast<std::streamsize>(block.size()));
    const char* begin = block.data();
    const char* const end = begin + stream.gcount();
    count.bytes += static_cast<uint64_t>(end - begin);
    while (begin < end) {
      const void* newline = std::memchr(begin, '\n', static_cast<size_t>(end - begin));
      const char* line_end = newline == nullptr ? end : static_cast<const char*>(newline);
      buffer.Append(begin, line_end);
      begin = line_end + (newline == nullptr ? 0 : 1);
      if (newline == nullptr || buffer.empty()) continue;
      const json line = buffer.Take();
      if (line.is_discarded()) {
        ++count.damaged;
      } else {
        ++count.lines;
        take(line);
      }
    }
  }
  if (stream.bad()) throw Error(Condition::kIo, "reading " + path + ": " + std::strerror(errno));
  if (!buffer.empty()) {
    const json line = buffer.Take();
    count.torn = line.is_discarded();
    if (!count.torn) {
      ++count.lines;
      take(line);
    }
  }
  return count;
}

std::string DescribeDamage(const std::string& file, const JsonLinesCount& count) {
  std::string text;
  if (count.damaged > 0) {
    text = std::to_string(count.damaged) +
           (count.damaged == 1 ? " damaged line was left out" : " damaged lines were left out");
  }
  if (count.torn) {
    text += text.empty() ? "" : ", and ";
    text += "the last line is torn (the run was killed, or is being written)";
  }
  return text.empty() ? text : file + ": " + text;
}

}  // namespace ponder::report
