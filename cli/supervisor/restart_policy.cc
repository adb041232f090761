#include "cli/supervisor/restart_policy.h"

#include <algorithm>

#include "core/base/error.h"

namespace ponder {
namespace {

std::string StepText(int64_t step) {
  return step < 0 ? "no checkpoint" : "step " + std::to_string(step);
}

}  // namespace

TrainerVerdict TrainerRestartPolicy::OnExit(const ExitStatus& status, int64_t newest_step) {
  using Action = TrainerVerdict::Action;
  if (status.signal == 0 && status.code == 0) return {Action::kFinished, ""};
  const bool temporary =
      status.killed_by() != 0 || status.code == RowOf(Condition::kComm).exit_code;
  if (!temporary) {
    return {Action::kGiveUp, status.Describe() + ", which a restart would not cure"};
  }
  if (num_restarts_ >= max_restarts_) {
    return {Action::kGiveUp, status.Describe() + ", after " + std::to_string(num_restarts_) +
                                 " restarts (launch.max_restarts)"};
  }
  ends_without_gain_ = newest_step > last_step_ ? 0 : ends_without_gain_ + 1;
  last_step_ = std::max(last_step_, newest_step);
  if (ends_without_gain_ >= 2) {
    return {Action::kGiveUp, status.Describe() + ", twice in a row without a new checkpoint (" +
                                 StepText(last_step_) + ")"};
  }
  ++num_restarts_;
  return {Action::kRestart, status.Describe() + ": restart " + std::to_string(num_restarts_) +
                                " of at most " + std::to_string(max_restarts_) + ", from " +
                                StepText(last_step_)};
}

bool IsPermanentFailure(const ExitStatus& status) {
  if (status.signal != 0) return false;
  for (const Condition condition :
       {Condition::kUsage, Condition::kBadData, Condition::kInternal, Condition::kDiverged}) {
    if (status.code == RowOf(condition).exit_code) return true;
  }
  return false;
}

std::chrono::milliseconds RestartBackoff::OnExit(const ExitStatus& status,
                                                 std::chrono::milliseconds lifetime) {
  if (lifetime >= limits_.steady) next_ = limits_.first;
  if (status.shell_code() == 0) return limits_.longest;
  const auto delay = next_;
  next_ = std::min(next_ * 2, limits_.longest);
  return delay;
}

}  // namespace ponder
