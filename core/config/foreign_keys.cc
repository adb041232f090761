#include "core/config/foreign_keys.h"

#include <array>
#include <set>

namespace ponder {
namespace {

constexpr std::string_view kDocument = "docs/from_verl_and_trl.md";

// "stages[1].rollout" -> "stages"
std::string_view FirstPart(std::string_view path) {
  return path.substr(0, path.find_first_of(".["));
}

// "a.b.c" -> "c"
std::string_view LastPart(std::string_view path) {
  const size_t dot = path.rfind('.');
  return dot == std::string_view::npos ? path : path.substr(dot + 1);
}

// Whether `name` in the section at `path` is meant to be `key`.
bool IsMeant(const ForeignKey& key, std::string_view path, std::string_view name) {
  const std::string whole = path.empty() ? std::string(name) : std::string(path) + "." += name;
  if (key.key == name || key.key == whole) return true;
  if (path.empty() || LastPart(key.key) != name) return false;
  const std::string tail = "." + std::string(LastPart(path)) + "." + std::string(name);
  return FirstPart(key.ours) == FirstPart(path) || ("." + std::string(key.key)).ends_with(tail);
}

bool HasSection(const ForeignProgram& program, std::string_view name) {
  const std::string prefix = std::string(name) + ".";
  for (const ForeignKey& key : program.keys) {
    if (key.key.starts_with(prefix)) return true;
  }
  return false;
}

}  // namespace

std::span<const ForeignProgram> ForeignPrograms() {
  static const std::array kPrograms{ForeignProgram{"verl", VerlKeys()},
                                    ForeignProgram{"TRL", TrlKeys()},
                                    ForeignProgram{"OpenRLHF", OpenRlhfKeys()}};
  return kPrograms;
}

std::string ForeignText(const ForeignProgram& program, const ForeignKey& key) {
  std::string text = std::string(program.name) + "'s " + std::string(key.key);
  text += key.ours.empty() ? " has no counterpart here" : " is " + std::string(key.ours) + " here";
  if (!key.note.empty()) text += " (" + std::string(key.note) + ")";
  return text;
}

std::string ForeignHint(const std::string& path, const std::string& name) {
  std::string hint;
  std::set<std::string_view> told;  // counterparts
  for (const ForeignProgram& program : ForeignPrograms()) {
    for (const ForeignKey& key : program.keys) {
      if (!IsMeant(key, path, name) || !told.insert(key.ours).second) continue;
      hint += (hint.empty() ? "" : "; ") + ForeignText(program, key);
    }
    if (hint.empty() && path.empty() && HasSection(program, name)) {
      hint = "it is a section of " + std::string(program.name) + "'s: " + std::string(kDocument) +
             " says what its keys are here";
    }
  }
  return hint;
}

bool TellForeignKeys(const YamlNode& node, const std::string& path, Problems* problems) {
  bool is_any = false;
  for (const YamlEntry& entry : node.entries) {
    const std::string whole = path + "." + entry.key;
    for (const ForeignProgram& program : ForeignPrograms()) {
      for (const ForeignKey& key : program.keys) {
        if (key.key != whole) continue;
        problems->Add(entry.place, ForeignText(program, key));
        is_any = true;
      }
    }
    is_any = TellForeignKeys(entry.value, whole, problems) || is_any;
  }
  return is_any;
}

}  // namespace ponder
