// Reads YAML text into a YamlNode tree, and nothing else of YAML than an experiment needs.
//
// The parser underneath (yaml-cpp) hands out events; working on them rather than on its node graph
// keeps duplicate keys visible, tells quoted text from numbers, and bounds what aliases may expand
// to.
#pragma once

#include <optional>
#include <string>

#include "core/config/problems.h"
#include "core/config/yaml_node.h"

namespace ponder {

struct YamlLimits {
  size_t max_bytes = 1u << 20;
  size_t max_nodes = 100'000;  // after aliases are expanded
  size_t max_depth = 32;
};

// The one document in `text`. Refused, each with its place: tabs in indentation, bytes that are not
// text, tags, keys that are no plain names, more than one document, aliases to what is not
// complete, and what is beyond `limits`. ${NAME} and ${NAME:-default} in values are replaced by the
// environment. Empty when there is nothing to go on with; problems then say why. `override_index`:
// which --set the text comes from, YamlPlace::kFile for the file.
std::optional<YamlNode> LoadYaml(const std::string& text, int override_index,
                                 const YamlLimits& limits, Problems* problems);

// `value` with ${NAME} and ${NAME:-default} replaced. Sets `*substituted` when there was one.
// Empty, with
// `*error` set, when a variable is not set and has no default, or the form is broken.
std::optional<std::string> ExpandEnvironment(const std::string& value, bool* substituted,
                                             std::string* error);

}  // namespace ponder
