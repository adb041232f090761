// A task makes problems, demonstrates answers, and may answer back over several turns. Where a
// problem has one right answer, core/answers judges by that reference; where it has many, the task
// verifies. Reward services serve both.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/types.h"
#include "core/config/experiment.h"
#include "core/text/tokenizer.h"

namespace ponder {

enum class Split { kTrain, kEvaluate };

// One problem. `text` is what the policy sees, before tokenisation.
struct Problem {
  uint64_t index = 0;
  std::string text;
  std::string reference_answer;  // empty: right answers are many, and the task verifies
  std::map<std::string, std::string> metadata;
};

// What the environment says after the policy's turn.
struct TurnResult {
  bool done = true;
  std::string observation;  // appended as tokens when not done; never trained on
};

// The conversation about one problem, from the environment's side. Holds per-trajectory state; used
// by one thread. The single-turn default ends after the first turn.
class Episode {
 public:
  virtual ~Episode() = default;
  // Starts over. The first observation is the problem's text and is not repeated here.
  virtual void Reset() {}
  // The policy wrote `turn` (its end token left out). Deterministic in the turns so far.
  virtual TurnResult Step(std::string_view turn) {
    (void)turn;
    return {};
  }
};

// Where one step of a written solution went, by the task's own checker.
struct StepCheck {
  std::vector<bool> step_correct;  // one per step found in the text
  bool well_formed = false;        // all steps and the answer follow the form
};

// Whether a response solves its problem.
struct Verification {
  bool passed = false;
  std::string rule;  // the rule that decided, for a reward's breakdown
};

// Immutable; thread safe. Every method is a pure function of the configuration and its arguments.
class Task {
 public:
  virtual ~Task() = default;
  virtual const Tokenizer& tokenizer() const = 0;
  // Text that ends a step, e.g. ";". Empty: the task has no steps.
  virtual std::string step_delimiter() const { return {}; }
  // Problem `index` of a split. The same index gives the same problem on every machine. `seed` is
  // the run's; distinct indices give independent problems. Splits never share a problem text.
  virtual Problem MakeProblem(Split split, uint64_t seed, uint64_t index) const = 0;
  // A written solution by the named demonstrator; `seed` and `index` key its choices.
  virtual std::string Demonstrate(const Problem& problem, std::string_view demonstrator,
                                  uint64_t seed, uint64_t index) const = 0;
  // Names that Demonstrate takes.
  virtual std::vector<std::string> demonstrators() const = 0;
  virtual std::unique_ptr<Episode> NewEpisode(const Problem& problem) const {
    (void)problem;
    return std::make_unique<Episode>();
  }
  // Judges the steps of `response`. For process rewards and reports.
  virtual StepCheck CheckSteps(const Problem& problem, std::string_view response) const = 0;
  // Judges the whole `response`, as the task_verifier reward, for tasks whose problems have no
  // reference answer. Total: any text is judged, and only Error(kBadData), for a problem that
  // cannot be read, is thrown. The default throws Error(kInternal).
  virtual Verification Verify(const Problem& problem, std::string_view response) const;
  // The probability that the named demonstrator's answer is right, over the task's problem
  // distribution, by exact recursion. Empty when there is no closed form.
  virtual std::optional<double> ExpectedAccuracy(std::string_view demonstrator) const = 0;
};

// Makes the task of `config`. Throws Error(kConfig) on a type that does not exist.
std::unique_ptr<Task> MakeTask(const TaskConfig& config);
// Types that exist, sorted.
std::vector<std::string> TaskTypes();

// The prompt of a problem: encoded once, with the message and metadata that judges read.
Prompt MakePrompt(const Task& task, const std::string& task_name, const Problem& problem,
                  uint64_t ordinal);
// The problem that a prompt was made of, for judges and environments. An empty text when the prompt
// has no message.
Problem ProblemOf(const Prompt& prompt);

}  // namespace ponder
