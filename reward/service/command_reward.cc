// A user's program as a source of reward: asked by a line of JSON per group, started again when it
// dies, killed when it takes too long or talks nonsense.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "core/base/error.h"
#include "core/base/mutex.h"
#include "reward/external/command_program.h"
#include "reward/external/command_protocol.h"
#include "reward/external/idle_pool.h"
#include "reward/service/reward_source.h"

namespace ponder {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFirstBackoff{100};
constexpr milliseconds kMaxBackoff{1000};
constexpr milliseconds kSlice{20};

class CommandReward : public RewardSource {
 public:
  CommandReward(const RewardConfig& config, const RewardContext& context)
      : config_(config),
        context_(context),
        timeout_(std::chrono::duration_cast<milliseconds>(
            std::chrono::duration<double>(config.timeout_s))) {
    // A command that cannot be executed is told before the run begins to depend on it.
    idle_.PutBack(Start());
  }

  std::vector<SourceReward> Judge(const JudgedGroup& group) override {
    return RewardsOf(Ask(group, steady_clock::now() + timeout_), group.completions.size(),
                     config_.range);
  }

 private:
  std::unique_ptr<CommandProgram> Start() const {
    try {
      auto program =
          std::make_unique<CommandProgram>(config_.command, [this](std::string_view line) {
            context_.log.Info(fmt::format("reward '{}' says: {}", config_.name, line));
          });
      context_.log.Info(fmt::format("reward '{}': started process {}: {}", config_.name,
                                    program->pid(), fmt::join(config_.command, " ")));
      return program;
    } catch (const ConfigError& error) {
      throw ConfigError(fmt::format("reward '{}': {}", config_.name, error.what()));
    }
  }

  GroupScores Ask(const JudgedGroup& group, steady_clock::time_point deadline) {
    std::unique_ptr<CommandProgram> program = idle_.Take();
    std::chrono::duration<double> paused{0};
    if (program == nullptr) {
      const auto begin = steady_clock::now();
      WaitForBackoff(deadline);
      paused = steady_clock::now() - begin;
      program = Start();
    }
    const uint64_t id = ++last_id_;
    GroupScores scores;
    std::string its_error;
    try {
      const std::string reply =
          program->Exchange(CommandRequestLine(id, group), deadline, context_.stop);
      scores = ParseCommandReply(reply, id, &its_error);
    } catch (const Error& error) {
      // The program goes with this frame: what it may still say belongs to this request.
      PutOff();
      if (error.condition() != Condition::kDeadline) throw;
      const std::string pause =
          paused.count() < 0.01 ? ""
                                : fmt::format(", {:.2g} s of it before a restart", paused.count());
      throw Error(Condition::kDeadline,
                  fmt::format("no answer within {:g} s (timeout_s){}; it is killed",
                              config_.timeout_s, pause));
    }
    Recovered();
    idle_.PutBack(std::move(program));
    if (!its_error.empty()) throw Error(Condition::kInternal, "it says: " + Excerpt(its_error));
    return scores;
  }

  void WaitForBackoff(steady_clock::time_point deadline) EXCLUDES(mutex_) {
    steady_clock::time_point start;
    {
      MutexLock lock(mutex_);
      start = next_start_;
    }
    if (start >= deadline) {
      throw Error(Condition::kDeadline, "it ended too often to be started again in time");
    }
    while (steady_clock::now() < start && !context_.stop()) std::this_thread::sleep_for(kSlice);
  }

  // Each failure in a row doubles the pause before the next start.
  void PutOff() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    next_start_ = steady_clock::now() + backoff_;
    backoff_ = std::min(2 * backoff_, kMaxBackoff);
  }
  void Recovered() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    backoff_ = kFirstBackoff;
  }

  const RewardConfig config_;
  const RewardContext context_;
  const milliseconds timeout_;
  std::atomic<uint64_t> last_id_{0};
  Mutex mutex_;
  milliseconds backoff_ GUARDED_BY(mutex_){kFirstBackoff};
  steady_clock::time_point next_start_ GUARDED_BY(mutex_);
  IdlePool<CommandProgram> idle_;
};

}  // namespace

std::unique_ptr<RewardSource> MakeCommandReward(const RewardConfig& config, const Task& /*task*/,
                                                const RewardContext& context) {
  return std::make_unique<CommandReward>(config, context);
}

}  // namespace ponder
