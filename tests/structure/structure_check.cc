#include "tests/structure/structure_check.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

namespace ponder {
namespace {

constexpr size_t kMaxLines = 500;

// Folder -> folders it may include besides itself; the longest matching folder rules. "proto"
// stands for the generated ponder/v1 headers.
const std::map<std::string, std::vector<std::string>>& AllowedIncludes() {
  static const std::map<std::string, std::vector<std::string>> kAllowed{
      {"core/base", {"proto"}},
      {"core/config", {"core/base"}},
      {"core/usage", {"core/base", "core/config"}},
      {"core/text", {"core/base"}},
      {"core/weights", {"core/base"}},
      {"core/answers", {"core/base"}},
      {"tasks", {"core"}},
      {"model", {"core"}},
      {"rollout/engine", {"model", "core"}},
      {"rollout", {"model", "tasks", "core", "proto"}},
      {"reward", {"tasks", "core", "proto"}},
      {"trainer/experience", {"core"}},
      {"trainer/services", {"trainer/experience", "core", "proto"}},
      {"trainer/checkpoint", {"core", "proto"}},
      {"trainer/comm", {"core"}},
      {"trainer/objectives", {"model", "core"}},
      {"trainer/optim", {"trainer/comm", "model", "core"}},
      {"trainer/algorithms", {"trainer/objectives", "model", "tasks", "core"}},
      {"trainer", {"model", "tasks", "core", "proto"}},
      {"cli", {"tasks", "trainer/checkpoint", "core"}},
  };
  return kAllowed;
}

// Folders whose sources must not see LibTorch.
const std::vector<std::string>& TorchFree() {
  static const std::vector<std::string> kTorchFree{"core",
                                                   "tasks",
                                                   "reward/external",
                                                   "reward/service",
                                                   "cli",
                                                   "trainer/experience",
                                                   "trainer/services",
                                                   "trainer/checkpoint",
                                                   "trainer/comm"};
  return kTorchFree;
}

bool Inside(const std::string& path, const std::string& folder) {
  return path == folder || path.starts_with(folder + "/");
}

std::string RuleOf(const std::string& path) {
  std::string rule;
  for (const auto& [folder, allowed] : AllowedIncludes()) {
    if (Inside(path, folder) && folder.size() > rule.size()) rule = folder;
  }
  return rule;
}

// The path between the quotes or brackets of an #include line; empty for other lines.
std::string IncludedPath(const std::string& line) {
  const size_t hash = line.find_first_not_of(" \t");
  if (hash == std::string::npos || line[hash] != '#') return {};
  const size_t word = line.find_first_not_of(" \t", hash + 1);
  if (word == std::string::npos || line.compare(word, 7, "include") != 0) return {};
  const size_t open = line.find_first_of("\"<", word + 7);
  if (open == std::string::npos) return {};
  const size_t close = line.find_first_of("\">", open + 1);
  return close == std::string::npos ? std::string() : line.substr(open + 1, close - open - 1);
}

// The project folder that an include reaches into; empty for other libraries.
std::string TargetOf(const std::string& include) {
  if (include.starts_with("ponder/v1/")) return "proto";
  const std::string top = include.substr(0, include.find('/'));
  if (top.size() == include.size()) return {};
  for (const auto& [folder, allowed] : AllowedIncludes()) {
    if (folder.substr(0, folder.find('/')) == top) return include;
  }
  return {};
}

std::string Join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

void CheckInclude(const std::string& name, size_t number, const std::string& include,
                  std::vector<std::string>* problems) {
  const std::string where = name + ":" + std::to_string(number) + ": ";
  const std::string rule = RuleOf(name);
  const bool is_torch =
      include.starts_with("ATen/") || include.starts_with("c10/") || include.starts_with("torch/");
  for (const std::string& folder : TorchFree()) {
    if (is_torch && Inside(name, folder)) {
      problems->push_back(where + "includes " + include + ", but " + folder + " is torch-free");
    }
  }
  const std::string target = TargetOf(include);
  if (rule.empty() || target.empty() || Inside(target, rule)) return;
  const std::vector<std::string>& allowed = AllowedIncludes().at(rule);
  const bool permitted =
      std::any_of(allowed.begin(), allowed.end(),
                  [&](const std::string& folder) { return Inside(target, folder); });
  if (!permitted) {
    problems->push_back(where + rule + " may not include " + include +
                        "; besides itself it may include " + Join(allowed));
  }
}

// The type that `line` of a header defines in the namespace of the project, or nothing.
std::string DefinedType(const std::string& line) {
  static const std::regex kDefinition("^(?:struct|class|enum class) ([A-Za-z]+)(?: [^;]*)?$");
  std::smatch match;
  return std::regex_search(line, match, kDefinition) ? match[1].str() : std::string();
}

}  // namespace

std::vector<std::string> CheckStructure(const std::filesystem::path& root) {
  std::vector<std::string> problems;
  std::vector<std::filesystem::path> sources;
  for (auto entry = std::filesystem::recursive_directory_iterator(root);
       entry != std::filesystem::recursive_directory_iterator(); ++entry) {
    const std::string leaf = entry->path().filename().string();
    if (entry->is_directory() && (leaf.starts_with(".") || leaf == "build" || leaf == "runs")) {
      entry.disable_recursion_pending();
      continue;
    }
    const std::string extension = entry->path().extension().string();
    const bool is_source = extension == ".h" || extension == ".cc" || extension == ".proto" ||
                           extension == ".sh" || extension == ".cmake";
    if (entry->is_regular_file() && is_source) sources.push_back(entry->path());
  }
  std::sort(sources.begin(), sources.end());
  std::map<std::string, std::string> types;  // where each is defined
  for (const std::filesystem::path& path : sources) {
    const std::string name = std::filesystem::relative(path, root).generic_string();
    const bool is_cpp = path.extension() == ".h" || path.extension() == ".cc";
    std::ifstream stream(path);
    std::string line;
    size_t number = 0;
    while (std::getline(stream, line)) {
      ++number;
      const std::string include = is_cpp ? IncludedPath(line) : std::string();
      if (!include.empty()) CheckInclude(name, number, include, &problems);
      const std::string type = path.extension() == ".h" ? DefinedType(line) : std::string();
      if (type.empty()) continue;
      const std::string where = name + ":" + std::to_string(number);
      const auto [first, is_new] = types.emplace(type, where);
      if (!is_new) {
        problems.push_back(where + ": " + type + " is defined in " + first->second +
                           " already; two types of one name in one program are one to the linker");
      }
    }
    if (number > kMaxLines) {
      problems.push_back(name + ": " + std::to_string(number) + " lines, expected at most " +
                         std::to_string(kMaxLines) + " (one idea a file)");
    }
  }
  return problems;
}

}  // namespace ponder
