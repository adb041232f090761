// Text as words.
#pragma once

#include <string_view>
#include <vector>

namespace ponder {

// What separates words.
inline constexpr std::string_view kSpaces = " \t\r\n\v\f";

// The words of `text`, as views into it.
std::vector<std::string_view> WordsOf(std::string_view text);

}  // namespace ponder
