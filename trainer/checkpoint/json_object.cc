#include "trainer/checkpoint/json_object.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/base/error.h"
#include "core/base/json.h"

namespace ponder {
namespace {

constexpr uint64_t kMaxJsonBytes = 64u << 20;
constexpr size_t kMaxShownBytes = 80;

}  // namespace

JsonObject::JsonObject(const nlohmann::json& object, std::string source)
    : object_(object), source_(std::move(source)) {
  if (!object_.is_object()) {
    throw CheckpointError(Condition::kBadData, "reading " + source_ + ": expected an object, got " +
                                                   object_.type_name());
  }
}

void JsonObject::Refuse(const std::string& key, const std::string& expected) const {
  const auto it = object_.find(key);
  const std::string got = it == object_.end() ? "nothing" : it->dump().substr(0, kMaxShownBytes);
  throw CheckpointError(Condition::kBadData, "reading " + source_ + ": key '" + key +
                                                 "': expected " + expected + ", got " + got);
}

const nlohmann::json& JsonObject::At(const std::string& key) {
  const auto it = object_.find(key);
  if (it == object_.end()) Refuse(key, "a value");
  asked_.insert(key);
  return *it;
}

uint64_t JsonObject::U64(const std::string& key) {
  const nlohmann::json& value = At(key);
  if (!value.is_number_unsigned()) Refuse(key, "an integer from 0 to 2^64 - 1");
  return value.get<uint64_t>();
}

uint32_t JsonObject::U32(const std::string& key) {
  const uint64_t value = U64(key);
  if (value > std::numeric_limits<uint32_t>::max()) Refuse(key, "an integer below 2^32");
  return static_cast<uint32_t>(value);
}

int64_t JsonObject::Count(const std::string& key) {
  const uint64_t value = U64(key);
  if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    Refuse(key, "an integer below 2^63");
  }
  return static_cast<int64_t>(value);
}

double JsonObject::Real(const std::string& key) {
  const nlohmann::json& value = At(key);
  if (!value.is_number_float() || !std::isfinite(value.get<double>())) {
    Refuse(key, "a floating-point number");
  }
  return value.get<double>();
}

bool JsonObject::Bool(const std::string& key) {
  const nlohmann::json& value = At(key);
  if (!value.is_boolean()) Refuse(key, "true or false");
  return value.get<bool>();
}

std::string JsonObject::Text(const std::string& key) {
  const nlohmann::json& value = At(key);
  if (!value.is_string()) Refuse(key, "a string");
  return value.get<std::string>();
}

std::string JsonObject::Digest(const std::string& key) {
  std::string digest = Text(key);
  if (!IsSha256Hex(digest)) Refuse(key, "64 lower-case hex digits");
  return digest;
}

const nlohmann::json& JsonObject::Array(const std::string& key) {
  const nlohmann::json& value = At(key);
  if (!value.is_array()) Refuse(key, "an array");
  return value;
}

const nlohmann::json& JsonObject::Object(const std::string& key) {
  const nlohmann::json& value = At(key);
  if (!value.is_object()) Refuse(key, "an object");
  return value;
}

void JsonObject::Finish() const {
  for (const auto& [key, value] : object_.items()) {
    if (asked_.count(key) == 0) Refuse(key, "no such key");
  }
}

nlohmann::json ParseCheckpointJson(std::string_view text, const std::string& source) {
  try {
    return ParseJsonStrict(text, source, kMaxJsonBytes);
  } catch (const Error& error) {
    throw CheckpointError(Condition::kBadData, error.what());
  }
}

bool IsSha256Hex(std::string_view text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace ponder
