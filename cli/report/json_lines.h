// Reads files of JSON lines that a killed or running program left behind.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace ponder::report {

struct JsonLinesCount {
  uint64_t bytes = 0;
  uint64_t lines = 0;    // handed on
  uint64_t damaged = 0;  // no JSON object, or longer than 64 MiB; left out
  bool torn = false;     // the file ends within a line, which is left out
};

// Hands every line that is a JSON object to `take`, in order, with one line in memory at a time.
// A file that is not there counts nothing. Throws Error(kIo) when it cannot be read.
JsonLinesCount ReadJsonLines(const std::string& path,
                             const std::function<void(const nlohmann::json& line)>& take);

// "metrics.jsonl: 2 damaged lines were left out, and the last line is torn"; empty when all is
// well.
std::string DescribeDamage(const std::string& file, const JsonLinesCount& count);

}  // namespace ponder::report
