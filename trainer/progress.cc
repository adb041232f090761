#include "trainer/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "core/base/duration_text.h"

namespace ponder {
namespace {

// Plain lines come at most this often, so that a log of a long run stays readable.
constexpr double kLineInterval = 2.0;  // seconds
constexpr double kBarInterval = 0.1;   // seconds
constexpr int kBarWidth = 20;

std::string Percent(const Interval& interval) {
  return fmt::format("{:.1f}% [{:.1f}, {:.1f}]", 100 * interval.value, 100 * interval.low,
                     100 * interval.high);
}

}  // namespace

ProgressStyle ProgressStyleFromEnvironment() {
  const char* wanted = std::getenv("PONDER_PROGRESS");
  if (wanted != nullptr) {
    if (std::string_view(wanted) == "notes") return ProgressStyle::kNotes;
    return std::string_view(wanted) == "bar" ? ProgressStyle::kBar : ProgressStyle::kLines;
  }
  return isatty(STDERR_FILENO) != 0 ? ProgressStyle::kBar : ProgressStyle::kLines;
}

Progress::Progress(ProgressStyle style, const Clock& clock) : style_(style), clock_(clock) {}

void Progress::BeginStage(const std::string& name, int64_t stage_number, int64_t num_stages,
                          int64_t first_step, int64_t num_steps) {
  stage_ = name;
  first_step_ = first_step;
  num_steps_ = num_steps;
  stage_begin_ = clock_.Now();
  last_print_ = TimePoint{};
  // A stage that only evaluates has no steps.
  const std::string steps = num_steps > 0 ? fmt::format(": {} steps", num_steps) : "";
  Note(fmt::format("stage {}/{} {}{}{}", stage_number, num_stages, name, steps,
                   first_step > 0 ? fmt::format(", resuming at {}", first_step) : ""));
}

std::string Progress::StepLine(const ProgressStep& step, double eta_s) const {
  const double share =
      static_cast<double>(step.step) / static_cast<double>(std::max<int64_t>(1, num_steps_));
  std::string line = fmt::format("{} ", stage_);
  if (style_ == ProgressStyle::kBar) {
    const auto filled = static_cast<size_t>(share * kBarWidth);
    line += "[" + std::string(filled, '=') + std::string(kBarWidth - filled, ' ') + "] ";
  }
  line += fmt::format("{}/{} eta {}", step.step, num_steps_, FormatDuration(eta_s));
  if (step.reward >= 0) {
    line += fmt::format(" reward {:.3f}", step.reward);
  } else {
    line += fmt::format(" loss {:.4f}", step.loss);
  }
  if (step.accuracy >= 0) line += fmt::format(" acc {:.3f}", step.accuracy);
  if (step.response_length >= 0) line += fmt::format(" len {:.1f}", step.response_length);
  if (step.entropy >= 0) line += fmt::format(" ent {:.3f}", step.entropy);
  line += fmt::format(" {:.0f} tok/s", step.tokens_per_s);
  if (step.age >= 0) line += fmt::format(" age {:.1f}", step.age);
  return line;
}

void Progress::Step(const ProgressStep& step) {
  if (style_ == ProgressStyle::kNotes) return;
  const TimePoint now = clock_.Now();
  const bool last = step.step == num_steps_;
  const double interval = style_ == ProgressStyle::kBar ? kBarInterval : kLineInterval;
  if (!last && SecondsBetween(last_print_, now) < interval) return;
  last_print_ = now;
  const auto done = static_cast<double>(std::max<int64_t>(1, step.step - first_step_));
  const double per_step = SecondsBetween(stage_begin_, now) / done;
  const std::string line = StepLine(step, per_step * static_cast<double>(num_steps_ - step.step));
  Print(line, /*transient=*/style_ == ProgressStyle::kBar && !last);
}

void Progress::Evaluation(const std::string& name, const EvaluationSummary& summary,
                          double seconds) {
  std::string line = fmt::format("{} evaluation '{}': {} prompts, sampled {}", stage_, name,
                                 summary.num_prompts, Percent(summary.sampled));
  if (summary.has_greedy) line += ", greedy " + Percent(summary.greedy);
  if (summary.failed_groups > 0) line += fmt::format(", {} failed groups", summary.failed_groups);
  Note(line + fmt::format(" ({:.1f} s)", seconds));
}

void Progress::Note(const std::string& text) { Print(text, /*transient=*/false); }

void Progress::Print(const std::string& line, bool transient) {
  // "\r\033[K": back to the first column and clear, so that a shorter line leaves no rest.
  const std::string text =
      (line_open_ || transient ? "\r\033[K" : "") + line + (transient ? "" : "\n");
  std::fwrite(text.data(), 1, text.size(), stderr);
  std::fflush(stderr);
  line_open_ = transient;
}

}  // namespace ponder
