// What the keys of verl, TRL and OpenRLHF are called here. The reader answers with it when a file
// of theirs is given to it, and docs/from_verl_and_trl.md shows it as tables.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/config/problems.h"
#include "core/config/yaml_node.h"

namespace ponder {

struct ForeignKey {
  std::string_view key;   // with its sections: "actor_rollout_ref.actor.optim.lr"
  std::string_view ours;  // as in configs/README.md: "stages[].clip.low"; empty: there is none
  std::string_view note;  // what differs in meaning, or why there is none; may be empty
};

struct ForeignProgram {
  std::string_view name;
  std::span<const ForeignKey> keys;
};

// All of them, in the order in which hints are given.
std::span<const ForeignProgram> ForeignPrograms();

// The rows of one program each, declared in its own file.
std::span<const ForeignKey> VerlKeys();
std::span<const ForeignKey> TrlKeys();
std::span<const ForeignKey> OpenRlhfKeys();

// "verl's data.seed is run.seed here (NOTE)", or "... has no counterpart here (NOTE)".
std::string ForeignText(const ForeignProgram& program, const ForeignKey& key);

// What the unknown key `name` of the section at `path` (empty: the file) is here, if another
// program has it; several answers, joined by "; ", when programs mean different things by the name.
// A key with sections is known by its whole path and by its last part alone where that can only be
// meant: in a section of the same name, or where its counterpart lies.
std::string ForeignHint(const std::string& path, const std::string& name);

// Tells about every key below `node`, which was written at `path`, that a program has by its whole
// path. Returns whether there is one.
bool TellForeignKeys(const YamlNode& node, const std::string& path, Problems* problems);

}  // namespace ponder
