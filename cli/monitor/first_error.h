// What failed first, where later lines only echo it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ponder {

struct ProcessLog {
  std::string process;  // whose log it is: "trainer" for the launcher and all ranks, "worker0"
  std::string text;
};

struct ErrorCause {
  std::string process;  // the log's, or the rank that the line names: "rank1"
  std::string text;     // the process's own words; further lines of the message are kept
  bool operator==(const ErrorCause&) const = default;
};

// How much a line says about the cause of a failure, best first.
enum class ErrorRank {
  kOwn,     // a process says what went wrong with itself
  kDeath,   // somebody reports that a process was killed, which that one could not say itself
  kEcho,    // a process complains that another one is gone
  kNoError  // not an error line
};

// Ranks one line of a log. An error line has level E ("03:12:25.123 E trainer/1  text") or is what
// a program prints when it ends ("trainer: error: text", "rank 1 of 2: ends the job ...").
ErrorRank RankOfLine(std::string_view line);

// True for a line that goes on with the message of the line before it.
bool ContinuesMessage(std::string_view line);

// The most telling error between the times of day `since` and `now` ("03:12:25.123"; the span may
// cross midnight): the best rank, among equals the earliest. A line without a time has the time of
// the line before it. Nothing when there is no error line. Pure.
std::optional<ErrorCause> FirstError(const std::vector<ProcessLog>& logs, std::string_view since,
                                     std::string_view now);

}  // namespace ponder
