// The trainer's side of Experience, and what both sides share. The workers' side: worker_side.cc.
#include "trainer/experience/experience.h"

#include <fmt/format.h>

#include <utility>

#include "core/base/error.h"
#include "core/base/philox.h"

namespace ponder {
namespace {

// Leases name at most eta + 1 versions back from the newest, so older identities are forgotten.
constexpr size_t kMaxVersions = 1024;

}  // namespace

Experience::Experience(ExperienceOptions options, PromptSource prompts)
    : options_(options),
      prompts_(std::move(prompts)),
      table_(options.lease_time, options.first_lease_id) {
  PONDER_CHECK(options_.max_tries >= 1) << "max_tries is " << options_.max_tries;
}

void Experience::Publish(const ModelIdentity& identity) {
  auto& versions = published_[identity.model];
  PONDER_CHECK(versions.empty() || versions.rbegin()->first < identity.version)
      << "publishing version " << identity.version << " of '" << identity.model
      << "' after version " << versions.rbegin()->first;
  versions.emplace(identity.version, identity);
  if (versions.size() > kMaxVersions) versions.erase(versions.begin());
  OpenSteps();
  CheckLedger();
}

const ModelIdentity* Experience::FindVersion(const std::string& model, uint64_t version) const {
  const auto versions = published_.find(model);
  if (versions == published_.end()) return nullptr;
  const auto found = versions->second.find(version);
  return found == versions->second.end() ? nullptr : &found->second;
}

void Experience::BeginStage(const SampledStage& stage, StageProgress progress) {
  PONDER_CHECK(!stage_open_) << "beginning stage '" << stage.name << "' before '"
                             << window_->stage().name << "' ended";
  window_.emplace(stage, std::move(progress));
  stage_open_ = true;
  OpenSteps();
  CheckLedger();
}

void Experience::EndStage() {
  PONDER_CHECK(stage_open_) << "no stage to end";
  for (const WorkItem& item : table_.RemoveTraining()) {
    if (!item.issued) continue;
    ++counters_.dropped["stage_ended"];
    ++num_dropped_;
  }
  stage_open_ = false;
  CheckLedger();
}

void Experience::OpenSteps() {
  if (!stage_open_) return;
  while (const std::optional<int64_t> step = window_->NextToOpen()) {
    if (FindVersion(window_->stage().model, window_->VersionOf(*step)) == nullptr) return;
    for (const Slot& slot : window_->Open(*step)) AddSlot(slot);
  }
}

void Experience::AddSlot(const Slot& slot) {
  const SampledStage& stage = window_->stage();
  const ModelIdentity* model = FindVersion(stage.model, window_->VersionOf(slot.step));
  PONDER_CHECK(model != nullptr) << "the version of step " << slot.step << " is forgotten";
  WorkItem item;
  item.key = {.training = true, .step = slot.step, .position = slot.position};
  item.lease.purpose = LeasePurpose::kTrain;
  item.lease.prompt.ordinal = slot.ordinal;
  item.lease.sampling = stage.sampling;
  item.lease.model = *model;
  item.lease.stage = stage.name;
  item.lease.reward_set = stage.reward_set;
  table_.Add(std::move(item));
}

bool Experience::StepReady(int64_t step) const {
  RethrowFault();
  return stage_open_ && window_->Ready(step);
}

std::vector<TrajectoryGroup> Experience::TakeStep(int64_t step) {
  PONDER_CHECK(stage_open_) << "taking step " << step << " without a stage";
  return window_->Take(step);
}

void Experience::ReleaseStep(int64_t step) {
  PONDER_CHECK(stage_open_) << "releasing step " << step << " without a stage";
  window_->Release(step);
  OpenSteps();
  CheckLedger();
}

StageProgress Experience::Progress(uint64_t version, bool* complete) const {
  if (window_) return window_->Progress(version, complete);
  *complete = true;
  return {};
}

void Experience::BeginEvaluation(const SampledEvaluation& evaluation) {
  PONDER_CHECK(!evaluation_) << "evaluation '" << evaluation.name << "' begins before '"
                             << evaluation_->plan.name << "' was taken";
  const ModelIdentity* model = FindVersion(evaluation.model.model, evaluation.model.version);
  PONDER_CHECK(model != nullptr && *model == evaluation.model)
      << "evaluation '" << evaluation.name << "' names version " << evaluation.model.version
      << " of '" << evaluation.model.model << "', which is not published";
  evaluation_.emplace(Evaluation{.plan = evaluation, .groups = {}});
  for (uint64_t index = 0; index < evaluation.num_prompts; ++index) {
    WorkItem item;
    item.key = {.training = false, .step = 0, .position = index};
    item.lease.purpose = LeasePurpose::kEvaluate;
    item.lease.prompt.ordinal = Ordinal{evaluation.stream, 0, index}.Pack();
    item.lease.sampling = evaluation.sampling;
    item.lease.model = evaluation.model;
    item.lease.stage = evaluation.stage;
    item.lease.reward_set = evaluation.reward_set;
    table_.Add(std::move(item));
  }
  CheckLedger();
}

bool Experience::EvaluationReady() const {
  RethrowFault();
  return evaluation_ && evaluation_->groups.size() == evaluation_->plan.num_prompts;
}

std::vector<TrajectoryGroup> Experience::TakeEvaluation() {
  PONDER_CHECK(EvaluationReady()) << "taking an evaluation that is not complete";
  std::vector<TrajectoryGroup> groups;
  groups.reserve(evaluation_->groups.size());
  for (auto& [ordinal, group] : evaluation_->groups) groups.push_back(std::move(group));
  evaluation_.reset();
  return groups;
}

void Experience::RethrowFault() const {
  if (fault_) std::rethrow_exception(fault_);
}

void Experience::CheckLedger() const {
  const uint64_t in_flight = table_.num_in_flight();
  PONDER_CHECK(table_.num_issued() == counters_.groups_accepted + num_dropped_ + in_flight)
      << table_.num_issued() << " prompts issued, but " << counters_.groups_accepted
      << " groups accepted + " << num_dropped_ << " dropped + " << in_flight << " in flight";
}

std::string Experience::DescribeWaiting(TimePoint now) const {
  std::string text;
  if (evaluation_) {
    text = fmt::format("{} of {} groups of evaluation '{}'", evaluation_->groups.size(),
                       evaluation_->plan.num_prompts, evaluation_->plan.name);
  } else if (stage_open_) {
    const int64_t step = window_->first_step();
    text = fmt::format("{} of {} groups of step {} of stage '{}'", window_->NumKept(step),
                       window_->stage().slots_per_step, step, window_->stage().name);
  } else {
    return "nothing is sampled";
  }
  const WorkItem* item = table_.LongestLeased(!evaluation_);
  if (item == nullptr) {
    return text + fmt::format("; {} prompts wait for a worker", table_.num_waiting());
  }
  const Ordinal ordinal = Ordinal::Unpack(item->lease.prompt.ordinal);
  return text + fmt::format(
                    "; waiting longest for prompt {} of stream {} (refill {}, try {}) leased to {} "
                    "for {:.1f} s; {} prompts wait for a worker",
                    ordinal.index, ordinal.stream, ordinal.refill, item->lease.try_number,
                    item->session, SecondsBetween(item->leased_at, now), table_.num_waiting());
}

}  // namespace ponder
