// The text of a process's log, and lines as Log writes them.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ponder {

// The last `count` lines of a text. Of a line that was redrawn (carriage returns) only what it
// ended as.
std::vector<std::string> LastLines(std::string_view text, size_t count);

// The last `max_bytes` of a file; empty when it cannot be read.
std::string ReadTail(const std::string& path, size_t max_bytes);

// Writes all of `bytes`, or as much as a full disk or a closed terminal takes: output must not end
// a run.
void WriteAll(int fd, std::string_view bytes);

// Time of day as in the lines of a log: "03:12:25.123".
std::string TimeOfDay();

// A line of the form that Log writes; `level` is its letter: 'I', 'W', 'E'.
std::string LogLine(char level, std::string_view who, std::string_view text);

// True for a line that begins with a time of day, as every line of Log does.
bool HasTimeOfDay(std::string_view line);

}  // namespace ponder
