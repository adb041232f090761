// A YAML document as a plain tree in which every key and value knows where it was written.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace ponder {

// Where a key or a value was written: in the file, or in the --set with index `override_index`.
struct YamlPlace {
  static constexpr int kFile = -1;
  int override_index = kFile;
  int line = 1;    // from 1; meaningless in a --set
  int column = 1;  // from 1
};

struct YamlEntry;

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };
  // A substituted scalar came out of ${...}: it may be read as a number or as text.
  enum class Style { kPlain, kQuoted, kSubstituted };

  Kind kind = Kind::kNull;
  Style style = Style::kPlain;
  std::string text;  // of a scalar
  YamlPlace place;   // of a null: that of its key
  std::vector<YamlNode> items;
  std::vector<YamlEntry> entries;  // in the order of the file; duplicate keys are kept

  static YamlNode OfKind(Kind kind) {
    YamlNode node;
    node.kind = kind;
    return node;
  }
  static YamlNode Scalar(std::string text, Style style = Style::kPlain) {
    YamlNode node;
    node.kind = Kind::kScalar;
    node.style = style;
    node.text = std::move(text);
    return node;
  }
  // The first entry with this key, or null.
  const YamlEntry* Find(const std::string& key) const;
  YamlEntry* Find(const std::string& key);
};

struct YamlEntry {
  std::string key;
  YamlPlace place;
  YamlNode value;
};

inline const YamlEntry* YamlNode::Find(const std::string& key) const {
  for (const YamlEntry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

inline YamlEntry* YamlNode::Find(const std::string& key) {
  return const_cast<YamlEntry*>(std::as_const(*this).Find(key));
}

}  // namespace ponder
