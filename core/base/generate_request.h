// What `ponder generate` asks of its sibling program ponder_generate, which has the model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ponder {

// Plain values; travels as one JSON object on the command line.
struct GenerateRequest {
  std::string experiment;    // path of the run's config.resolved.yaml
  std::string policy;        // folder with config.json and model.safetensors
  std::string model_sha256;  // of model.safetensors, as the checkpoint's manifest says
  std::string checkpoint;    // what to call it in the output

  // Where prompts come from: exactly one of these, standard input when all are empty.
  std::vector<std::string> prompts;
  std::string file;  // JSON objects with "prompt", one a line
  std::string task;  // held-out problems of a task
  std::string set;   // the prompts of an evaluation, as its leases name them
  // Of a task or a set: the first problem, and how many.
  uint64_t index = 0;
  uint64_t num_prompts = 1;

  // Not given: those of the set, or the run's seed, 1 sample at temperature 1.
  std::optional<uint64_t> seed;
  std::optional<double> temperature;  // 0: greedy
  uint32_t num_samples = 1;
  std::optional<uint32_t> max_new_tokens;

  bool probs = false;  // every token with its probability
  bool json = false;   // JSON lines instead of text

  bool operator==(const GenerateRequest&) const = default;
  std::string ToJson() const;
  // Throws Error(kUsage) on anything that ToJson does not write.
  static GenerateRequest FromJson(std::string_view json);
};

}  // namespace ponder
