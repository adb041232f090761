#include "core/config/schema.h"

#include <algorithm>
#include <map>

#include "core/config/foreign_keys.h"
#include "core/config/nearest_name.h"

namespace ponder {
namespace {

// "algorithm 'sft'"
std::string KindText(const std::string& selector, const std::string& kind) {
  return selector + " '" + kind + "'";
}

std::string JoinPath(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

std::string Shown(const std::string& path) { return path.empty() ? "the file" : path; }

bool Lists(const Kind& kind, const std::string& key) {
  return std::find(kind.keys.begin(), kind.keys.end(), key) != kind.keys.end();
}

std::string ExpectedKind(const std::string& what, const YamlNode& node) {
  const bool empty = node.kind == YamlNode::Kind::kNull;
  return "expected " + what + ", got " + Describe(node) +
         (empty ? " (leave the key out for its default)" : "");
}

}  // namespace

void Section::Read(const YamlNode& node, const std::string& path, void* object,
                   Problems* problems) const {
  const std::string shown = Shown(path);
  if (node.kind != YamlNode::Kind::kMap) {
    problems->AddAt(node.place, shown, ExpectedKind("a section", node));
    return;
  }
  const Kind* kind = KindOf(node);
  std::map<std::string, int> lines;  // of the keys seen so far
  for (const YamlEntry& entry : node.entries) {
    const auto [seen, is_new] = lines.emplace(entry.key, entry.place.line);
    if (!is_new) {
      problems->Add(entry.place, "duplicate key '" + entry.key + "' in " + shown +
                                     "; it is given first in line " + std::to_string(seen->second));
      continue;
    }
    const Key* key = Find(entry.key);
    const std::string key_path = JoinPath(path, entry.key);
    if (key == nullptr) {
      problems->Distrust(path);
      // Keys of another program are told one by one; their section says no more.
      if (!TellForeignKeys(entry.value, key_path, problems)) {
        problems->Add(entry.place, UnknownKeyText(kind, entry.key, path));
      }
      continue;
    }
    if (!Takes(kind, entry.key)) {
      problems->AddAt(entry.place, key_path,
                      KindText(selector_, kind->name) + " takes no '" + entry.key +
                          "'; it is for " + JoinNames(KindsThatTake(entry.key)));
      continue;
    }
    key->read(entry.value, key_path, object, problems);
  }
  CheckNeeds(node, path, problems);
  for (const Key& key : keys_) {
    if (!key.spec.required || lines.contains(key.spec.name)) continue;
    const std::vector<std::string> takers = KindsThatTake(key.spec.name);
    // Without a known kind, nobody can say whether a kind's own key is missing.
    if (!takers.empty() && (kind == nullptr || !Takes(kind, key.spec.name))) continue;
    problems->AddAt(node.place, JoinPath(path, key.spec.name),
                    takers.empty() ? "missing; it has no default"
                                   : "missing; " + KindText(selector_, kind->name) + " needs it");
  }
}

YamlNode Section::Write(const void* object) const {
  YamlNode map = YamlNode::OfKind(YamlNode::Kind::kMap);
  const Kind* kind = nullptr;
  for (const Key& key : keys_) {
    if (!Takes(kind, key.spec.name)) continue;
    if (!key.spec.needs.empty() && map.Find(key.spec.needs) == nullptr) continue;
    YamlNode value = key.write(object);
    if (key.spec.name == selector_) {
      for (const Kind& candidate : kinds_) {
        if (candidate.name == value.text) kind = &candidate;
      }
    }
    if (key.spec.omit_default && value.text == key.spec.default_text) continue;
    map.entries.push_back({key.spec.name, {}, std::move(value)});
  }
  return map;
}

YamlNode Section::Defaults() const {
  YamlNode map = YamlNode::OfKind(YamlNode::Kind::kMap);
  for (const Key& key : keys_) map.entries.push_back({key.spec.name, {}, key.write_default()});
  return map;
}

std::vector<std::string> Section::KindsThatTake(const std::string& key) const {
  std::vector<std::string> names;
  for (const Kind& kind : kinds_) {
    if (Lists(kind, key)) names.push_back(kind.name);
  }
  return names;
}

const Key* Section::Find(const std::string& name) const {
  for (const Key& key : keys_) {
    if (key.spec.name == name) return &key;
  }
  return nullptr;
}

Key Section::MakeKey(KeySpec spec, std::string type, std::string range, const Section* child,
                     std::string child_suffix) {
  Key key;
  key.spec = std::move(spec);
  key.type = std::move(type);
  key.range = std::move(range);
  key.child = child;
  key.child_suffix = std::move(child_suffix);
  return key;
}

size_t Section::CheckedListSize(const YamlNode& node, const std::string& path, size_t min_entries,
                                Problems* problems) {
  if (node.kind != YamlNode::Kind::kList) {
    problems->AddAt(node.place, path, ExpectedKind("a list", node));
  } else if (node.items.size() < min_entries) {
    problems->AddAt(node.place, path,
                    "expected " + std::to_string(min_entries) + " or more entries, got " +
                        std::to_string(node.items.size()));
  }
  return node.items.size();
}

void Section::CheckNamesDiffer(const YamlNode& list, const std::string& path, Problems* problems) {
  std::map<std::string, size_t> first;  // index by name
  for (size_t i = 0; i < list.items.size(); ++i) {
    const YamlEntry* name = list.items[i].Find("name");
    if (name == nullptr || name->value.kind != YamlNode::Kind::kScalar) continue;
    const auto [found, is_new] = first.emplace(name->value.text, i);
    if (is_new) continue;
    problems->AddAt(name->value.place, path + "[" + std::to_string(i) + "].name",
                    "'" + name->value.text + "' is the name of " + path + "[" +
                        std::to_string(found->second) + "] already");
  }
}

std::vector<const YamlEntry*> Section::CheckedNames(const YamlNode& map, const std::string& path,
                                                    Problems* problems) {
  std::vector<const YamlEntry*> entries;
  if (map.kind != YamlNode::Kind::kMap) {
    problems->AddAt(map.place, path, ExpectedKind("sections by name", map));
    return entries;
  }
  if (map.entries.empty()) problems->AddAt(map.place, path, "expected 1 or more entries, got 0");
  std::map<std::string, int> lines;
  for (const YamlEntry& entry : map.entries) {
    const auto [seen, is_new] = lines.emplace(entry.key, entry.place.line);
    if (!is_new) {
      problems->Add(entry.place, "duplicate key '" + entry.key + "' in " + path +
                                     "; it is given first in line " + std::to_string(seen->second));
      continue;
    }
    std::string error;
    // A key is always a name: only its characters can be wrong.
    if (!ReadText(YamlNode::Scalar(entry.key, YamlNode::Style::kQuoted), {}, &error)) {
      problems->AddAt(entry.place, path, error);
      continue;
    }
    entries.push_back(&entry);
  }
  return entries;
}

void Section::CheckNeeds(const YamlNode& map, const std::string& path, Problems* problems) const {
  if (problems->Has(path)) return;  // a misspelled key may be the one that is needed
  for (const YamlEntry& entry : map.entries) {
    const Key* key = Find(entry.key);
    if (key == nullptr || key->spec.needs.empty() || map.Find(key->spec.needs) != nullptr) continue;
    problems->AddAt(
        entry.place, JoinPath(path, entry.key),
        "expected '" + key->spec.needs + "' beside it, got none (alone it does nothing)");
  }
}

const Kind* Section::KindOf(const YamlNode& map) const {
  if (selector_.empty()) return nullptr;
  const YamlEntry* entry = map.Find(selector_);
  if (entry == nullptr) return nullptr;
  for (const Kind& kind : kinds_) {
    if (kind.name == entry->value.text) return &kind;
  }
  return nullptr;
}

bool Section::Takes(const Kind* kind, const std::string& key) const {
  return kind == nullptr || Lists(*kind, key) || KindsThatTake(key).empty();
}

std::string Section::UnknownKeyText(const Kind* kind, const std::string& name,
                                    const std::string& path) const {
  const std::string text = "unknown key '" + name + "' in " + Shown(path);
  for (const auto& [foreign, hint] : foreign_) {
    if (foreign == name) return text + "; " + hint;
  }
  if (const std::string hint = ForeignHint(path, name); !hint.empty()) return text + "; " + hint;
  std::vector<std::string> taken;
  for (const Key& key : keys_) {
    if (Takes(kind, key.spec.name)) taken.push_back(key.spec.name);
  }
  return text + NameHint(name, taken, "its keys are");
}

}  // namespace ponder
