#include "core/config/overrides.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "core/config/nearest_name.h"
#include "core/config/scalars.h"

namespace ponder {
namespace {

struct Override {
  std::vector<std::string> path;
  YamlNode value;
};

std::optional<Override> Parse(const std::string& text, const YamlPlace& place,
                              const YamlLimits& limits, Problems* problems) {
  const size_t equals = text.find('=');
  if (equals == std::string::npos) {
    problems->Add(place, "expected KEY=VALUE, got no '='");
    return std::nullopt;
  }
  Override result;
  size_t begin = 0;
  while (begin <= equals) {
    const size_t end = std::min(text.find('.', begin), equals);
    if (end == begin) {
      problems->Add(place, "expected a key like stages.reason.num_steps before '='");
      return std::nullopt;
    }
    result.path.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  std::optional<YamlNode> value =
      LoadYaml(text.substr(equals + 1), place.override_index, limits, problems);
  if (!value) return std::nullopt;
  if (value->kind == YamlNode::Kind::kNull) {
    problems->Add(place, "expected a value after '=', got nothing");
    return std::nullopt;
  }
  result.value = std::move(*value);
  return result;
}

// The entry of `list` that `part` names, or null with a problem. `where` is the list's own path.
YamlNode* FindItem(YamlNode* list, const std::string& part, const std::string& where,
                   const YamlPlace& place, Problems* problems) {
  std::vector<std::string> names;
  for (YamlNode& item : list->items) {
    const YamlEntry* name = item.Find("name");
    if (name == nullptr || name->value.kind != YamlNode::Kind::kScalar) continue;
    if (name->value.text == part) return &item;
    names.push_back(name->value.text);
  }
  const size_t size = list->items.size();
  size_t index = 0;
  const auto result = std::from_chars(part.data(), part.data() + part.size(), index);
  if (result.ec == std::errc() && result.ptr == part.data() + part.size()) {
    if (index < size) return &list->items[index];
    problems->Add(place, where + " has " + std::to_string(size) + " entries, got index " + part +
                             " (the first is 0)");
    return nullptr;
  }
  problems->Add(place, "no entry '" + part + "' in " + where +
                           NameHint(part, names, "expected an index or one of"));
  return nullptr;
}

void Apply(Override set, const YamlPlace& place, YamlNode* root, Problems* problems) {
  YamlNode* node = root;
  std::string where;
  for (const std::string& part : set.path) {
    if (node->kind == YamlNode::Kind::kList) {
      node = FindItem(node, part, where, place, problems);
      if (node == nullptr) return;
    } else if (node->kind == YamlNode::Kind::kScalar) {
      problems->Add(place, where + " is a value and has no key '" + part + "'");
      return;
    } else {
      if (node->kind == YamlNode::Kind::kNull) {
        node->kind = YamlNode::Kind::kMap;
        node->place = place;
      }
      YamlEntry* entry = node->Find(part);
      if (entry == nullptr) {
        node->entries.push_back({part, place, {}});
        entry = &node->entries.back();
        entry->value.place = place;
      }
      node = &entry->value;
    }
    where += (where.empty() ? "" : ".") + part;
  }
  *node = std::move(set.value);
}

}  // namespace

void ApplyOverrides(const std::vector<std::string>& overrides, const YamlLimits& limits,
                    YamlNode* root, Problems* problems) {
  for (size_t i = 0; i < overrides.size(); ++i) {
    const YamlPlace place{.override_index = static_cast<int>(i)};
    std::optional<Override> parsed = Parse(overrides[i], place, limits, problems);
    if (parsed) Apply(std::move(*parsed), place, root, problems);
  }
}

}  // namespace ponder
