#include "tests/trainer/experience/experience_simulation.h"

#include <algorithm>
#include <utility>

namespace ponder::testing {

std::vector<std::vector<uint64_t>> SequentialBatches(const SampledStage& stage,
                                                     const Refused& refused) {
  std::vector<std::vector<uint64_t>> batches;
  uint64_t index = 0;
  for (int64_t step = 0; step < stage.num_steps; ++step) {
    std::vector<uint64_t> batch;
    for (int64_t slot = 0; slot < stage.slots_per_step; ++slot) {
      uint8_t refill = 0;
      while (refused(OrdinalOf(index, refill))) {
        if (stage.max_staleness == 0) {
          ++index;
        } else {
          ++refill;
        }
      }
      batch.push_back(OrdinalOf(index, refill));
      ++index;
    }
    batches.push_back(std::move(batch));
  }
  return batches;
}

Simulation::Simulation(const SampledStage& stage, ExperienceOptions options, Refused refused,
                       size_t num_workers, uint32_t attempt, StageProgress progress)
    : stage_(stage),
      options_(options),
      refused_(std::move(refused)),
      attempt_(attempt),
      experience_(options, PromptOf),
      next_step_(progress.next_step) {
  for (size_t w = 0; w < num_workers; ++w) {
    workers_.push_back({.session = "s" + std::to_string(num_sessions_++),
                        .last_answer = {},
                        .work = {},
                        .submitted = {}});
  }
  experience_.Publish(
      IdentityOf(stage_.first_version + static_cast<uint64_t>(next_step_), attempt_));
  experience_.BeginStage(stage_, std::move(progress));
}

void Simulation::Check(bool holds, const std::string& rule) {
  if (!holds) violations_.push_back(rule);
}

void Simulation::Act(uint32_t choice) {
  Worker& worker = workers_[choice % workers_.size()];
  choice /= static_cast<uint32_t>(workers_.size());
  WorkerActs(worker, choice);
  const ExperienceCounters& counters = experience_.counters();
  uint64_t dropped = 0;
  for (const auto& [reason, count] : counters.dropped) dropped += count;
  Check(counters.prompts_issued == counters.groups_accepted + dropped + experience_.num_in_flight(),
        "issued == accepted + dropped + in flight");
  Check(experience_.num_in_flight() <=
            static_cast<uint64_t>((stage_.max_staleness + 1) * stage_.slots_per_step),
        "no speculation: at most (eta + 1) * S prompts are in flight");
}

void Simulation::WorkerActs(Worker& worker, uint32_t choice) {
  const uint32_t detail = choice / 16;
  const size_t pick = worker.work.empty() ? 0 : detail % worker.work.size();
  switch (choice % 16) {
    case 0:
    case 1:
    case 2:
      Acquire(worker, 1 + detail % 4);
      break;
    case 3: {  // the reply was lost: ask again
      if (worker.seq == 0 || worker.last_answer.empty()) break;
      const std::vector<PromptLease> again =
          experience_.Acquire(worker.session, worker.seq, 4, now_);
      const std::vector<PromptLease>& first = worker.last_answer;
      for (const PromptLease& lease : again) {
        const bool repeated = std::find(first.begin(), first.end(), lease) != first.end();
        if (!repeated) worker.work.push_back(lease);
        Check(repeated || again.size() <= 4, "a replay gives leases of the last answer");
      }
      break;
    }
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
      if (worker.work.empty()) break;
      Submit(worker, worker.work[pick], /*infrastructure_error=*/false);
      worker.submitted.push_back(worker.work[pick]);
      worker.work.erase(worker.work.begin() + static_cast<std::ptrdiff_t>(pick));
      break;
    case 9:
      if (worker.work.empty()) break;
      Submit(worker, worker.work[pick], /*infrastructure_error=*/true);
      worker.submitted.push_back(worker.work[pick]);
      worker.work.erase(worker.work.begin() + static_cast<std::ptrdiff_t>(pick));
      break;
    case 10:  // sends something a second time, perhaps long after
      if (worker.submitted.empty()) break;
      Submit(worker, worker.submitted[detail % worker.submitted.size()], false);
      break;
    case 11: {  // dies with its leases and starts again
      experience_.DropSession(worker.session);
      const std::vector<PromptLease> late = worker.work;
      worker = {.session = "s" + std::to_string(num_sessions_++),
                .last_answer = {},
                .work = {},
                .submitted = late};
      break;
    }
    case 12: {
      std::vector<uint64_t> ids;
      for (const PromptLease& lease : worker.work) ids.push_back(lease.lease_id);
      experience_.Renew(worker.session, ids, now_);
      break;
    }
    case 13:
      now_ += std::chrono::seconds(1 + detail % 20);
      experience_.Expire(now_);
      break;
    default:
      TrainerActs();
      break;
  }
}

void Simulation::Acquire(Worker& worker, uint32_t max_groups) {
  const bool had_work = experience_.HasWork();
  worker.last_answer = experience_.Acquire(worker.session, ++worker.seq, max_groups, now_);
  Check(had_work == !worker.last_answer.empty(), "HasWork says whether Acquire yields something");
  worker.work.insert(worker.work.end(), worker.last_answer.begin(), worker.last_answer.end());
}

void Simulation::Submit(Worker& worker, const PromptLease& lease, bool infrastructure_error) {
  VerdictKind outcome = VerdictKind::kScored;
  if (refused_(lease.prompt.ordinal)) outcome = VerdictKind::kRefused;
  if (infrastructure_error) outcome = VerdictKind::kInfrastructureError;
  const bool scored = outcome == VerdictKind::kScored;
  const SubmitVerdict verdict =
      experience_.Submit(worker.session, lease.lease_id, lease.try_number,
                         scored ? ScoredGroup(lease) : FailedGroup(lease, outcome));
  int& times = accepted_[lease.prompt.ordinal];
  if (verdict == SubmitVerdict::kAccepted && scored) ++times;
  Check(verdict != SubmitVerdict::kDuplicate || times == 1, "a duplicate has its group already");
}

bool Simulation::TrainerActs() {
  TrySaves();
  if (finished() || !experience_.StepReady(next_step_)) return false;
  const uint64_t at_start = stage_.first_version + static_cast<uint64_t>(next_step_);
  const uint64_t expected = stage_.first_version + static_cast<uint64_t>(std::max<int64_t>(
                                                       0, next_step_ - stage_.max_staleness));
  const std::vector<TrajectoryGroup> groups = experience_.TakeStep(next_step_);
  for (const TrajectoryGroup& group : groups) {
    Check(group.lease.model.version == expected, "slot (k, s) is sampled at v0 + max(0, k - eta)");
    Check(group.outcome == VerdictKind::kScored, "only scored groups are trained on");
  }
  batches_.push_back(OrdinalsOf(groups));
  TrySaves();
  // The last chance to complete the checkpoint of a boundary is before its eta-th step is released.
  while (!boundaries_.empty() && *boundaries_.begin() + stage_.max_staleness <= next_step_) {
    ++num_unsaved_;
    boundaries_.erase(boundaries_.begin());
  }
  experience_.Publish(IdentityOf(at_start + 1, attempt_));
  experience_.ReleaseStep(next_step_);
  ++next_step_;
  boundaries_.insert(next_step_);
  TrySaves();
  return true;
}

void Simulation::TrySaves() {
  for (auto boundary = boundaries_.begin(); boundary != boundaries_.end();) {
    const uint64_t version = stage_.first_version + static_cast<uint64_t>(*boundary);
    bool complete = false;
    StageProgress progress = experience_.Progress(version, &complete);
    if (!complete) {
      ++boundary;
      continue;
    }
    Check(progress.next_step == *boundary, "progress belongs to the boundary asked for");
    saved_.push_back({.progress = std::move(progress), .version = version});
    boundary = boundaries_.erase(boundary);
  }
}

bool Simulation::RunToEnd() {
  Worker last{.session = "last", .last_answer = {}, .work = {}, .submitted = {}};
  // What the other workers hold expires.
  now_ += options_.lease_time * 2;
  experience_.Expire(now_);
  const int64_t max_turns = 1000 * stage_.num_steps * (stage_.slots_per_step + 1);
  for (int64_t turn = 0; turn < max_turns && !finished(); ++turn) {
    Acquire(last, 2);
    for (const PromptLease& lease : last.work) Submit(last, lease, false);
    last.work.clear();
    TrainerActs();
  }
  TrySaves();
  return finished();
}

}  // namespace ponder::testing
