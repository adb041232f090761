// The documentation of all keys, from their declarations.
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/config/experiment.h"
#include "core/config/experiment_schema.h"
#include "core/config/nearest_name.h"
#include "core/config/yaml_writer.h"

namespace ponder {
namespace {

constexpr const char* kHead = R"(# Experiment files

One YAML file describes an experiment from its first weights to its final policy. The files here
all run:

| file | what it shows |
|---|---|
| [quickstart.yaml](quickstart.yaml) | a tiny decoder learns modular arithmetic, in three stages |
| [countdown.yaml](countdown.yaml) | another decoder learns to search with look-ahead; answers are not unique |
| [tiny_smoke.yaml](tiny_smoke.yaml) | the same stages in a few steps each, to test the machinery |

`ponder validate FILE` checks a file, tells everything that is wrong with it, prints it with every
key written out, and starts nothing. `--set stages.reason.num_steps=10` changes a key for one run;
entries of lists go by their name or by their index from 0. `${NAME}` and `${NAME:-default}` in a
value stand for the environment.

Numbers are decimal; truth values are `true` and `false`; text that looks like something else is
quoted. All counts are global, never per rank.

The class of a key says what happens when it changes in a run that goes on:

* exact: something else would be learned; the run refuses to go on.
* soft: only the last bits, or what is measured, change; the run goes on with a warning.
* free: nothing that was done already changes.

The tables below are made from the declarations that the reader itself goes by
(`ponder config-reference > configs/README.md`).
)";

const char* ClassName(KeyClass key_class) {
  switch (key_class) {
    case KeyClass::kExact:
      return "exact";
    case KeyClass::kSoft:
      return "soft";
    case KeyClass::kFree:
      return "free";
  }
  return "";
}

// A plain section has no value of its own that could change.
std::string ClassText(const Key& key, KeyClass outer) {
  const bool is_plain_section = key.child != nullptr && key.child_suffix.empty();
  return is_plain_section ? "-" : ClassName(std::max(outer, key.spec.key_class));
}

std::string DefaultText(const Key& key, const YamlNode& defaults) {
  if (key.spec.required) return "required";
  if (key.spec.omit_default) return "not given";
  if (!key.spec.default_text.empty()) return "`" + key.spec.default_text + "`";
  if (key.child != nullptr && key.child_suffix.empty()) return "below";
  const YamlEntry* entry = defaults.Find(key.spec.name);
  return entry == nullptr ? std::string() : "`" + WriteYamlInline(entry->value) + "`";
}

// A '|' would end the table's cell.
std::string Cell(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '|' ? std::string("\\|") : std::string(1, c);
  return result;
}

void AppendSection(const Section& section, const std::string& path, KeyClass outer,
                   std::string* out) {
  *out += path.empty() ? "\n## Top level\n\n" : "\n## `" + path + "`\n\n";
  *out += "| key | type | range | unit | default | class | for | meaning |\n";
  *out += "|---|---|---|---|---|---|---|---|\n";
  for (const Key& key : section.keys()) {
    const std::vector<std::string> kinds = section.KindsThatTake(key.spec.name);
    *out += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} | {} |\n", key.spec.name, key.type,
                        Cell(key.range), key.spec.unit, Cell(DefaultText(key, section.Defaults())),
                        ClassText(key, outer), kinds.empty() ? "all" : JoinNames(kinds),
                        Cell(key.spec.help));
  }
  for (const Key& key : section.keys()) {
    if (key.child == nullptr) continue;
    const std::string child_path =
        (path.empty() ? "" : path + ".") + key.spec.name + key.child_suffix;
    AppendSection(*key.child, child_path, std::max(outer, key.spec.key_class), out);
  }
}

}  // namespace

std::string ConfigReferenceMarkdown() {
  std::string out = kHead;
  AppendSection(ExperimentSection(), "", KeyClass::kExact, &out);
  return out;
}

}  // namespace ponder
