#include "core/base/json.h"

#include <set>
#include <vector>

#include "core/base/error.h"

namespace ponder {
namespace {

using nlohmann::json;

constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxShownBytes = 80;

[[noreturn]] void Refuse(const std::string& source, const std::string& what) {
  throw Error(Condition::kBadData, source + ": " + what);
}

// Watches the parse: depth and duplicate keys, which the DOM parser would accept silently.
class Watcher {
 public:
  explicit Watcher(const std::string& source) : source_(source) {}

  bool operator()(int depth, json::parse_event_t event, json& parsed) {
    const bool starts =
        event == json::parse_event_t::object_start || event == json::parse_event_t::array_start;
    // `depth` counts the containers around this one.
    if (starts && static_cast<size_t>(depth) >= kMaxDepth) {
      Refuse(source_, "expected JSON nested at most " + std::to_string(kMaxDepth) +
                          " levels, got a deeper one");
    }
    if (event == json::parse_event_t::object_start) keys_.emplace_back();
    if (event == json::parse_event_t::object_end) keys_.pop_back();
    if (event == json::parse_event_t::key) {
      const auto key = parsed.get<std::string>();
      if (!keys_.back().insert(key).second) {
        Refuse(source_, "duplicate key " + parsed.dump().substr(0, kMaxShownBytes));
      }
    }
    return true;
  }

 private:
  const std::string& source_;
  std::vector<std::set<std::string>> keys_;
};

}  // namespace

json ParseJsonStrict(std::string_view text, const std::string& source, size_t max_bytes) {
  if (text.size() > max_bytes) {
    Refuse(source, "JSON of " + std::to_string(text.size()) + " bytes, expected at most " +
                       std::to_string(max_bytes));
  }
  // The parser would take a zero byte for the end of the text and not look at what follows.
  if (const size_t zero = text.find('\0'); zero != std::string_view::npos) {
    Refuse(source, "not valid JSON: a zero byte at byte " + std::to_string(zero));
  }
  Watcher watcher(source);
  try {
    return json::parse(text.begin(), text.end(), std::ref(watcher));
  } catch (const json::exception& error) {  // a syntax error, or a number out of range
    Refuse(source, std::string("not valid JSON: ") + error.what());
  }
}

}  // namespace ponder
