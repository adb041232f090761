#include "tests/cli/report/synthetic_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "core/base/file.h"
#include "core/base/metrics.h"
#include "core/config/experiment.h"

namespace ponder::report {
namespace {

using nlohmann::json;

constexpr uint64_t kLengthBins = 32;

// Writes the two metrics files line by line.
class Lines {
 public:
  Lines(const std::string& folder, uint64_t seed)
      : metrics_(folder + "/metrics.jsonl"), timing_(folder + "/timing.jsonl"), random_(seed) {}

  uint64_t step() const { return step_; }
  double Noise() { return normal_(random_); }

  void Sft(const std::string& stage, double progress) {
    const double loss = 3.4 * std::exp(-6 * progress) * (1 + 0.1 * std::fabs(Noise()));
    MetricRecord record = Begin(MetricFile::kMetrics, "step", stage);
    record.Set("actor/loss", loss);
    record.Set("actor/entropy", loss * 0.8);
    record.Set("actor/grad_norm", loss * (1 + 0.3 * std::fabs(Noise())));
    record.Set("actor/learning_rate", 4e-3 * (1 - progress));
    record.Set("actor/updates", 1);
    record.Set("train/tokens", 1500 + std::round(60 * Noise()));
    record.Set("train/examples", 64);
    record.Set("train/nonfinite", 0);
    metrics_ << record.ToJson() << '\n';
    Timing(stage, /*collect_s=*/0);
  }

  void Grpo(const std::string& stage, double progress) {
    const double accuracy =
        std::clamp(0.98 - 0.6 * std::exp(-8 * progress) + 0.01 * Noise(), 0.0, 1.0);
    const double length = 36 + 4 * progress;
    MetricRecord record = Begin(MetricFile::kMetrics, "step", stage);
    for (const char* name : {"reward/mean", "reward/accuracy", "reward/source/answer"}) {
      record.Set(name, accuracy);
    }
    record.Set("reward/std", std::sqrt(accuracy * (1 - accuracy)));
    record.Set("reward/zero_variance_groups", accuracy * accuracy);
    record.Set("actor/loss", 0.001 * Noise());
    record.Set("actor/entropy", 0.07 * std::exp(-3 * progress) * (1 + 0.1 * std::fabs(Noise())));
    record.Set("actor/approx_kl", 1e-4 * std::fabs(Noise()));
    record.Set("actor/grad_norm", 0.2 + 0.1 * std::fabs(Noise()));
    record.Set("actor/learning_rate", 5e-4);
    record.Set("actor/clip_frac", 0.01);
    record.Set("actor/clip_frac_low", 0.004 * std::fabs(Noise()));
    record.Set("actor/clip_frac_high", 0.006 * std::fabs(Noise()));
    record.Set("actor/ratio_mean", 1 + 1e-4 * Noise());
    record.Set("actor/updates", 1);
    record.Set("response_length/mean", length + 0.5 * Noise());
    record.Set("response_length/min", 33);
    record.Set("response_length/max", 40);
    record.Set("response_length/clip_ratio", 0);
    record.Set("response_length/histogram_bin", 2);
    record.SetCounts("response_length/histogram", Lengths(length));
    record.Set("staleness/mean", 0);
    record.Set("staleness/max", 0);
    record.Set("train/tokens", 8000 + std::round(100 * Noise()));
    record.Set("train/examples", 200);
    record.Set("train/nonfinite", 0);
    record.Set("train_rollout/logprob_diff_mean", 1e-6 * (1 + std::fabs(Noise())));
    record.Set("train_rollout/logprob_diff_max", 1e-5 * (1 + std::fabs(Noise())));
    metrics_ << record.ToJson() << '\n';
    Timing(stage, /*collect_s=*/0.2 + 0.02 * std::fabs(Noise()));
  }

  void Evaluation(const std::string& stage, const char* at, const char* set, double share) {
    const double low = std::max(0.0, share - 0.02);
    const double high = std::min(1.0, share + 0.02);
    MetricRecord record = Begin(MetricFile::kMetrics, "evaluation", stage);
    record.SetLabel("at", at);
    record.SetLabel("set", set);
    record.Set("val/prompts", 256);
    record.Set("val/failed_groups", 0);
    for (const std::string name : {"val/sampled", "val/greedy"}) {
      record.Set(name, share);
      record.Set(name + "_low", low);
      record.Set(name + "_high", high);
    }
    record.Set("val/response_length", 36);
    metrics_ << record.ToJson() << '\n';
    MetricRecord timing = Begin(MetricFile::kTiming, "evaluation", stage);
    timing.SetLabel("set", set);
    timing.Set("timing/evaluate_s", 1.5);
    timing_ << timing.ToJson() << '\n';
  }

  void NextStep() { ++step_; }

 private:
  MetricRecord Begin(MetricFile file, const char* kind, const std::string& stage) {
    MetricRecord record(file);
    record.SetLabel("kind", kind);
    record.SetLabel("stage", stage);
    record.SetLabel("step", step_);
    record.SetLabel("version", step_);
    return record;
  }

  void Timing(const std::string& stage, double collect_s) {
    MetricRecord record = Begin(MetricFile::kTiming, "step", stage);
    const double forward_s = 0.03 + 0.003 * std::fabs(Noise());
    record.Set("timing/collect_s", collect_s);
    record.Set("timing/annotate_s", 1e-7);
    record.Set("timing/build_s", 3e-4);
    record.Set("timing/update_s", forward_s + 0.004);
    record.Set("timing/forward_backward_s", forward_s);
    record.Set("timing/optimizer_s", 0.004);
    record.Set("timing/publish_s", 0.001);
    record.Set("timing/step_s", collect_s + forward_s + 0.006);
    record.Set("perf/tokens_per_s", 40000 + 2000 * Noise());
    record.Set("perf/rss_bytes", 2e8 + 1e6 * Noise());
    timing_ << record.ToJson() << '\n';
  }

  std::vector<uint64_t> Lengths(double mean) {
    std::vector<uint64_t> counts(kLengthBins, 0);
    for (int i = 0; i < 256; ++i) {
      const double length = std::clamp(mean + 2 * Noise(), 1.0, 64.0);
      ++counts[static_cast<size_t>((length - 1) / 2)];
    }
    return counts;
  }

  std::ofstream metrics_;
  std::ofstream timing_;
  std::mt19937_64 random_;
  std::normal_distribution<double> normal_;
  uint64_t step_ = 0;
};

// A sample whose tokens become surer with `progress`; every fourth is wrong.
json SampleOf(const SyntheticRun& run, const std::string& stage, uint64_t step, uint64_t stage_step,
              uint64_t ordinal, uint64_t sample, double progress) {
  const bool correct = sample % 4 != 3;
  json tokens = json::array();
  json logprobs = json::array();
  std::string response;
  for (const std::string token :
       {"3", "+", "4", "=", "7", ";", "7", "*", "2", "=", "3", ";", "#", "3"}) {
    response += (response.empty() ? "" : " ") + token;
    tokens.push_back(token);
    logprobs.push_back(token == "=" ? json(-1.5 * (1 - progress)) : json(-0.01));
  }
  tokens.push_back("<eos>");
  logprobs.push_back(0.0);
  return {{"stage", stage},
          {"step", step},
          {"stage_step", stage_step},
          {"ordinal", ordinal},
          {"sample", sample},
          {"greedy", false},
          {"prompt", run.prompt},
          {"reference", "3"},
          {"correct", correct},
          {"reward", correct ? 1.0 : 0.0},
          {"rule", correct ? "equal" : "different"},
          {"rewards",
           {{{"source", "answer"},
             {"value", correct ? 1.0 : 0.0},
             {"weight", 1.0},
             {"rule", correct ? "equal" : "different"}}}},
          {"finish", "stop"},
          {"response", response},
          {"tokens", tokens},
          {"logprobs", logprobs}};
}

void WriteSampleFile(const std::string& folder, const std::string& name, const SyntheticRun& run,
                     const std::string& stage, const std::string& set, uint64_t step,
                     uint64_t stage_step, double progress) {
  std::ofstream file(folder + "/samples/" + name);
  for (uint64_t prompt = 0; prompt < 4; ++prompt) {
    for (uint64_t sample = 0; sample < 4; ++sample) {
      json line = SampleOf(run, stage, step, stage_step, prompt, sample, progress);
      if (!set.empty()) line["set"] = set;
      file << line.dump() << '\n';
    }
  }
}

ExperimentConfig ConfigOf(const SyntheticRun& run) {
  const char* source = std::getenv("PONDER_SOURCE_DIR");
  std::vector<std::string> overrides = run.overrides;
  for (const std::string& text : {"run.name=" + run.name, "run.seed=" + std::to_string(run.seed),
                                  "stages.pretrain.num_steps=" + std::to_string(run.pretrain_steps),
                                  "stages.imitate.num_steps=" + std::to_string(run.imitate_steps),
                                  "stages.reason.num_steps=" + std::to_string(run.reason_steps)}) {
    overrides.push_back(text);
  }
  return ReadExperiment(std::string(source == nullptr ? "." : source) + "/configs/quickstart.yaml",
                        overrides);
}

}  // namespace

std::string WriteSyntheticRun(const std::string& parent, const SyntheticRun& run) {
  const std::string folder = parent + "/" + run.name;
  const auto files = MakeRealFileSystem();
  files->MakeDirectories(folder + "/samples");
  WriteFileAtomically(*files, folder + "/config.resolved.yaml", ResolvedYaml(ConfigOf(run)));
  WriteFileAtomically(
      *files, folder + "/run.json",
      json{{"format_version", 1}, {"run_id", run.name + "-0123456789ab"}, {"attempt", 1}}.dump());
  Lines lines(folder, run.seed);
  const auto share = [](int64_t step, int64_t steps) {
    return static_cast<double>(step) / static_cast<double>(std::max<int64_t>(1, steps));
  };
  for (const auto& [stage, steps] :
       {std::pair<std::string, int64_t>{"pretrain", run.pretrain_steps},
        std::pair<std::string, int64_t>{"imitate", run.imitate_steps}}) {
    for (int64_t step = 1; step <= steps; ++step) {
      lines.NextStep();
      lines.Sft(stage, share(step, steps));
    }
    lines.Evaluation(stage, "stage_end", "final", stage == "pretrain" ? 0.999 : 0.41);
  }
  for (int64_t step = 1; step <= run.reason_steps; ++step) {
    lines.NextStep();
    const double progress = share(step, run.reason_steps);
    lines.Grpo("reason", progress);
    if (step % run.evaluation_interval == 0) {
      lines.Evaluation("reason", "step", "heldout", 0.95 + 0.04 * progress);
    }
    if (step == 1 || step % std::max<int64_t>(1, run.reason_steps / 8) == 0) {
      WriteSampleFile(folder, fmt::format("step_{:06}.jsonl", lines.step()), run, "reason", "",
                      lines.step(), static_cast<uint64_t>(step), progress);
    }
  }
  lines.Evaluation("reason", "stage_end", "final", 0.991);
  WriteSampleFile(folder, "final_after_reason.jsonl", run, "reason", "final", lines.step(),
                  static_cast<uint64_t>(run.reason_steps), 1.0);
  return folder;
}

}  // namespace ponder::report
