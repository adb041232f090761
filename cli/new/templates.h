// The files of cli/new/templates, embedded at build time.
#pragma once

#include <span>
#include <string_view>

namespace ponder {

struct Template {
  std::string_view name;  // "task.cc.in"
  std::string_view text;  // @name@ stands for the lower-case name, @Name@ for the one of types
};

// All templates. Thread safe.
std::span<const Template> Templates();

}  // namespace ponder
