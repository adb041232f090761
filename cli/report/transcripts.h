// Transcripts as HTML, every token coloured by its probability or by the response's reward.
#pragma once

#include <string>
#include <vector>

#include "cli/report/run_data.h"

namespace ponder::report {

// Switch and transcripts of all runs; empty when there are none. The switch works by the style
// sheet alone. Text of prompts and tokens stays text.
std::string TranscriptsHtml(const std::vector<RunData>& runs);

// Class of a token by its probability: 0 for nearly certain ones, which stay uncoloured, up to 6.
int ProbabilityLevel(double logprob);

}  // namespace ponder::report
