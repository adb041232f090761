#include "tests/core/config/random_experiment.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "core/config/experiment_schema.h"

namespace ponder {
namespace {

// The functions below draw: they may only be called inside rc::gen::exec.

int64_t DrawInt(int64_t min, int64_t max) { return *rc::gen::inRange<int64_t>(min, max + 1); }

bool DrawFlag() { return *rc::gen::arbitrary<bool>(); }

// Strictly between 0 and 1, over many orders of magnitude and with all bits of the mantissa in
// play.
double DrawShare() {
  const double mantissa = static_cast<double>(DrawInt(1, (int64_t{1} << 52) - 1)) * 0x1p-52;
  return std::ldexp(mantissa, -static_cast<int>(DrawInt(0, 40)));
}

template <typename T>
T DrawOne(const std::vector<T>& values) {
  return *rc::gen::elementOf(values);
}

// Distinct for distinct `index`; of every form that a name may have, also of those that YAML would
// take for numbers or truth values.
std::string DrawName(int index) {
  if (index == 0 && DrawFlag()) {
    return DrawOne<std::string>({"null", "true", "off", "12", "1e3", "0x1F", "0.5"});
  }
  const std::string suffix = std::to_string(index);
  return DrawOne<std::string>(
             {"a" + suffix, suffix, "0x" + suffix, "1e" + suffix, "no.", "_x-y.z"}) +
         DrawOne<std::string>({"", "_", ".5"}) + "-" + suffix;
}

// Of any form that a text may have, also those that YAML would take for something else.
std::string DrawText() {
  return DrawOne<std::string>({"judge.py", "--threshold", "0.5", "true", "null", "", "$HOME", "a b",
                               "two\nlines\n", "\ttab", "{\"score\": 1}", "caf\xc3\xa9: #1", "- x",
                               "it's \"quoted\"", "\\frac{1}{2}", "%d", "*x"}) +
         DrawOne<std::string>({"", " ", "x"}) + DrawOne<std::string>({"y", "7"});
}

void DrawHttp(RewardConfig* reward) {
  reward->url = DrawOne<std::string>({"http://127.0.0.1:8000/v1", "https://judge.example/v1?a=b"});
  reward->model = DrawText();
  reward->prompt_template = DrawText() + "{response}" + DrawText();
  if (DrawFlag()) reward->score_field = DrawName(0);
  reward->max_reply_tokens = DrawInt(1, 10'000);
  if (DrawFlag()) (DrawFlag() ? reward->api_key_env : reward->api_key_file) = DrawName(1);
  reward->request_timeout_s = 100 * DrawShare();
  reward->max_tries = DrawInt(1, 100);
  reward->concurrency = DrawInt(1, 256);
  reward->budget = {.requests = DrawInt(0, 1'000'000'000'000), .tokens = DrawInt(0, 99)};
  if (DrawFlag()) reward->cache = DrawOne<std::string>({"cache.sqlite", "/tmp/a b", "007"});
}

RewardConfig DrawReward(const std::string& task_type, int index) {
  RewardConfig reward{.name = DrawName(index),
                      .type = DrawOne<std::string>(
                          {AnswerRewardOf(task_type), "format", "command", "grpc", "http"}),
                      .weight = (DrawFlag() ? 1 : -1) * 100 * DrawShare()};
  if (reward.type == AnswerRewardOf(task_type) || reward.type == "format") return reward;
  reward.range = {.min = -DrawShare(), .max = 100 * DrawShare()};
  // So short that three of them fit into any score_timeout_s that is drawn.
  reward.timeout_s = std::ldexp(DrawShare(), -60);
  if (reward.type == "http") DrawHttp(&reward);
  if (reward.type == "grpc") reward.address = "localhost:" + std::to_string(DrawInt(1, 65535));
  if (reward.type == "command") {
    for (int i = 0; i < DrawInt(1, 4); ++i) reward.command.push_back(DrawText());
  }
  return reward;
}

std::vector<RewardConfig> DrawRewards(const std::string& task_type) {
  std::vector<RewardConfig> rewards;
  for (int i = 0; i < DrawInt(1, 3); ++i) rewards.push_back(DrawReward(task_type, i));
  return rewards;
}

TaskConfig DrawTask(int index) {
  TaskConfig task;
  task.name = DrawName(index);
  task.type = DrawOne(NamesOf(TaskKinds()));
  task.modulus = DrawOne<int64_t>({2, 3, 11, 97, 997});
  task.task_seed = DrawInt(0, 1000);
  if (task.type == "chain") {
    task.num_operations.min = DrawInt(1, 10);
    task.num_operations.max = DrawInt(task.num_operations.min, 20);
    task.misconception_share = DrawShare();
    task.misconception_probability = DrawShare();
    task.slip_probability = DrawShare();
  } else if (task.type == "countdown") {
    task.max_attempts = DrawInt(1, 18);
    task.lookahead_probability = DrawShare();
  }
  task.eval_share = DrawShare();
  return task;
}

ModelConfig DrawModel(int index) {
  ModelConfig model;
  model.name = DrawName(index);
  if (DrawFlag()) {
    model.init.preset = DrawOne<std::string>({"tiny", "10m", "0.5b"});
    if (DrawFlag()) model.init.num_layers = DrawInt(1, 9);
  } else {
    model.init.run = (DrawFlag() ? "other-" : "../a b/") + DrawName(index);
    if (DrawFlag()) {
      model.init.step = DrawFlag() ? kBestStep : DrawInt(0, 1000);
    } else {
      model.init.stage = DrawName(index);
    }
  }
  return model;
}

template <typename Named>
std::string DrawNameOf(const std::vector<Named>& list) {
  return list.at(static_cast<size_t>(DrawInt(0, static_cast<int64_t>(list.size()) - 1))).name;
}

void DrawTraining(StageConfig* stage) {
  stage->num_steps = DrawInt(1, 10'000);
  stage->optimizer = {.learning_rate = DrawShare(),
                      .betas = {DrawShare(), DrawShare()},
                      .epsilon = DrawShare(),
                      .weight_decay = DrawShare(),
                      .max_grad_norm = 10 * DrawShare()};
  stage->schedule.name = DrawOne<std::string>({"constant", "linear", "cosine"});
  stage->schedule.warmup_steps = DrawInt(0, 50);
  stage->schedule.final_ratio = DrawShare();
  if (stage->schedule.name != "constant") {
    stage->schedule.decay_steps = stage->schedule.warmup_steps + DrawInt(1, 1000);
  }
}

void DrawSampling(const ExperimentConfig& config, StageConfig* stage) {
  stage->task = DrawNameOf(config.tasks);
  stage->num_minibatches = DrawInt(1, 4);
  stage->prompts_per_step = stage->num_minibatches * DrawInt(1, 64);
  stage->samples_per_prompt = DrawInt(2, 64);
  stage->max_staleness = DrawInt(0, 8);
  stage->num_epochs = DrawInt(1, 4);
  stage->clip = {.low = DrawShare(), .high = 3 * DrawShare()};
  stage->advantage_std = DrawOne<std::string>({"group", "batch", "none"});
  stage->aggregation = DrawOne<std::string>(
      {"token_mean", "sequence_mean_token_mean", "sequence_mean_token_sum", "constant_length"});
  stage->rollout.temperature = 2 * DrawShare();
  stage->rollout.max_new_tokens = DrawInt(1, 1000);
  if (DrawFlag()) stage->rollout.max_total_tokens = stage->rollout.max_new_tokens + DrawInt(1, 99);
  stage->rewards = DrawRewards(config.Task(stage->task).type);
}

StageConfig DrawStage(const ExperimentConfig& config, int index) {
  StageConfig stage;
  stage.name = DrawName(index);
  stage.algorithm = DrawOne<std::string>({"sft", "grpo", "evaluate"});
  stage.model = DrawNameOf(config.models);
  if (stage.algorithm == "evaluate") return stage;
  DrawTraining(&stage);
  if (stage.algorithm == "grpo") {
    DrawSampling(config, &stage);
  } else {
    stage.data.task = DrawNameOf(config.tasks);
    stage.data.demonstrator = DrawOne(DemonstratorsOf(config.Task(stage.data.task).type));
    stage.batch_size = DrawInt(1, 512);
    stage.validation = {.every_steps = DrawInt(0, 9), .num_demonstrations = DrawInt(1, 999)};
    if (DrawFlag()) stage.data.num_demonstrations = DrawInt(1, 5000);
    if (stage.data.num_demonstrations > 0 && DrawFlag()) {
      stage.data.num_epochs = DrawInt(1, 9);
      const int64_t total = stage.data.num_epochs * stage.data.num_demonstrations;
      stage.num_steps = total / stage.batch_size + (total % stage.batch_size > 0 ? 1 : 0);
    }
  }
  return stage;
}

EvaluationConfig DrawEvaluation(const ExperimentConfig& config, int index) {
  EvaluationConfig evaluation;
  evaluation.name = DrawName(index);
  evaluation.task = DrawNameOf(config.tasks);
  evaluation.num_prompts = DrawInt(1, 2048);
  evaluation.num_samples = DrawInt(1, 16);
  evaluation.greedy = DrawFlag();
  evaluation.at = DrawFlag() ? EvaluateAt::kStageEnd : EvaluateAt::kNever;
  evaluation.every_steps = evaluation.at == EvaluateAt::kNever ? DrawInt(1, 50) : DrawInt(0, 50);
  evaluation.temperature = 2 * DrawShare();
  evaluation.max_new_tokens = DrawInt(1, 1000);
  if (DrawFlag()) evaluation.stages = {DrawNameOf(config.stages)};
  evaluation.rewards = DrawRewards(config.Task(evaluation.task).type);
  return evaluation;
}

ExperimentConfig DrawExperiment() {
  ExperimentConfig config;
  config.run = {
      .name = DrawName(0),
      .seed = *rc::gen::arbitrary<uint64_t>(),
      .dir = DrawOne<std::string>({"runs", "/tmp/a b", "caf\xc3\xa9: #1", "\"q\\'", "~", "- x", "-",
                                   "---", "...", "{a}", "007", "a=b", "*x", "!y", " "})};
  for (int i = 0; i < DrawInt(1, 3); ++i) {
    config.tasks.push_back(DrawTask(i));
    // Tasks of one type hold out the same problems.
    config.tasks.back().task_seed = config.tasks.front().task_seed;
    config.tasks.back().eval_share = config.tasks.front().eval_share;
  }
  config.models.push_back(DrawModel(0));
  for (int i = 0; i < DrawInt(1, 3); ++i) config.stages.push_back(DrawStage(config, i));
  const bool evaluates =
      std::any_of(config.stages.begin(), config.stages.end(),
                  [](const StageConfig& stage) { return stage.algorithm == "evaluate"; });
  for (int i = 0; i < DrawInt(evaluates ? 1 : 0, 2); ++i) {
    config.evaluation.push_back(DrawEvaluation(config, i));
  }
  for (StageConfig& stage : config.stages) {
    if (stage.algorithm == "evaluate" && DrawFlag()) stage.sets = {DrawNameOf(config.evaluation)};
  }
  BestConfig best;
  if (!config.evaluation.empty() && DrawFlag()) {
    const EvaluationConfig& evaluation = config.evaluation.back();
    best = {.evaluation = evaluation.name,
            .metric = DrawOne(EvaluationMetricNames(evaluation)),
            .mode = DrawOne<std::string>({"max", "min"})};
  }
  config.checkpoint = {.save_steps = DrawInt(1, 100),
                       .keep = DrawInt(1, 9),
                       .best = best,
                       .resume = DrawOne<std::string>({"auto", "never", "must"})};
  config.trainer = {.micro_batch_tokens = DrawInt(1, 100'000),
                    .max_nonfinite_steps = DrawInt(0, 9),
                    .lease_s = 100 * DrawShare(),
                    .max_tries = DrawInt(1, 9),
                    .collective_timeout_s = 1000 * DrawShare(),
                    .score_timeout_s = 100 * DrawShare()};
  config.metrics = {.tensorboard = DrawInt(0, 1) == 1, .prometheus_port = DrawInt(0, 65535)};
  config.launch = {.trainer_ranks = DrawInt(1, 8),
                   .workers = DrawInt(1, 8),
                   .reward_services = DrawInt(1, 3),
                   .max_restarts = DrawInt(0, 9)};
  return config;
}

}  // namespace

rc::Gen<ExperimentConfig> GenExperiment() { return rc::gen::exec(DrawExperiment); }

}  // namespace ponder
