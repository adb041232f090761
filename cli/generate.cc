// `ponder generate RUN [PROMPT...]`: samples from a checkpoint. Finds and verifies it, then becomes
// the sibling program that has the model.
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/run_argument.h"
#include "cli/supervisor/launch_plan.h"
#include "core/base/error.h"
#include "core/base/generate_request.h"
#include "core/base/log.h"
#include "core/usage/option_checks.h"

namespace ponder {
namespace {

constexpr const char* kModelFile = "policy/model.safetensors";

struct Arguments {
  std::string run;
  std::string step;
  GenerateRequest request;
};

void CheckSources(const GenerateRequest& request, bool has_index) {
  const int sources = (request.prompts.empty() ? 0 : 1) + (request.file.empty() ? 0 : 1) +
                      (request.task.empty() ? 0 : 1) + (request.set.empty() ? 0 : 1);
  if (sources > 1) {
    throw Error(Condition::kUsage,
                "expected prompts from one place: arguments, --file, --task or --set, got several");
  }
  if (has_index && request.task.empty() && request.set.empty()) {
    throw Error(Condition::kUsage,
                "--index and --num-prompts count the problems of --task or --set");
  }
  if (request.temperature == 0.0 && request.num_samples > 1) {
    throw Error(Condition::kUsage, "--num-samples " + std::to_string(request.num_samples) +
                                       " at --temperature 0: greedy answers are all the same");
  }
}

int RunGenerate(Arguments arguments) {
  const Log log("generate", -1);
  const std::unique_ptr<FileSystem> files = MakeRealFileSystem();
  const RunArgument run = FindRunOrCheckpoint(*files, arguments.run);
  const LoadedCheckpoint checkpoint = LoadCheckpointOf(*files, run, arguments.step, log);
  GenerateRequest& request = arguments.request;
  request.experiment = run.run_directory + "/config.resolved.yaml";
  request.policy = checkpoint.directory + "/policy";
  request.checkpoint = checkpoint.directory;
  for (const FileRecord& record : checkpoint.manifest.files) {
    if (record.path == kModelFile) request.model_sha256 = record.sha256;
  }

  const std::string program = OwnBinDirectory() + "/ponder_generate";
  const std::string json = request.ToJson();
  execl(program.c_str(), program.c_str(), "--request", json.c_str(), nullptr);
  throw Error(Condition::kUsage, "start of " + program + ": " + std::strerror(errno) +
                                     " (build or install all of Ponder into one folder)");
}

void AddPromptOptions(CLI::App* command, GenerateRequest* request) {
  command
      ->add_option("PROMPT", request->prompts,
                   "Prompts, as the policy sees them; none: one a line of standard input")
      ->group("Arguments");
  command->add_option("--file", request->file, "JSON lines, each with \"prompt\"")
      ->group("Prompts");
  command->add_option("--task", request->task, "Held-out problems of this task of the run")
      ->group("Prompts");
  command
      ->add_option("--set", request->set,
                   "Prompts of this evaluation of the run, with its temperature and its draws")
      ->group("Prompts");
}

void AddSamplingOptions(CLI::App* command, GenerateRequest* request) {
  command
      ->add_option("--temperature", request->temperature,
                   "Divides the logits; 0: greedy [default: the set's, or 1]")
      ->check(RealNumber({.min = 0, .max = 100}))
      ->group("Sampling");
  command->add_option("--seed", request->seed, "Key of the draws [default: the run's]")
      ->check(UnsignedNumber())
      ->group("Sampling");
  command->add_option("--num-samples", request->num_samples, "Answers to each prompt")
      ->check(WholeNumber({.min = 1, .max = 4096}))
      ->capture_default_str()
      ->group("Sampling");
  command
      ->add_option("--max-new-tokens", request->max_new_tokens,
                   "Most sampled tokens [default: the run's]")
      ->check(WholeNumber({.min = 1}))
      ->group("Sampling");
}

}  // namespace

void AddGenerateCommand(CLI::App& app, CommandBody* chosen) {
  const auto arguments = std::make_shared<Arguments>();
  GenerateRequest* request = &arguments->request;
  CLI::App* command =
      app.add_subcommand("generate", "Sample answers from a run's checkpoint to stdout");
  command->group("Results");
  command->add_option("RUN", arguments->run, "Folder of a run or of a checkpoint, or runs/RUN")
      ->required()
      ->group("Arguments");
  AddPromptOptions(command, request);
  const CLI::Option* index =
      command->add_option("--index", request->index, "First problem of --task or --set")
          ->check(WholeNumber({.min = 0}))
          ->capture_default_str()
          ->group("Prompts");
  const CLI::Option* count =
      command->add_option("--num-prompts", request->num_prompts, "How many problems")
          ->check(WholeNumber({.min = 1}))
          ->capture_default_str()
          ->group("Prompts");
  command
      ->add_option("--step", arguments->step,
                   "Which checkpoint: its step, or best [default: the newest]")
      ->group("Checkpoint");
  AddSamplingOptions(command, request);
  command->add_flag("--probs", request->probs, "Every token with its probability")->group("Output");
  command->add_flag("--json", request->json, "One JSON object per sample")->group("Output");
  command->footer(
      "Draws are keyed by seed, prompt, sample and position, as in training: prompt i of --set is "
      "the evaluation's lease i, prompt i of anything else has stream 0 and index i.\n"
      "Example: ponder generate runs/quickstart '3 + 4 * 2 >' --probs");
  command->callback([arguments, index, count, chosen] {
    const bool has_index = index->count() > 0 || count->count() > 0;
    *chosen = [arguments, has_index] {
      CheckSources(arguments->request, has_index);
      return RunGenerate(*arguments);
    };
  });
}

}  // namespace ponder
