// What a person probably meant who wrote a name that does not exist.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ponder {

// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (optimal
// string alignment).
size_t EditDistance(std::string_view a, std::string_view b);

// The candidate at the smallest distance, the first of several; empty when even that one is further
// than a third of the longer name.
std::string NearestName(std::string_view name, const std::vector<std::string>& candidates);

// The end of a message: "; did you mean 'x'?", or, when nothing is near, "; LABEL a, b, c".
std::string NameHint(std::string_view name, const std::vector<std::string>& candidates,
                     std::string_view label);

// "a, b, c"; "(none)" when empty.
std::string JoinNames(const std::vector<std::string>& names);

}  // namespace ponder
