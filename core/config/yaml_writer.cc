#include "core/config/yaml_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/config/scalars.h"

namespace ponder {
namespace {

std::string Quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      result += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      result += c;
    }
  }
  return result + "\"";
}

// A key that YAML would take for null, a number or a truth value is quoted like a text.
std::string KeyText(const std::string& key) { return WriteYamlInline(WriteText(key)); }

bool FitsOnALine(const YamlNode& node) {
  if (node.kind == YamlNode::Kind::kMap) return node.entries.empty();
  return std::all_of(node.items.begin(), node.items.end(), [](const YamlNode& item) {
    return item.kind == YamlNode::Kind::kScalar || item.kind == YamlNode::Kind::kNull;
  });
}

// `first_indent` stands before the first entry: a list item's dash, or the indentation.
void WriteMap(const YamlNode& map, const std::string& first_indent, const std::string& indent,
              std::string* out) {
  const std::string* before = &first_indent;
  for (const YamlEntry& entry : map.entries) {
    *out += *before + KeyText(entry.key) + ":";
    before = &indent;
    if (FitsOnALine(entry.value)) {
      *out += " " + WriteYamlInline(entry.value) + "\n";
      continue;
    }
    *out += "\n";
    if (entry.value.kind == YamlNode::Kind::kMap) {
      WriteMap(entry.value, indent + "  ", indent + "  ", out);
      continue;
    }
    for (const YamlNode& item : entry.value.items) {
      WriteMap(item, indent + "  - ", indent + "    ", out);
    }
  }
}

}  // namespace

std::string WriteYaml(const YamlNode& map) {
  std::string out;
  WriteMap(map, "", "", &out);
  return out;
}

std::string WriteYamlInline(const YamlNode& node) {
  std::string out;
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "null";
    case YamlNode::Kind::kScalar:
      return node.style == YamlNode::Style::kPlain ? node.text : Quoted(node.text);
    case YamlNode::Kind::kList:
      for (const YamlNode& item : node.items) {
        out += (out.empty() ? "" : ", ") + WriteYamlInline(item);
      }
      return "[" + out + "]";
    case YamlNode::Kind::kMap:
      for (const YamlEntry& entry : node.entries) {
        out += (out.empty() ? "" : ", ") + KeyText(entry.key) + ": " + WriteYamlInline(entry.value);
      }
      return "{" + out + "}";
  }
  return out;
}

}  // namespace ponder
