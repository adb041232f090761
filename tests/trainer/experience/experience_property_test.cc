// Random schedules of workers that come, go, fail, repeat themselves and lose leases.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tests/trainer/experience/experience_simulation.h"

namespace ponder::testing {
namespace {

struct Scenario {
  SampledStage stage;
  size_t num_workers = 1;
  uint32_t refused_percent = 0;
  uint32_t salt = 0;
  std::vector<uint32_t> choices;
};

Scenario AnyScenario() {
  Scenario scenario;
  const int64_t num_steps = *rc::gen::inRange(1, 8).as("steps");
  const int64_t slots = *rc::gen::inRange(1, 6).as("slots per step");
  const int64_t staleness = *rc::gen::element(0, 1, 3).as("max staleness");
  scenario.stage = StageOf(num_steps, slots, staleness, /*first_version=*/5);
  scenario.num_workers = *rc::gen::inRange<size_t>(1, 5).as("workers");
  scenario.refused_percent = *rc::gen::element(0u, 10u, 50u).as("refused, in percent");
  scenario.salt = *rc::gen::inRange(0u, 1000u).as("salt of the refusals");
  scenario.choices = *rc::gen::container<std::vector<uint32_t>>(
                          400, rc::gen::resize(100, rc::gen::inRange(0u, 1u << 20)))
                          .as("choices");
  return scenario;
}

// A fixed set of ordinals, so that the batches are a function of the scenario alone.
Refused RefusedOf(const Scenario& scenario) {
  return [percent = scenario.refused_percent, salt = scenario.salt](uint64_t ordinal) {
    return RandomStream(salt, RandomPurpose::kTest, ordinal, 0).Below(0, 100) < percent;
  };
}

// Drops then come from refusals alone.
ExperienceOptions PatientOptions() {
  return {.lease_time = std::chrono::seconds(30), .max_tries = 1'000'000};
}

std::vector<std::vector<uint64_t>> From(const std::vector<std::vector<uint64_t>>& batches,
                                        int64_t step) {
  return {batches.begin() + step, batches.end()};
}

RC_GTEST_PROP(ExperienceProperty, BatchesDoNotDependOnTheSchedule, ()) {
  const Scenario scenario = AnyScenario();
  Simulation simulation(scenario.stage, PatientOptions(), RefusedOf(scenario), scenario.num_workers,
                        /*attempt=*/1, {});
  for (const uint32_t choice : scenario.choices) simulation.Act(choice);
  RC_ASSERT(simulation.RunToEnd());
  RC_ASSERT(simulation.violations() == std::vector<std::string>{});
  const auto expected = SequentialBatches(scenario.stage, RefusedOf(scenario));
  RC_ASSERT(simulation.batches() == expected);
  for (const auto& batch : expected) {
    for (const uint64_t ordinal : batch) RC_ASSERT(simulation.accepted().at(ordinal) == 1);
  }
  RC_ASSERT(simulation.experience().num_in_flight() == 0u);
  RC_ASSERT(simulation.experience().counters().groups_accepted ==
            static_cast<uint64_t>(scenario.stage.num_steps * scenario.stage.slots_per_step));
}

RC_GTEST_PROP(ExperienceProperty, ResumeFromAnyBoundaryGivesTheSameBatches, ()) {
  const Scenario scenario = AnyScenario();
  const auto expected = SequentialBatches(scenario.stage, RefusedOf(scenario));
  Simulation first(scenario.stage, PatientOptions(), RefusedOf(scenario), scenario.num_workers,
                   /*attempt=*/1, {});
  for (const uint32_t choice : scenario.choices) first.Act(choice);
  RC_ASSERT(first.RunToEnd());
  RC_ASSERT(first.num_unsaved() == 0u);
  RC_ASSERT(first.saved().size() == static_cast<size_t>(scenario.stage.num_steps));
  for (const SavedRun& saved : first.saved()) {
    Simulation resumed(scenario.stage, PatientOptions(), RefusedOf(scenario), scenario.num_workers,
                       /*attempt=*/2, saved.progress);
    for (size_t i = 0; i < 60; ++i) resumed.Act(scenario.choices[scenario.choices.size() - 1 - i]);
    RC_ASSERT(resumed.RunToEnd());
    RC_ASSERT(resumed.violations() == std::vector<std::string>{});
    RC_ASSERT(resumed.batches() == From(expected, saved.progress.next_step));
  }
}

// With few tries the schedule decides what is dropped; everything else must still hold.
RC_GTEST_PROP(ExperienceProperty, EveryStepCompletesWhenPromptsAreDropped, ()) {
  const Scenario scenario = AnyScenario();
  const ExperienceOptions options{
      .lease_time = std::chrono::seconds(5), .max_tries = 2, .max_unscored_prompts = 1'000'000};
  Simulation simulation(scenario.stage, options, RefusedOf(scenario), scenario.num_workers,
                        /*attempt=*/1, {});
  for (const uint32_t choice : scenario.choices) simulation.Act(choice);
  RC_ASSERT(simulation.RunToEnd());
  RC_ASSERT(simulation.violations() == std::vector<std::string>{});
  std::set<uint64_t> consumed;
  for (const auto& batch : simulation.batches()) {
    RC_ASSERT(batch.size() == static_cast<size_t>(scenario.stage.slots_per_step));
    for (size_t i = 0; i < batch.size(); ++i) {
      RC_ASSERT(consumed.insert(batch[i]).second);
      RC_ASSERT(simulation.accepted().at(batch[i]) == 1);
      const auto index = [&](size_t at) { return Ordinal::Unpack(batch[at]).index; };
      if (i > 0) RC_ASSERT(index(i - 1) < index(i));
    }
  }
}

}  // namespace
}  // namespace ponder::testing
