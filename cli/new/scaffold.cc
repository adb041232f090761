#include "cli/new/scaffold.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

#include "cli/new/templates.h"
#include "core/base/error.h"

namespace ponder {
namespace {

constexpr size_t kMaxNameBytes = 32;

// Keywords and other words of C++20 that cannot name a file's contents.
constexpr std::array kReserved = std::to_array<std::string_view>(
    {"alignas",   "alignof",       "and",         "and_eq",
     "asm",       "auto",          "bitand",      "bitor",
     "bool",      "break",         "case",        "catch",
     "char",      "char8_t",       "char16_t",    "char32_t",
     "class",     "compl",         "concept",     "const",
     "consteval", "constexpr",     "constinit",   "const_cast",
     "continue",  "co_await",      "co_return",   "co_yield",
     "decltype",  "default",       "delete",      "do",
     "double",    "dynamic_cast",  "else",        "enum",
     "explicit",  "export",        "extern",      "false",
     "float",     "for",           "friend",      "goto",
     "if",        "inline",        "int",         "long",
     "mutable",   "namespace",     "new",         "noexcept",
     "not",       "not_eq",        "nullptr",     "operator",
     "or",        "or_eq",         "private",     "protected",
     "public",    "register",      "return",      "reinterpret_cast",
     "requires",  "short",         "signed",      "sizeof",
     "static",    "static_assert", "static_cast", "struct",
     "switch",    "template",      "this",        "thread_local",
     "throw",     "true",          "try",         "typedef",
     "typeid",    "typename",      "union",       "unsigned",
     "using",     "virtual",       "void",        "volatile",
     "wchar_t",   "while",         "xor",         "xor_eq"});

bool IsLowerSnakeCase(std::string_view name) {
  char before = '_';
  for (const char c : name) {
    const bool letter = c >= 'a' && c <= 'z';
    const bool digit = c >= '0' && c <= '9';
    if (!letter && !digit && c != '_') return false;
    if (before == '_' && !letter) return false;
    before = c;
  }
  return before != '_';
}

void CheckName(const std::string& name) {
  std::string problem;
  if (!IsLowerSnakeCase(name) || name.size() > kMaxNameBytes) {
    problem = "words of lower-case letters and digits joined by '_', at most " +
              std::to_string(kMaxNameBytes) + " characters";
  } else if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end()) {
    problem = "a name that is no word of C++";
  }
  if (!problem.empty()) {
    throw Error(Condition::kUsage, "NAME: expected " + problem + ", got '" + name + "'");
  }
}

// "two_words" becomes "TwoWords".
std::string TypeName(const std::string& name) {
  std::string type;
  bool starts_word = true;
  for (const char c : name) {
    if (c != '_') type += starts_word ? static_cast<char>(std::toupper(c)) : c;
    starts_word = c == '_';
  }
  return type;
}

// Text with @name@ and @Name@ replaced.
std::string Fill(std::string_view text, const std::string& name) {
  std::string filled(text);
  const std::pair<std::string_view, std::string> values[] = {{"@name@", name},
                                                             {"@Name@", TypeName(name)}};
  for (const auto& [placeholder, value] : values) {
    for (size_t at = filled.find(placeholder); at != std::string::npos;
         at = filled.find(placeholder, at + value.size())) {
      filled.replace(at, placeholder.size(), value);
    }
  }
  return filled;
}

std::string FromTemplate(std::string_view file, const std::string& name) {
  for (const Template& candidate : Templates()) {
    if (candidate.name == file) return Fill(candidate.text, name);
  }
  throw Error(Condition::kInternal, "looking up a template: there is no " + std::string(file));
}

// A row of a table that must not have one with this name yet.
FileChange AddRow(const std::string& path, const LineBlock& block, const std::string& name,
                  const std::string& row) {
  return {path, [block, name, row](SourceText* source) {
            if (TextOf(block, *source).find("{\"" + name + "\"") != std::string_view::npos) {
              throw Error(Condition::kUsage, "NAME: '" + name + "' is taken (" + source->path +
                                                 " has a row for it); choose another");
            }
            AppendToBlock(block, row, source);
          }};
}

FileChange AddTest(const std::string& path, const std::string& target, const std::string& file,
                   const std::string& how) {
  return {path, [=](SourceText* source) {
            source->text += "ponder_test(" + target + " SOURCES " + file + " " + how + ")\n";
          }};
}

FileChange AddSource(const std::string& path, const std::string& library, const std::string& file) {
  return {path, [=](SourceText* source) {
            InsertAfter("ponder_library(" + library + "\n  SOURCES ", file + " ", source);
          }};
}

constexpr const char* kKinds = "core/config/kinds.cc";

Scaffold TaskScaffold(const std::string& name) {
  const std::string type = TypeName(name);
  const std::string test = name + "_task_test";
  return {.new_files = {{"tasks/" + name + ".h", FromTemplate("task.h.in", name)},
                        {"tasks/" + name + ".cc", FromTemplate("task.cc.in", name)},
                        {"tests/tasks/" + name + "_test.cc", FromTemplate("task_test.cc.in", name)},
                        {"configs/" + name + ".yaml", FromTemplate("task.yaml.in", name)}},
          .changes = {AddRow(kKinds, {"std::vector<TaskTypeRow> TaskTypeRows() {", "  };"}, name,
                             "      {.kind = {\"" + name +
                                 "\",\n"
                                 "                {\"modulus\", \"num_operations\", \"task_seed\", "
                                 "\"slip_probability\"}},\n"
                                 "       .demonstrators = {\"exact\", \"sloppy\"},\n"
                                 "       .answer_reward = \"exact_answer\"},\n"),
                      {"tasks/registry.cc",
                       [=](SourceText* source) {
                         InsertSorted({"#include \"core/base/error.h\"", ""},
                                      "#include \"tasks/" + name + ".h\"\n", source);
                         IncrementAfter("std::array<TaskRow, ", source);
                         InsertSorted({"kTasks{{", "}};"},
                                      "    {\"" + name + "\", Make" + type + "Task},\n", source);
                       }},
                      AddSource("tasks/CMakeLists.txt", "ponder_tasks", name + ".cc"),
                      AddTest("tests/tasks/CMakeLists.txt", test, name + "_test.cc",
                              "DEPS ponder_tasks")},
          .test = test};
}

Scaffold RewardScaffold(const std::string& name) {
  const std::string make = "Make" + TypeName(name) + "Reward";
  const std::string test = name + "_reward_test";
  return {
      .new_files = {{"reward/service/" + name + ".cc", FromTemplate("reward.cc.in", name)},
                    {"tests/reward/" + name + "_test.cc", FromTemplate("reward_test.cc.in", name)},
                    {"configs/" + name + ".yaml", FromTemplate("reward.yaml.in", name)}},
      .changes = {AddRow(kKinds, {"std::vector<Kind> RewardKinds() {", "  };"}, name,
                         "      {\"" + name + "\", {}},\n"),
                  {"reward/service/table.cc",
                   [=](SourceText* source) {
                     IncrementAfter("std::array<SourceRow, ", source);
                     AppendToBlock({"kSources{{", "}};"}, "    {\"" + name + "\", " + make + "},\n",
                                   source);
                   }},
                  {"reward/service/reward_source.h",
                   [=](SourceText* source) {
                     AppendToBlock({"class RewardSource {", "}  // namespace ponder"},
                                   "// reward/service/" + name +
                                       ".cc says what it prefers.\nstd::unique_ptr<RewardSource> " +
                                       make + "(const RewardConfig& config, const Task& task,\n" +
                                       std::string(make.size() + 30, ' ') +
                                       "const RewardContext& context);\n\n",
                                   source);
                   }},
                  AddSource("reward/service/CMakeLists.txt", "ponder_reward_service", name + ".cc"),
                  AddTest("tests/reward/CMakeLists.txt", test, name + "_test.cc",
                          "DEPS ponder_reward_service")},
      .test = test};
}

Scaffold AlgorithmScaffold(const std::string& name) {
  const std::string folder = "trainer/algorithms/";
  const std::string test = name + "_algorithm_test";
  return {.new_files = {{folder + name + ".h", FromTemplate("algorithm.h.in", name)},
                        {folder + name + ".cc", FromTemplate("algorithm.cc.in", name)},
                        {"tests/" + folder + name + "_test.cc",
                         FromTemplate("algorithm_test.cc.in", name)},
                        {"configs/" + name + ".yaml", FromTemplate("algorithm.yaml.in", name)}},
          .changes = {AddRow(kKinds, {"std::vector<Kind> AlgorithmKinds() {", "  };"}, name,
                             "      {\"" + name +
                                 "\",\n       {\"num_steps\", \"optimizer\", \"schedule\", "
                                 "\"task\", \"prompts_per_step\", \"samples_per_prompt\",\n"
                                 "        \"rollout\", \"rewards\"}},\n"),
                      {folder + "table.cc",
                       [=](SourceText* source) {
                         InsertSorted({"#include \"core/base/error.h\"", ""},
                                      "#include \"trainer/algorithms/" + name + ".h\"\n", source);
                         InsertSorted({"kAlgorithms = {", "};"},
                                      "    Row{\"" + name + "\", &Make" + TypeName(name) + "},\n",
                                      source);
                       }},
                      AddSource(folder + "CMakeLists.txt", "ponder_algorithms", name + ".cc"),
                      AddTest("tests/" + folder + "CMakeLists.txt", test, name + "_test.cc",
                              "DEPS ponder_algorithms ponder_text TORCH")},
          .test = test};
}

}  // namespace

Scaffold MakeScaffold(NewKind kind, const std::string& name) {
  CheckName(name);
  switch (kind) {
    case NewKind::kTask:
      return TaskScaffold(name);
    case NewKind::kReward:
      return RewardScaffold(name);
    case NewKind::kAlgorithm:
      return AlgorithmScaffold(name);
  }
  throw Error(Condition::kInternal, "making a scaffold: no such kind");
}

}  // namespace ponder
