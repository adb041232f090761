// The shared state of the services under many threads, without gRPC, so that a race detector sees
// every synchronisation.
#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>

#include "core/base/error.h"
#include "core/base/mutex.h"
#include "tests/trainer/experience/experience_helpers.h"
#include "trainer/services/experience_host.h"
#include "trainer/services/snapshot_store.h"
#include "trainer/services/timer_thread.h"

namespace ponder::testing {
namespace {

class WaitingPoll : public ParkedPoll {
 public:
  void Answer(PollAnswer answer) override EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    answer_ = std::move(answer);
    answered_.NotifyAll();
  }
  PollAnswer Wait() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    while (!answer_) answered_.WaitFor(mutex_, std::chrono::seconds(1));
    return *std::move(answer_);
  }

 private:
  Mutex mutex_;
  CondVar answered_;
  std::optional<PollAnswer> answer_ GUARDED_BY(mutex_);
};

TEST(HostThreads, BatchesAreRightWhateverWorkersDo) {
  constexpr int64_t kSteps = 20;
  constexpr int64_t kSlots = 6;
  constexpr int kWorkers = 4;
  FakeClock clock;
  const Log log("trainer", 0, LogLevel::kError);
  ExperienceHost host({.lease_time = std::chrono::seconds(30), .max_tries = 1'000'000}, PromptOf,
                      clock, log);
  const TimerThread timer(std::chrono::milliseconds(1), [&] {
    clock.Advance(std::chrono::seconds(1));
    host.Tick();
  });

  std::vector<std::thread> workers;
  for (int w = 0; w < kWorkers; ++w) {
    workers.emplace_back([&, w] {
      RandomStream draws(/*seed=*/7, RandomPurpose::kTest, static_cast<uint64_t>(w), 0);
      uint32_t position = 0;
      uint64_t seq = 0;
      int life = 0;
      std::string session;
      const auto join = [&] {
        session = std::to_string(w) + "-" + std::to_string(life++);
        host.Register({.id = session,
                       .role = SessionRole::kWorker,
                       .name = "w" + std::to_string(w),
                       .address = {},
                       .last_seen = {}});
      };
      join();
      while (true) {
        WaitingPoll poll;
        host.Poll(&poll, {.session = session, .seq = ++seq, .max_groups = 2, .peers_version = 0});
        if (draws.Below(++position, 8) == 0) host.Cancel(&poll);
        const PollAnswer answer = poll.Wait();
        if (answer.run_ended) return;
        try {
          if (answer.error) std::rethrow_exception(answer.error);
          for (const PromptLease& lease : answer.leases) {
            const uint64_t fate = draws.Below(++position, 16);
            if (fate == 0) continue;  // forgotten until it expires
            if (fate == 1) {
              host.Submit(session, lease.lease_id, lease.try_number,
                          FailedGroup(lease, VerdictKind::kInfrastructureError));
              continue;
            }
            host.Renew(session, {lease.lease_id}, 0);
            const SubmitTicket ticket = host.BeginSubmit(session, lease.lease_id);
            host.Submit(session, lease.lease_id, lease.try_number,
                        ticket.lease ? ScoredGroup(*ticket.lease) : TrajectoryGroup());
          }
          if (draws.Below(++position, 32) == 0) join();  // starts again and loses what it held
        } catch (const Error& error) {
          if (error.condition() == Condition::kUnknownSession) join();
        }
      }
    });
  }

  host.Publish(IdentityOf(1));
  host.BeginStage(StageOf(kSteps, kSlots, /*max_staleness=*/1), {});
  for (int64_t step = 0; step < kSteps; ++step) {
    std::optional<std::vector<TrajectoryGroup>> groups;
    while (!groups) groups = host.WaitForStep(step, std::chrono::seconds(1));
    std::vector<uint64_t> expected;
    for (int64_t slot = 0; slot < kSlots; ++slot) {
      expected.push_back(OrdinalOf(static_cast<uint64_t>(step * kSlots + slot)));
    }
    EXPECT_EQ(OrdinalsOf(*groups), expected);
    host.Publish(IdentityOf(static_cast<uint64_t>(2 + step)));
    host.ReleaseStep(step);
    EXPECT_FALSE(host.DescribeWaiting().empty());
  }
  host.EndStage();
  host.EndRun();
  for (std::thread& worker : workers) worker.join();
  EXPECT_EQ(host.counters().groups_accepted, static_cast<uint64_t>(kSteps * kSlots));
}

class RecordingWatcher : public SnapshotWatcher {
 public:
  const std::string& model() const override { return model_; }
  void Enqueue(SnapshotPtr snapshot, size_t num_kept) override EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    num_kept_ = num_kept;
    versions_.push_back(snapshot->identity.version);
  }
  void EnqueueEnd() override EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    ended_ = true;
  }
  void Pump() override { ++pumps_; }
  std::vector<uint64_t> versions() const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return versions_;
  }
  bool ended() const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return ended_;
  }
  int pumps() const { return pumps_; }
  // How many versions the watcher was last told to keep in mind.
  size_t num_kept() const EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return num_kept_;
  }

 private:
  const std::string model_ = "policy";
  mutable Mutex mutex_;
  std::vector<uint64_t> versions_ GUARDED_BY(mutex_);
  bool ended_ GUARDED_BY(mutex_) = false;
  size_t num_kept_ GUARDED_BY(mutex_) = 0;
  std::atomic<int> pumps_{0};
};

TEST(HostThreads, AStreamThatBeganBeforeAStaleStageMissesNoVersionThatItCanFetch) {
  SnapshotStore store(/*num_kept=*/2);
  const auto watcher = std::make_shared<RecordingWatcher>();
  store.Watch(watcher);
  store.KeepAtLeast(5);
  for (uint64_t version = 1; version <= 6; ++version) {
    auto snapshot = std::make_shared<WeightSnapshot>();
    snapshot->identity = IdentityOf(version);
    store.Publish(std::move(snapshot));
  }
  EXPECT_EQ(watcher->num_kept(), 5u);
  EXPECT_NE(store.Find("policy", 2), nullptr);
  EXPECT_EQ(store.Find("policy", 1), nullptr);
  store.Unwatch(watcher.get());
}

TEST(HostThreads, WatchersThatJoinAtAnyTimeSeeEveryVersionInOrder) {
  constexpr uint64_t kFirst = 100;
  constexpr uint64_t kLast = 300;
  constexpr size_t kKept = 3;
  SnapshotStore store(kKept);
  std::vector<std::thread> watchers;
  for (int w = 0; w < 4; ++w) {
    watchers.emplace_back([&] {
      while (true) {
        const auto watcher = std::make_shared<RecordingWatcher>();
        store.Watch(watcher);
        while (!watcher->ended() && watcher->versions().size() < 10) std::this_thread::yield();
        const bool ended = watcher->ended();
        store.Unwatch(watcher.get());
        const std::vector<uint64_t> versions = watcher->versions();
        for (size_t i = 1; i < versions.size(); ++i) ASSERT_EQ(versions[i], versions[i - 1] + 1);
        EXPECT_GT(watcher->pumps(), 0);
        if (ended) return;
      }
    });
  }
  for (uint64_t version = kFirst; version <= kLast; ++version) {
    auto snapshot = std::make_shared<WeightSnapshot>();
    snapshot->identity = IdentityOf(version);
    store.Publish(std::move(snapshot));
    EXPECT_NE(store.Find("policy", version), nullptr);
    EXPECT_EQ(store.Find("policy", version - kKept), nullptr);
  }
  store.End();
  for (std::thread& watcher : watchers) watcher.join();
}

}  // namespace
}  // namespace ponder::testing
