#include "cli/completion/experiment_keys.h"

#include "core/config/experiment_schema.h"
#include "core/config/yaml_node.h"

namespace ponder {
namespace {

bool IsSection(const YamlNode& node) { return node.kind == YamlNode::Kind::kMap; }

void AddKeys(const YamlNode& node, const std::string& path, std::vector<std::string>* keys) {
  const std::string prefix = path.empty() ? "" : path + ".";
  if (IsSection(node)) {
    for (const YamlEntry& entry : node.entries) AddKeys(entry.value, prefix + entry.key, keys);
  } else if (!node.items.empty() && IsSection(node.items.front())) {
    for (size_t i = 0; i < node.items.size(); ++i) {
      const YamlEntry* name = node.items[i].Find("name");
      AddKeys(node.items[i], prefix + (name == nullptr ? std::to_string(i) : name->value.text),
              keys);
    }
  } else {
    keys->push_back(path);
  }
}

}  // namespace

std::vector<std::string> KeysOf(const ExperimentConfig& config) {
  std::vector<std::string> keys;
  AddKeys(ExperimentSection().Write(&config), "", &keys);
  return keys;
}

}  // namespace ponder
