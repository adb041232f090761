// A JSON object that must hold exactly the keys that are asked for.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>

namespace ponder {

// Borrows `object`. Every method throws CheckpointError(kBadData) that names source, key, what was
// expected and what is there.
class JsonObject {
 public:
  JsonObject(const nlohmann::json& object, std::string source);
  uint64_t U64(const std::string& key);
  uint32_t U32(const std::string& key);
  int64_t Count(const std::string& key);  // >= 0
  double Real(const std::string& key);    // finite
  bool Bool(const std::string& key);
  std::string Text(const std::string& key);
  // 64 lower-case hex digits.
  std::string Digest(const std::string& key);
  const nlohmann::json& Array(const std::string& key);
  const nlohmann::json& Object(const std::string& key);
  // Whatever is there.
  const nlohmann::json& Value(const std::string& key) { return At(key); }
  // Call last: no other key may be there.
  void Finish() const;

 private:
  const nlohmann::json& At(const std::string& key);
  [[noreturn]] void Refuse(const std::string& key, const std::string& expected) const;

  const nlohmann::json& object_;
  const std::string source_;
  std::set<std::string> asked_;
};

// Strict JSON, at most 64 MiB; throws CheckpointError(kBadData) naming `source`.
nlohmann::json ParseCheckpointJson(std::string_view text, const std::string& source);

bool IsSha256Hex(std::string_view text);

}  // namespace ponder
