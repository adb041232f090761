// What a judge that costs money has said, and what it has cost: an SQLite database.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/base/mutex.h"
#include "core/config/experiment.h"

struct sqlite3;

namespace ponder {

// Thread safe, and shared by the processes of a machine that name the same file. A process that is
// killed leaves the file whole.
class JudgeStore {
 public:
  // `path` empty: in memory, for as long as this lives, and at most kMaxScoresInMemory scores.
  // Everything throws Error(kIo) when the file cannot be read or written, or is no such database.
  explicit JudgeStore(const std::string& path);
  ~JudgeStore();
  JudgeStore(const JudgeStore&) = delete;
  JudgeStore& operator=(const JudgeStore&) = delete;

  // The score kept under `key`, a digest of all that a score depends on.
  std::optional<double> Find(const std::string& key) EXCLUDES(mutex_);
  // The first score of a key stays, and is returned: what was once said is said again.
  double Keep(const std::string& key, double score) EXCLUDES(mutex_);

  // Counts one more request of `account` (one reward of one run), unless it has had
  // `budget.requests` of them or spent `budget.tokens` already: false then. 0 is no bound.
  bool SpendRequest(const std::string& account, const JudgeBudget& budget) EXCLUDES(mutex_);
  void SpendTokens(const std::string& account, int64_t tokens) EXCLUDES(mutex_);

 private:
  static constexpr int64_t kMaxScoresInMemory = 200'000;

  std::optional<double> Read(const std::string& key) REQUIRES(mutex_);
  void Execute(const char* sql) REQUIRES(mutex_);
  [[noreturn]] void Throw(const std::string& what) const REQUIRES(mutex_);

  const std::string path_;
  Mutex mutex_;
  sqlite3* database_ GUARDED_BY(mutex_) = nullptr;
  int64_t num_kept_ GUARDED_BY(mutex_) = 0;  // by this object
};

}  // namespace ponder
