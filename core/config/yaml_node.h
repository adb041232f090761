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

  // Defined below: they need the complete YamlEntry.
  YamlNode();
  ~YamlNode();
  YamlNode(const YamlNode&);
  YamlNode(YamlNode&&) noexcept;
  YamlNode& operator=(const YamlNode&);
  YamlNode& operator=(YamlNode&&) noexcept;

  static YamlNode OfKind(Kind kind);
  static YamlNode Scalar(std::string text, Style style = Style::kPlain);
  // The first entry with this key, or null.
  const YamlEntry* Find(const std::string& key) const;
  YamlEntry* Find(const std::string& key);
};

struct YamlEntry {
  std::string key;
  YamlPlace place;
  YamlNode value;
};

// Defined here because a node is complete only once its entries are.
inline YamlNode YamlNode::OfKind(Kind kind) {
  YamlNode node;
  node.kind = kind;
  return node;
}

inline YamlNode YamlNode::Scalar(std::string text, Style style) {
  YamlNode node = OfKind(Kind::kScalar);
  node.style = style;
  node.text = std::move(text);
  return node;
}

inline YamlNode::YamlNode() = default;
inline YamlNode::~YamlNode() = default;
inline YamlNode::YamlNode(const YamlNode&) = default;
inline YamlNode::YamlNode(YamlNode&&) noexcept = default;
inline YamlNode& YamlNode::operator=(const YamlNode&) = default;
inline YamlNode& YamlNode::operator=(YamlNode&&) noexcept = default;

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
