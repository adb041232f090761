#include "reward/external/chat_reply.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "reward/external/group_scores.h"

namespace ponder {

using nlohmann::json;

ChatReply ParseChatReply(const std::string& body) {
  ChatReply reply;
  try {
    const json parsed = ParseJsonStrict(body, "the endpoint's reply", HttpClient::kMaxReplyBytes);
    const json& choice = parsed.at("choices").at(0);
    reply.content = choice.at("message").at("content").get<std::string>();
    if (choice.contains("finish_reason") && choice["finish_reason"] == "length") {
      throw ProtocolError(
          "the judge's reply: expected a whole one, got one cut off at "
          "max_reply_tokens: '... " +
          Excerpt(reply.content) + "'");
    }
    if (parsed.contains("usage") && parsed["usage"].is_object()) {
      const json& usage = parsed["usage"];
      if (usage.contains("total_tokens") && usage["total_tokens"].is_number_unsigned()) {
        reply.num_tokens = usage["total_tokens"].get<int64_t>();
      }
    }
  } catch (const json::exception&) {
    throw ProtocolError("the endpoint's reply: expected choices[0].message.content, got '" +
                        Excerpt(body) + "'");
  }
  return reply;
}

std::string DescribeFailure(const HttpReply& reply) {
  if (reply.status == 0) return reply.failure;
  return "HTTP " + std::to_string(reply.status) + ": " + Excerpt(reply.body);
}

bool MayPass(const HttpReply& reply) {
  return reply.status == 0 || reply.status == 408 || reply.status == 425 || reply.status == 429 ||
         reply.status >= 500;
}

}  // namespace ponder
