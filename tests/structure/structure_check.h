// What the compiler does not check: the direction of includes, the length of files, and that
// a name means one type.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ponder {

// Every violation under `root`, one a line: "file:line: what, expected". Reads sources only.
std::vector<std::string> CheckStructure(const std::filesystem::path& root);

}  // namespace ponder
