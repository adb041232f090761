// Trainer::Step on one page, and the parts that only it needs.
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "core/base/duration_text.h"
#include "core/base/error.h"
#include "core/base/failpoint.h"
#include "trainer/group_exchange.h"
#include "trainer/stage_run.h"
#include "trainer/trainer.h"

namespace ponder {
namespace {

constexpr Duration kPollInterval = std::chrono::milliseconds(200);
constexpr double kWaitingLogInterval = 10.0;  // seconds
// How often rank 0 lets the others know that it still waits, within their deadline.
constexpr double kWordsPerTimeout = 4.0;

// What rank 0 says to ranks that wait for it.
enum class Word : uint64_t { kStop = 0, kGo = 1, kWait = 2 };

// Names the phases of a step by the order in which they end.
class PhaseTimer {
 public:
  explicit PhaseTimer(const Clock& clock) : clock_(clock), begin_(clock.Now()), last_(begin_) {}
  void End(const std::string& name) {
    const TimePoint now = clock_.Now();
    seconds_[name] += SecondsBetween(last_, now);
    last_ = now;
    seconds_["timing/step_s"] = SecondsBetween(begin_, now);
  }
  const std::map<std::string, double>& seconds() const { return seconds_; }

 private:
  const Clock& clock_;
  const TimePoint begin_;
  TimePoint last_;
  std::map<std::string, double> seconds_;
};

}  // namespace

bool Trainer::Step(StageRun& stage) {
  PhaseTimer timer(clock_);
  std::optional<StepInput> input = NextInput(stage);
  if (!input) {
    MarkMetrics();
    return false;
  }
  saver_.OnGroupsTaken(input->step, input->groups);
  timer.End("timing/collect_s");

  if (stage.algorithm->Needs().old_logprobs) {
    input->old_logprobs = learner_->ScoreGroups(input->groups);
  }
  timer.End("timing/annotate_s");

  std::map<std::string, double> metrics;
  const std::vector<Minibatch> minibatches = stage.algorithm->BuildExamples(*input, &metrics);
  timer.End("timing/build_s");

  for (int64_t epoch = 0; epoch < stage.config.num_epochs; ++epoch) {
    for (const Minibatch& minibatch : minibatches) {
      learner_->Update(*stage.algorithm, minibatch, stage.schedule.LearningRate(state_.stage_step));
    }
  }
  const UpdateReport report = learner_->Report();
  timer.End("timing/update_s");
  CheckFinite(report);

  const uint64_t version_at_start = state_.version;
  state_.weights_changed = true;
  ++state_.stage_step;
  ++state_.run_step;
  state_.run_updates += report.num_updates;
  if (stage.algorithm->samples()) {
    Publish();
    if (is_root()) server_->ReleaseStep(input->step);
  }
  timer.End("timing/publish_s");

  if (Validate(stage, &metrics)) timer.End("timing/validate_s");

  std::map<std::string, double> seconds = timer.seconds();
  seconds["timing/forward_backward_s"] = report.times.forward_backward_s;
  seconds["timing/optimizer_s"] = report.times.optimizer_s;
  stage.version_at_step_start = version_at_start;
  if (is_root()) WriteStep(stage, *input, report, std::move(metrics), seconds);

  if (!EvaluateAfterStep(stage)) return false;
  SaveAfterStep(stage);
  return true;
}

void Trainer::SaveAfterStep(const StageRun& stage) {
  // The state after the very last step is saved once, with its evaluations behind it.
  const bool last =
      stage.index + 1 == config_.stages.size() && state_.stage_step == stage.config.num_steps;
  // A save of the best policy that waits for groups is given up for a better one only.
  const bool due = state_.run_step % config_.checkpoint.save_steps == 0 && !saver_.is_saving_best();
  if ((due || IsBestNow()) && !last) Save(stage);
}

bool Trainer::Validate(const StageRun& stage, std::map<std::string, double>* metrics) {
  const ValidationConfig& validation = stage.config.validation;
  if (validation.every_steps == 0 || state_.stage_step % validation.every_steps != 0) return false;
  const double loss = learner_->Loss(*stage.algorithm, stage.algorithm->ValidationExamples());
  (*metrics)["val/loss"] = loss;
  if (is_root()) {
    progress_->Note(fmt::format("{} {}/{} validation: loss {:.4f} over {} demonstrations",
                                stage.config.name, state_.stage_step, stage.config.num_steps, loss,
                                validation.num_demonstrations));
  }
  return true;
}

bool Trainer::EvaluateAfterStep(const StageRun& stage) {
  std::vector<const EvaluationConfig*> due;
  for (const EvaluationConfig& evaluation : config_.evaluation) {
    const bool is_due =
        evaluation.every_steps > 0 && state_.stage_step % evaluation.every_steps == 0;
    if (is_due && stage.EvaluatesWhileRunning(evaluation)) due.push_back(&evaluation);
  }
  if (!due.empty()) MarkMetrics();
  RunState before = state_;
  before.evaluations_due = true;
  for (const EvaluationConfig* evaluation : due) {
    if (Evaluate(stage, *evaluation, "step")) continue;
    state_ = before;
    return false;
  }
  state_.evaluations_due = false;
  return true;
}

bool Trainer::Agree(bool go_on) {
  auto said = static_cast<uint64_t>(go_on ? Word::kGo : Word::kStop);
  do {
    comm_.PatientBroadcast({&said, 1, DType::kU64, nullptr}, /*root=*/0);
  } while (said == static_cast<uint64_t>(Word::kWait));
  return said == static_cast<uint64_t>(Word::kGo);
}

std::optional<StepInput> Trainer::NextInput(StageRun& stage) {
  StepInput input;
  input.step = state_.stage_step;
  bool go_on = true;
  if (is_root()) {
    if (stage.algorithm->samples()) {
      auto groups =
          WaitForGroups([&](Duration limit) { return server_->WaitForStep(input.step, limit); });
      go_on = groups.has_value();
      if (groups) input.groups = std::move(*groups);
    } else {
      go_on = !signals_.stop_requested();
    }
  }
  if (!Agree(go_on)) return std::nullopt;
  if (stage.algorithm->samples()) {
    PONDER_FAILPOINT("trainer.broadcast");
    input.groups = BroadcastGroups(comm_, std::move(input.groups));
  }
  return input;
}

std::optional<std::vector<TrajectoryGroup>> Trainer::WaitForGroups(
    const std::function<std::optional<std::vector<TrajectoryGroup>>(Duration)>& poll) {
  uint64_t accepted = server_->counters().groups_accepted;
  TimePoint last_progress = clock_.Now();
  TimePoint last_log = last_progress;
  TimePoint last_word = last_progress;
  const double word_interval = config_.trainer.collective_timeout_s / kWordsPerTimeout;
  while (true) {
    // Before the groups: a run that is never short of them must stop, too.
    if (signals_.stop_requested()) return std::nullopt;
    if (auto groups = poll(kPollInterval)) return groups;
    const TimePoint now = clock_.Now();
    if (SecondsBetween(last_word, now) > word_interval) {
      last_word = now;
      auto wait = static_cast<uint64_t>(Word::kWait);
      comm_.PatientBroadcast({&wait, 1, DType::kU64, nullptr}, /*root=*/0);
    }
    const uint64_t accepted_now = server_->counters().groups_accepted;
    if (accepted_now != accepted) {
      accepted = accepted_now;
      last_progress = now;
    }
    if (SecondsBetween(std::max(last_progress, last_log), now) > kWaitingLogInterval) {
      last_log = now;
      std::string text = server_->DescribeWaiting();
      if (server_->num_workers() == 0) {
        text += "; no rollout worker is registered: start one with ponder_rollout --trainer " +
                address_;
      } else if (server_->num_reward_services() == 0) {
        text +=
            "; no reward service is registered: start one with ponder_reward --trainer " + address_;
      }
      log_.Warning(text);
    }
    if (SecondsBetween(last_progress, now) > config_.trainer.collective_timeout_s) {
      throw Error(Condition::kDeadline, "collecting groups: nothing arrived for " +
                                            FormatDuration(config_.trainer.collective_timeout_s) +
                                            " (h:mm:ss); " + server_->DescribeWaiting());
    }
  }
}

void Trainer::CheckFinite(const UpdateReport& report) {
  if (report.finite) {
    state_.nonfinite_steps = 0;
    return;
  }
  ++state_.nonfinite_steps;
  if (is_root()) {
    log_.Warning("step " + std::to_string(state_.run_step + 1) +
                 ": the loss or a gradient was not finite; the update was skipped on all ranks (" +
                 std::to_string(state_.nonfinite_steps) + " in a row)");
  }
  if (static_cast<int64_t>(state_.nonfinite_steps) >= config_.trainer.max_nonfinite_steps) {
    throw Error(Condition::kDiverged,
                "training diverged: " + std::to_string(state_.nonfinite_steps) +
                    " steps in a row had a non-finite loss or gradient, expected fewer than "
                    "trainer.max_nonfinite_steps = " +
                    std::to_string(config_.trainer.max_nonfinite_steps) +
                    " (lower the learning rate; the last checkpoint is intact)");
  }
}

}  // namespace ponder
