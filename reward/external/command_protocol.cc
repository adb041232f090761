#include "reward/external/command_protocol.h"

#include <fmt/format.h>

#include "core/base/error.h"
#include "core/base/json.h"
#include "reward/external/command_program.h"

namespace ponder {
namespace {

using nlohmann::json;

[[noreturn]] void Refuse(const std::string& expected, std::string_view line) {
  throw ProtocolError(fmt::format("expected {}, got '{}'", expected, Excerpt(line)));
}

}  // namespace

std::string CommandRequestLine(uint64_t id, const JudgedGroup& group) {
  json request;
  request["id"] = id;
  request["task"] = group.prompt.task;
  request["prompt"] = PromptText(group.prompt);
  request["reference"] = group.prompt.reference_answer;
  request["metadata"] = group.prompt.metadata;
  for (const JudgedCompletion& completion : group.completions) {
    request["responses"].push_back(completion.text);
    request["truncated"].push_back(completion.finish_reason == FinishReason::kLength);
  }
  return request.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace);
}

GroupScores ParseCommandReply(std::string_view line, uint64_t id, std::string* error) {
  json reply;
  try {
    reply = ParseJsonStrict(line, "the answer", CommandProgram::kMaxLineBytes);
  } catch (const Error&) {
    Refuse("one line of JSON (diagnostics belong on stderr; NaN is no JSON)", line);
  }
  if (!reply.is_object() || !reply.contains("id") || reply["id"] != id) {
    Refuse(fmt::format("an answer with \"id\": {}", id), line);
  }
  GroupScores scores;
  if (reply.contains("error") && reply["error"].is_string()) {
    *error = reply["error"].get<std::string>();
    return scores;
  }
  if (reply.contains("refused") && reply["refused"].is_string()) {
    scores.refusal = reply["refused"].get<std::string>();
    if (scores.refusal.empty()) scores.refusal = "refused";
    return scores;
  }
  if (!reply.contains("scores") || !reply["scores"].is_array()) {
    Refuse("\"scores\", \"refused\" or \"error\"", line);
  }
  for (const json& score : reply["scores"]) {
    if (!score.is_number()) Refuse("scores that are numbers", line);
    scores.values.push_back(score.get<double>());
  }
  return scores;
}

}  // namespace ponder
