// What the compiler does not check: the direction of includes and the length of files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ponder {

// Every violation under `root`, one a line: "file:line: what, expected". Reads sources only.
std::vector<std::string> CheckStructure(const std::filesystem::path& root);

}  // namespace ponder
