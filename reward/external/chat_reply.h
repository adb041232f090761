// Replies of an OpenAI-compatible chat-completions endpoint. Pure functions. Where an endpoint
// sends `api_key` back, no text that is made here has it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "reward/external/http_client.h"

namespace ponder {

struct ChatReply {
  std::string content;     // of the first choice
  int64_t num_tokens = 0;  // of the prompt and the reply; 0 when the server does not say
};

// Throws ProtocolError when `body` has no such content, and when the reply was cut off: what would
// be read from its end may not be the score.
ChatReply ParseChatReply(const std::string& body, std::string_view api_key);

// "HTTP 429: slow down", or what kept a reply from coming.
std::string DescribeFailure(const HttpReply& reply, std::string_view api_key);

// Whether the same request may fare better in a moment: no reply, 408, 425, 429, and 5xx.
bool MayPass(const HttpReply& reply);

}  // namespace ponder
