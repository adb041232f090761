// Everything that rank 0 serves, behind calls that the trainer's main thread makes: Experience,
// Model and health on one port. Owns the experience state machine (one mutex), the reactors and the
// timer thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "core/base/wire.h"
#include "core/weights/snapshot.h"
#include "trainer/experience/experience.h"

namespace ponder {

struct Rank0Options {
  std::string listen = "127.0.0.1:0";
  std::string run_id;
  uint32_t attempt = 0;
  std::string experiment_yaml;
  // The sources of every reward set that a stage or evaluation names.
  RewardSets reward_sets;
  std::string kernel_path = "aten_f32";
  uint32_t vocab_size = 0;
  ExperienceOptions experience;
  uint32_t versions_kept = 3;  // snapshots that stay available; a stage with staleness keeps more
};

// All public methods are called from the main thread and return quickly, or wait at most `limit`.
class Rank0Server {
 public:
  // Starts listening. Throws Error(kIo) when the address is taken. `clock` and `log` are borrowed.
  Rank0Server(const Rank0Options& options, PromptSource prompts, Clock& clock, const Log& log);
  // Stops the server within a few seconds. After EndRun it first waits, at most 2 s, until
  // workers and services have heard of the end; without it they are told that the trainer is
  // unavailable, so that they wait for its next attempt.
  ~Rank0Server();
  int port() const;

  void Publish(SnapshotPtr snapshot);
  // Throws Error(kBadData) when `progress` does not belong to the stage.
  void BeginStage(const SampledStage& stage, StageProgress progress);
  void EndStage();
  // Groups of the step, or nothing when `limit` passed first. Throws what makes the stage
  // impossible: see Experience::StepReady.
  std::optional<std::vector<TrajectoryGroup>> WaitForStep(int64_t step, Duration limit);
  void ReleaseStep(int64_t step);
  // See Experience::Progress.
  StageProgress Progress(uint64_t version, bool* complete) const;
  // The progress once it is complete, or nothing when `limit` passed first.
  std::optional<StageProgress> WaitForProgress(uint64_t version, Duration limit);
  void BeginEvaluation(const SampledEvaluation& evaluation);
  std::optional<std::vector<TrajectoryGroup>> WaitForEvaluation(Duration limit);

  ExperienceCounters counters() const;
  // What the present step or evaluation waits for, in a sentence for the log.
  std::string DescribeWaiting() const;
  size_t num_workers() const;
  size_t num_reward_services() const;
  // Workers and services learn that the run is over.
  void EndRun();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace ponder
