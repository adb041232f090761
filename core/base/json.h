// JSON from files and other processes, read strictly.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace ponder {

// Parses one JSON value. Refuses more than `max_bytes`, arrays and objects nested deeper than 64,
// duplicate keys, invalid UTF-8, numbers beyond a double and anything after the value. Throws
// Error(kBadData) that names `source` and what is wrong.
nlohmann::json ParseJsonStrict(std::string_view text, const std::string& source, size_t max_bytes);

}  // namespace ponder
