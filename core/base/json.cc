#include "core/base/json.h"

#include <set>
#include <vector>

#include "core/base/error.h"

namespace ponder {
namespace {

using nlohmann::json;

constexpr size_t kMaxDepth = 64;

[[noreturn]] void Refuse(const std::string& source, const std::string& what) {
  throw Error(Condition::kBadData, source + ": " + what);
}

// Watches the parse: depth and duplicate keys, which the DOM parser would accept silently.
class Watcher {
 public:
  explicit Watcher(const std::string& source) : source_(source) {}

  bool operator()(int depth, json::parse_event_t event, json& parsed) {
    if (static_cast<size_t>(depth) > kMaxDepth) {
      Refuse(source_, "nested deeper than " + std::to_string(kMaxDepth) + " levels");
    }
    if (event == json::parse_event_t::object_start) keys_.emplace_back();
    if (event == json::parse_event_t::object_end) keys_.pop_back();
    if (event == json::parse_event_t::key) {
      const auto key = parsed.get<std::string>();
      if (!keys_.back().insert(key).second) Refuse(source_, "duplicate key '" + key + "'");
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
  Watcher watcher(source);
  try {
    return json::parse(text.begin(), text.end(), std::ref(watcher));
  } catch (const json::parse_error& error) {
    Refuse(source, std::string("not valid JSON: ") + error.what());
  }
}

}  // namespace ponder
