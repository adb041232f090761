// Writes a YamlNode tree as YAML text.
#pragma once

#include <string>

#include "core/config/yaml_node.h"

namespace ponder {

// Block style, two spaces a level; lists of scalars on one line. LoadYaml reads it back to the same
// tree.
std::string WriteYaml(const YamlNode& map);

// One scalar, list or map on one line.
std::string WriteYamlInline(const YamlNode& node);

}  // namespace ponder
