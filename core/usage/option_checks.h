// Checks of option values. They say what is wrong as the reader of experiment files does:
// "--workers: expected a whole number, 1 to 1024, got 'two'".
#pragma once

#include <CLI/App.hpp>
#include <string>
#include <vector>

#include "core/config/scalars.h"

namespace ponder {

// Bounds appear in --help, unless there is no upper one. Every option with a number needs one of
// these: the conversion of the library turns -1 into a large number and has other words.
CLI::Validator WholeNumber(const IntLimits& limits);
CLI::Validator UnsignedNumber();  // below 2^64
CLI::Validator RealNumber(const RealLimits& limits);

// One of `names`, which --help and completion list.
CLI::Validator OneOf(const std::vector<std::string>& names);

}  // namespace ponder
