#include "core/base/runtime_libraries.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "core/base/error.h"

namespace ponder {
namespace {

constexpr std::array<std::string_view, 6> kWatched{"libnccl",     "libgomp", "libcudart",
                                                   "libprotobuf", "libgrpc", "libmpi"};

// "libgomp" of "libgomp-24e2ab19.so.1": the name before the version, without a build's hash.
std::string_view FamilyOf(std::string_view file) {
  const size_t extension = file.find(".so");
  if (extension == std::string_view::npos) return {};
  std::string_view name = file.substr(0, extension);
  const size_t dash = name.rfind('-');
  if (dash != std::string_view::npos && name.size() - dash == 9 &&
      name.find_first_not_of("0123456789abcdef", dash + 1) == std::string_view::npos) {
    name = name.substr(0, dash);
  }
  return name;
}

}  // namespace

RuntimeLibraries ParseRuntimeLibraries(std::string_view maps) {
  RuntimeLibraries libraries;
  while (!maps.empty()) {
    const size_t end = std::min(maps.find('\n'), maps.size());
    const std::string_view line = maps.substr(0, end);
    maps.remove_prefix(std::min(end + 1, maps.size()));
    const size_t slash = line.find('/');  // the first five fields have none
    if (slash == std::string_view::npos) continue;
    const std::string_view path = line.substr(slash);
    const std::string_view family = FamilyOf(path.substr(path.rfind('/') + 1));
    for (const std::string_view watched : kWatched) {
      if (family == watched) libraries[std::string(family)].insert(std::string(path));
    }
  }
  return libraries;
}

RuntimeLibraries LoadedRuntimeLibraries() {
  std::ifstream stream("/proc/self/maps");
  std::ostringstream text;
  text << stream.rdbuf();
  if (!stream) throw Error(Condition::kIo, "reading /proc/self/maps: it cannot be read");
  return ParseRuntimeLibraries(text.str());
}

std::string RuntimeLibrariesJson(const RuntimeLibraries& libraries) {
  return nlohmann::json{{"libraries", libraries}}.dump();
}

}  // namespace ponder
