// The two ends of a conversation with a language model that judges: the prompt made from a
// template, and the score read from the reply. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace ponder {

// `text` with {prompt}, {response} and {reference} replaced, in one pass: what is put in is not
// looked at again. All other braces stand for themselves.
std::string FillTemplate(std::string_view text, std::string_view prompt, std::string_view response,
                         std::string_view reference);

// The score in a judge's reply. `field` empty: the last number of the text, where "7/10" is 7 and
// digits inside a word are no number. Otherwise: the number in that field of the last JSON object
// in the text. Throws ProtocolError, without `api_key` in its text, when there is none.
double ScoreInReply(std::string_view reply, const std::string& field, std::string_view api_key);

}  // namespace ponder
