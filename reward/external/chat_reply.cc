#include "reward/external/chat_reply.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "reward/external/group_scores.h"

namespace ponder {

using nlohmann::json;

namespace {

json ParseBody(const std::string& body, std::string_view api_key) {
  try {
    return ParseJsonStrict(body, "the endpoint's reply", HttpClient::kMaxReplyBytes);
  } catch (const Error& error) {  // its text has a piece of the body
    throw ProtocolError(Excerpt(error.what(), api_key));
  }
}

}  // namespace

ChatReply ParseChatReply(const std::string& body, std::string_view api_key) {
  ChatReply reply;
  try {
    const json parsed = ParseBody(body, api_key);
    const json& choice = parsed.at("choices").at(0);
    reply.content = choice.at("message").at("content").get<std::string>();
    if (choice.contains("finish_reason") && choice["finish_reason"] == "length") {
      throw ProtocolError(
          "the judge's reply: expected a whole one, got one cut off at "
          "max_reply_tokens: '... " +
          Excerpt(reply.content, api_key) + "'");
    }
    if (parsed.contains("usage") && parsed["usage"].is_object()) {
      const json& usage = parsed["usage"];
      if (usage.contains("total_tokens") && usage["total_tokens"].is_number_unsigned()) {
        reply.num_tokens = usage["total_tokens"].get<int64_t>();
      }
    }
  } catch (const json::exception&) {
    throw ProtocolError("the endpoint's reply: expected choices[0].message.content, got '" +
                        Excerpt(body, api_key) + "'");
  }
  return reply;
}

std::string DescribeFailure(const HttpReply& reply, std::string_view api_key) {
  if (reply.status == 0) return reply.failure;
  return "HTTP " + std::to_string(reply.status) + ": " + Excerpt(reply.body, api_key);
}

bool MayPass(const HttpReply& reply) {
  return reply.status == 0 || reply.status == 408 || reply.status == 425 || reply.status == 429 ||
         reply.status >= 500;
}

}  // namespace ponder
