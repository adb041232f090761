// ponder_generate: samples from one checkpoint for one request. Started by `ponder generate`.
#include <ATen/Parallel.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/generate_request.h"
#include "core/base/log.h"
#include "core/base/program.h"
#include "core/config/experiment.h"
#include "core/usage/usage.h"
#include "core/weights/safetensors.h"
#include "model/decoder.h"
#include "rollout/engine/group_decoder.h"
#include "rollout/episodes.h"
#include "rollout/generate/generate_output.h"
#include "rollout/generate/prompt_source.h"
#include "tasks/task.h"

namespace ponder {
namespace {

constexpr uint64_t kMaxFileBytes = uint64_t{1} << 40;
constexpr uint64_t kMaxConfigBytes = uint64_t{1} << 20;

// The model of a checkpoint, ready to sample with.
struct Model {
  DecoderConfig config;
  std::unique_ptr<Parameters> parameters;
  std::unique_ptr<Decoder> decoder;
};

Model LoadModel(FileSystem& files, const GenerateRequest& request) {
  Model model;
  model.config =
      DecoderConfig::FromJson(files.ReadFile(request.policy + "/config.json", kMaxConfigBytes));
  const std::string path = request.policy + "/model.safetensors";
  const std::string bytes = files.ReadFile(path, kMaxFileBytes);
  if (const std::string digest = Sha256Hex(bytes); digest != request.model_sha256) {
    throw Error(Condition::kBadData, "reading " + path + ": expected SHA-256 " +
                                         request.model_sha256 + ", got " + digest +
                                         " (the file changed while it was read)");
  }
  const std::vector<char> flat = FlatFromSafetensors(bytes, path, model.config.Layout(DType::kF32));
  model.parameters = std::make_unique<Parameters>(model.config, at::kFloat, /*trainable=*/false);
  model.parameters->LoadBytes({flat.data(), flat.size()});
  model.decoder = std::make_unique<Decoder>(model.config, *model.parameters);
  return model;
}

// What is not given is that of the set, or else the longest answer that the run allows anywhere.
SamplingParams SamplingOf(const GenerateRequest& request, const ExperimentConfig& experiment) {
  double temperature = 1.0;
  int64_t max_new_tokens = 0;
  for (const EvaluationConfig& set : experiment.evaluation) {
    if (set.name == request.set) temperature = set.temperature;
    if (request.set.empty() || set.name == request.set) {
      max_new_tokens = std::max(max_new_tokens, set.max_new_tokens);
    }
  }
  if (max_new_tokens == 0) max_new_tokens = RolloutConfig{}.max_new_tokens;
  SamplingParams sampling;
  sampling.temperature = static_cast<float>(request.temperature.value_or(temperature));
  sampling.max_new_tokens = request.max_new_tokens.value_or(static_cast<uint32_t>(max_new_tokens));
  sampling.num_samples = request.num_samples;
  if (sampling.temperature == 0) {
    sampling = {.num_samples = 0,
                .add_greedy = true,
                .temperature = 1.0F,
                .max_new_tokens = sampling.max_new_tokens};
  }
  return sampling;
}

void CheckLength(const GeneratePrompt& prompt, uint64_t number, const DecoderConfig& config) {
  const size_t length = prompt.prompt.token_ids.size();
  if (static_cast<int64_t>(length) < config.max_positions) return;
  throw Error(Condition::kBadData, "prompt " + std::to_string(number) + ": expected at most " +
                                       std::to_string(config.max_positions - 1) +
                                       " tokens, one less than the model's context, got " +
                                       std::to_string(length));
}

int Generate(const GenerateRequest& request) {
  const std::unique_ptr<FileSystem> files = MakeRealFileSystem();
  const ExperimentConfig experiment = ReadExperiment(request.experiment, {});
  std::map<std::string, std::unique_ptr<Task>> tasks;
  for (const TaskConfig& task : experiment.tasks) tasks.emplace(task.name, MakeTask(task));
  PromptSource prompts(request, experiment, tasks, std::cin);
  Log("generate", -1).Info("sampling from " + request.checkpoint);
  const Model model = LoadModel(*files, request);
  const bool from_terminal = request.prompts.empty() && request.file.empty() &&
                             request.task.empty() && request.set.empty() &&
                             isatty(STDIN_FILENO) != 0;
  if (from_terminal) std::fputs("One prompt a line; Ctrl-D ends.\n", stderr);

  GenerateOutput output(request, stdout);
  GroupDecoder engine;
  GroupRequest group;
  group.seed = request.seed.value_or(experiment.run.seed);
  group.sampling = SamplingOf(request, experiment);
  for (uint64_t number = 1; const std::optional<GeneratePrompt> prompt = prompts.Next(); ++number) {
    CheckLength(*prompt, number, model.config);
    group.ordinal = prompt->prompt.ordinal;
    group.prompt = prompt->prompt.token_ids;
    group.eos_id = prompt->task->tokenizer().eos_id();
    std::optional<Episodes> episodes;
    if (prompt->is_problem) {
      episodes.emplace(*prompt->task, ProblemOf(prompt->prompt), group.sampling.num_rows());
    }
    output.Begin(*prompt, group.seed);
    const std::vector<Trajectory> rows =
        engine.Decode(*model.decoder, group, episodes ? episodes->Turns() : TurnCallback(), {},
                      [&](uint32_t row, uint32_t token, float logprob, SegmentKind) {
                        output.Token(row, token, logprob);
                      });
    output.End(rows);
  }
  return 0;
}

int Run(int argc, char** argv) {
  std::string request;
  CLI::App app{"Samples from one checkpoint. Started by 'ponder generate', which has the options."};
  app.name("ponder_generate");
  UseHelpStyle(app);
  app.set_version_flag("--version", VersionText("ponder_generate"));
  app.add_option("--request", request, "What to sample, as JSON")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return ReportUsage(app, error, argc, argv);
  }
  at::set_num_threads(1);
  return Generate(GenerateRequest::FromJson(request));
}

}  // namespace
}  // namespace ponder

int main(int argc, char** argv) {
  return ponder::RunMain("ponder generate", argc, argv, ponder::Run);
}
