// Applies --set to the tree of a file, before anything is checked: an override goes through the
// same checks as what the file says.
#pragma once

#include <string>
#include <vector>

#include "core/config/problems.h"
#include "core/config/yaml_document.h"
#include "core/config/yaml_node.h"

namespace ponder {

// Each override reads "a.b.c=VALUE", VALUE being YAML ("3", "[0.9, 0.99]"). Entries of a list are
// addressed by their `name` or by index from 0. Sections that the file leaves out are made; entries
// of lists are not. Later ones win. What is set is placed at its override.
void ApplyOverrides(const std::vector<std::string>& overrides, const YamlLimits& limits,
                    YamlNode* root, Problems* problems);

}  // namespace ponder
