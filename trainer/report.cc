// What a step leaves behind: lines of metrics.jsonl and timing.jsonl, samples, the progress line.
#include <algorithm>
#include <fstream>
#include <string>
#include <utility>

#include "trainer/length_histogram.h"
#include "trainer/samples.h"
#include "trainer/stage_run.h"
#include "trainer/trainer.h"

namespace ponder {
namespace {

// Age of a sequence: the version at step start minus the oldest version among its sampled spans.
uint64_t AgeOf(const Trajectory& trajectory, uint64_t version) {
  uint64_t oldest = version;
  for (const Segment& segment : trajectory.segments) {
    if (segment.kind == SegmentKind::kSampled) oldest = std::min(oldest, segment.version);
  }
  return version - oldest;
}

// Resident memory of this process.
double ResidentBytes() {
  std::ifstream stream("/proc/self/statm");
  double total_pages = 0;
  double resident_pages = 0;
  stream >> total_pages >> resident_pages;
  constexpr double kPageBytes = 4096;
  return resident_pages * kPageBytes;
}

}  // namespace

void Trainer::WriteStep(const StageRun& stage, const StepInput& input, const UpdateReport& report,
                        std::map<std::string, double> metrics,
                        const std::map<std::string, double>& seconds) {
  metrics.insert(report.metrics.begin(), report.metrics.end());
  metrics["actor/updates"] = static_cast<double>(report.num_updates);
  double sampled_tokens = 0;
  double generate_s = 0;
  double score_s = 0;
  if (stage.algorithm->samples()) {
    double age_sum = 0;
    double age_max = 0;
    double rows = 0;
    for (const TrajectoryGroup& group : input.groups) {
      generate_s += group.generate_s;
      score_s += group.score_s;
      for (const Trajectory& trajectory : group.trajectories) {
        const auto age = static_cast<double>(AgeOf(trajectory, stage.version_at_step_start));
        age_sum += age;
        age_max = std::max(age_max, age);
        sampled_tokens += trajectory.NumSampledTokens();
        ++rows;
      }
    }
    metrics["staleness/mean"] = rows > 0 ? age_sum / rows : 0.0;
    metrics["staleness/max"] = age_max;
    metrics["reward/accuracy"] = Summarize(input.groups).sampled.value;
  }

  MetricRecord record(MetricFile::kMetrics);
  MetricRecord timing(MetricFile::kTiming);
  for (MetricRecord* line : {&record, &timing}) {
    line->SetLabel("kind", "step");
    line->SetLabel("stage", stage.config.name);
    line->SetLabel("step", static_cast<uint64_t>(state_.run_step));
    line->SetLabel("version", state_.version);
  }
  for (const auto& [name, value] : metrics) record.Set(name, value);
  if (stage.algorithm->samples()) {
    LengthHistogram lengths = HistogramOfLengths(input.groups, stage.config.rollout.max_new_tokens);
    record.Set("response_length/histogram_bin", static_cast<double>(lengths.bin_tokens));
    record.SetCounts("response_length/histogram", std::move(lengths.counts));
    if (KeepsSamplesOf(state_.stage_step)) {
      WriteSamples(files_, config_.RunDirectory(),
                   {.stage = stage.config.name,
                    .set = {},
                    .step = static_cast<uint64_t>(state_.run_step),
                    .stage_step = state_.stage_step},
                   input.groups, stage.task.tokenizer());
    }
  }
  metrics_->Write(record);

  const double step_s = std::max(1e-9, seconds.at("timing/step_s"));
  const double tokens = stage.algorithm->samples() ? sampled_tokens : metrics.at("train/tokens");
  for (const auto& [name, value] : seconds) timing.Set(name, value);
  timing.Set("perf/tokens_per_s", metrics.at("train/tokens") / step_s);
  timing.Set("perf/rss_bytes", ResidentBytes());
  if (stage.algorithm->samples()) {
    timing.Set("perf/sampled_tokens_per_s", sampled_tokens / step_s);
    timing.Set("perf/generate_s", generate_s);
    timing.Set("perf/score_s", score_s);
  }
  timing_->Write(timing);
  for (const MetricRecord* line : {&record, &timing}) {
    observers_->Show(state_.run_step, stage.config.name, /*set=*/"", *line);
  }

  ProgressStep line;
  line.step = state_.stage_step;
  line.loss = metrics.at("actor/loss");
  line.tokens_per_s = tokens / step_s;
  if (metrics.contains("actor/entropy")) line.entropy = metrics.at("actor/entropy");
  if (stage.algorithm->samples()) {
    line.reward = metrics.at("reward/mean");
    line.accuracy = metrics.at("reward/accuracy");
    line.response_length = metrics.at("response_length/mean");
    line.age = metrics.at("staleness/mean");
  }
  progress_->Step(line);
}

}  // namespace ponder
