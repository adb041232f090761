// Replies of an OpenAI-compatible chat-completions endpoint. Pure functions.
#pragma once

#include <cstdint>
#include <string>

#include "reward/external/http_client.h"

namespace ponder {

struct ChatReply {
  std::string content;     // of the first choice
  int64_t num_tokens = 0;  // of the prompt and the reply; 0 when the server does not say
};

// Throws ProtocolError when `body` has no such content, and when the reply was cut off: what would
// be read from its end may not be the score.
ChatReply ParseChatReply(const std::string& body);

// "HTTP 429: slow down", or what kept a reply from coming.
std::string DescribeFailure(const HttpReply& reply);

// Whether the same request may fare better in a moment: no reply, 408, 425, 429, and 5xx.
bool MayPass(const HttpReply& reply);

}  // namespace ponder
