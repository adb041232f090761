// What a person sees while a run goes on: one bar that redraws on a terminal, plain lines
// otherwise.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "core/base/clock.h"
#include "trainer/evaluation.h"

namespace ponder {

// kNotes leaves the steps out: somebody else shows them from the metrics files.
enum class ProgressStyle { kNotes, kLines, kBar };

// PONDER_PROGRESS names a style (the launcher sets it, since ranks write to pipes); without it, the
// bar is chosen when this process's stderr is a terminal.
ProgressStyle ProgressStyleFromEnvironment();

// What one step adds to the line. Values that a stage does not have stay negative and are not
// shown.
struct ProgressStep {
  int64_t step = 0;  // done in the stage, counted from 1
  double loss = 0;
  double reward = -1;
  double accuracy = -1;
  double response_length = -1;
  double entropy = -1;
  double tokens_per_s = 0;
  double age = -1;  // mean policy age in versions
};

// Writes to stderr. Called from rank 0's main thread only.
class Progress {
 public:
  Progress(ProgressStyle style, const Clock& clock);

  // `first_step`: steps already done (resume).
  void BeginStage(const std::string& name, int64_t stage_number, int64_t num_stages,
                  int64_t first_step, int64_t num_steps);
  void Step(const ProgressStep& step);
  // One finished evaluation.
  void Evaluation(const std::string& name, const EvaluationSummary& summary, double seconds);
  // A line of its own: a checkpoint, a warning.
  void Note(const std::string& text);

 private:
  void Print(const std::string& line, bool transient);
  std::string StepLine(const ProgressStep& step, double eta_s) const;

  const ProgressStyle style_;
  const Clock& clock_;
  bool line_open_ = false;  // a bar without its newline is on the screen
  std::string stage_;
  int64_t first_step_ = 0;
  int64_t num_steps_ = 0;
  TimePoint stage_begin_{};
  TimePoint last_print_{};
};

}  // namespace ponder
