// Writes what was generated to a stream: text as it is sampled, or one JSON object per sample.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "core/base/generate_request.h"
#include "core/base/types.h"
#include "core/text/tokenizer.h"
#include "rollout/generate/prompt_source.h"

namespace ponder {

// Text: a line with prompt and answer, which grows token by token when there is one sample; with
// probs a line per token, its probability in front. All writes are flushed; one that fails throws
// Error(kIo). Not thread safe.
class GenerateOutput {
 public:
  // Borrows both.
  GenerateOutput(const GenerateRequest& request, std::FILE* stream);

  void Begin(const GeneratePrompt& prompt, uint64_t seed);
  // One token of a row, in the order of sampling.
  void Token(uint32_t row, uint32_t token, float logprob);
  // All rows of the prompt are done.
  void End(const std::vector<Trajectory>& rows);

 private:
  bool streams() const { return !request_.json && request_.num_samples == 1; }
  // Begins, continues and ends the text of one sample.
  void BeginText();
  void AddToken(uint32_t token, float logprob);
  void EndText();
  std::string JsonLine(const Trajectory& row) const;
  void Write(const std::string& text);

  const GenerateRequest& request_;
  std::FILE* const stream_;
  const Tokenizer* tokenizer_ = nullptr;
  Prompt prompt_;
  uint64_t seed_ = 0;
  std::vector<uint32_t> tokens_;  // prompt and what is shown of the sample
  std::string shown_;             // their text
};

}  // namespace ponder
