// What the programs say of their command lines, alike for all of them.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <cstddef>

namespace ponder {

// Columns of the terminal that stdout is, but at least `least` and at most `most`; 80 where stdout
// is no terminal.
size_t TerminalColumns(size_t least, size_t most);

// Makes --help of `app`, and of the commands added to it afterwards, as wide as the terminal, from
// 40 to 80 columns. Footers are written a paragraph a line: they are wrapped here.
void UseHelpStyle(CLI::App& app);

// The end of a parse that threw: prints help or version to stdout, or what is wrong to stderr with
// the name that was probably meant ("no option '--worker'; did you mean '--workers'?"). Returns the
// exit code, 0 or that of Condition::kUsage.
int ReportUsage(const CLI::App& app, const CLI::ParseError& error, int argc,
                const char* const* argv);

}  // namespace ponder
