// Compares experiments key by key, by the declarations.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/config/experiment.h"
#include "core/config/experiment_schema.h"
#include "core/config/yaml_writer.h"

namespace ponder {
namespace {

struct Leaf {
  std::string key;
  KeyClass key_class;
  std::string value;
};

// A key inside a soft section is soft at most.
KeyClass Weaker(KeyClass a, KeyClass b) { return std::max(a, b); }

std::string NameOf(const YamlNode& item) {
  const YamlEntry* name = item.Find("name");
  return name == nullptr ? std::string() : name->value.text;
}

// Adds the leaves of `map`, which `section` wrote. `prefix` is empty or ends with '.'.
void Flatten(const Section& section, const YamlNode& map, const std::string& prefix, KeyClass outer,
             std::vector<Leaf>* leaves) {
  for (const YamlEntry& entry : map.entries) {
    const Key& key = *section.Find(entry.key);
    const KeyClass key_class = Weaker(outer, key.spec.key_class);
    const std::string path = prefix + entry.key;
    if (key.child == nullptr) {
      leaves->push_back({path, key_class, WriteYamlInline(entry.value)});
    } else if (key.child_suffix.empty()) {
      Flatten(*key.child, entry.value, path + ".", key_class, leaves);
    } else if (entry.value.kind == YamlNode::Kind::kMap) {
      for (const YamlEntry& named : entry.value.entries) {
        Flatten(*key.child, named.value, path + "." + named.key + ".", key_class, leaves);
      }
    } else {
      YamlNode order = YamlNode::OfKind(YamlNode::Kind::kList);
      for (const YamlNode& item : entry.value.items) {
        order.items.push_back(YamlNode::Scalar(NameOf(item)));
      }
      leaves->push_back({path, key_class, WriteYamlInline(order)});
      for (const YamlNode& item : entry.value.items) {
        Flatten(*key.child, item, path + "." + NameOf(item) + ".", key_class, leaves);
      }
    }
  }
}

std::vector<Leaf> LeavesOf(const ExperimentConfig& config) {
  std::vector<Leaf> leaves;
  const Section& section = ExperimentSection();
  Flatten(section, section.Write(&config), "", KeyClass::kExact, &leaves);
  return leaves;
}

}  // namespace

std::vector<KeyDifference> CompareExperiments(const ExperimentConfig& before,
                                              const ExperimentConfig& after) {
  constexpr const char* kAbsent = "(absent)";
  const std::vector<Leaf> old_leaves = LeavesOf(before);
  std::map<std::string, std::string> old_values;
  for (const Leaf& leaf : old_leaves) old_values[leaf.key] = leaf.value;
  std::vector<KeyDifference> differences;
  for (const Leaf& leaf : LeavesOf(after)) {
    const auto found = old_values.find(leaf.key);
    const std::string value = found == old_values.end() ? kAbsent : found->second;
    if (value != leaf.value) {
      differences.push_back({leaf.key, leaf.key_class, value, leaf.value});
    }
    if (found != old_values.end()) old_values.erase(found);
  }
  for (const Leaf& leaf : old_leaves) {
    if (!old_values.contains(leaf.key)) continue;
    differences.push_back({leaf.key, leaf.key_class, leaf.value, kAbsent});
  }
  return differences;
}

}  // namespace ponder
