#include "rollout/generate/generate_output.h"

#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace ponder {

GenerateOutput::GenerateOutput(const GenerateRequest& request, std::FILE* stream)
    : request_(request), stream_(stream) {}

void GenerateOutput::Begin(const GeneratePrompt& prompt, uint64_t seed) {
  tokenizer_ = &prompt.task->tokenizer();
  prompt_ = prompt.prompt;
  seed_ = seed;
  if (streams()) BeginText();
}

void GenerateOutput::Token(uint32_t /*row*/, uint32_t token, float logprob) {
  if (streams()) AddToken(token, logprob);
}

void GenerateOutput::End(const std::vector<Trajectory>& rows) {
  if (streams()) return EndText();
  for (const Trajectory& row : rows) {
    if (request_.json) {
      Write(JsonLine(row) + "\n");
      continue;
    }
    BeginText();
    for (size_t t = prompt_.token_ids.size(); t < row.token_ids.size(); ++t) {
      AddToken(row.token_ids[t], row.behavior_logprobs[t]);
    }
    EndText();
  }
}

void GenerateOutput::BeginText() {
  tokens_ = prompt_.token_ids;
  shown_ = tokenizer_->Decode(tokens_);
  Write(shown_ + (request_.probs ? "\n" : ""));
}

void GenerateOutput::AddToken(uint32_t token, float logprob) {
  if (request_.probs) {
    Write(fmt::format("  {:.4f}  {}\n", std::exp(logprob), tokenizer_->TokenText(token)));
    return;
  }
  // What the token adds to the text so far: tokenizers join tokens in their own ways.
  tokens_.push_back(token);
  std::string text = tokenizer_->Decode(tokens_);
  Write(text.substr(std::min(shown_.size(), text.size())));
  shown_ = std::move(text);
}

void GenerateOutput::EndText() {
  const std::string& reference = prompt_.reference_answer;
  std::string end = request_.probs ? "" : "\n";
  if (!reference.empty()) {
    end = (request_.probs ? "  expected " : "   (expected ") + reference +
          (request_.probs ? "\n" : ")\n");
  }
  Write(end);
}

std::string GenerateOutput::JsonLine(const Trajectory& row) const {
  const auto begin = row.token_ids.begin() + static_cast<std::ptrdiff_t>(prompt_.token_ids.size());
  nlohmann::json line{
      {"checkpoint", request_.checkpoint},
      {"finish_reason", row.finish_reason == FinishReason::kStop ? "stop" : "length"},
      {"num_sampled_tokens", row.NumSampledTokens()},
      {"ordinal", row.ordinal},
      {"prompt", tokenizer_->Decode(prompt_.token_ids)},
      {"response", tokenizer_->Decode(std::vector<uint32_t>(begin, row.token_ids.end()))},
      {"sample", row.sample_index},
      {"seed", seed_},
      {"temperature", row.temperature},
  };
  if (!prompt_.task.empty()) {
    line["task"] = prompt_.task;
    line["problem"] = prompt_.problem;
    line["reference"] = prompt_.reference_answer;
  }
  if (request_.probs) {
    line["tokens"] = nlohmann::json::array();
    for (size_t t = prompt_.token_ids.size(); t < row.token_ids.size(); ++t) {
      line["tokens"].push_back({{"id", row.token_ids[t]},
                                {"text", tokenizer_->TokenText(row.token_ids[t])},
                                {"logprob", row.behavior_logprobs[t]}});
    }
  }
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void GenerateOutput::Write(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stream_) != text.size() ||
      std::fflush(stream_) != 0) {
    throw Error(Condition::kIo, std::string("writing what was generated: ") + std::strerror(errno));
  }
}

}  // namespace ponder
