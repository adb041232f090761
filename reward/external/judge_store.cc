#include "reward/external/judge_store.h"

#include <sqlite3.h>

#include "core/base/error.h"

namespace ponder {
namespace {

// How long a write waits for another process.
constexpr int kBusyMs = 5000;
constexpr const char* kInMemory = ":memory:";

// A prepared statement, finalized with this. Binds from 1, reads columns from 0.
class Statement {
 public:
  Statement(sqlite3* database, const char* sql) {
    sqlite3_prepare_v2(database, sql, -1, &statement_, nullptr);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& Bind(int index, const std::string& text) {
    sqlite3_bind_text(statement_, index, text.data(), static_cast<int>(text.size()),
                      SQLITE_TRANSIENT);
    return *this;
  }
  Statement& Bind(int index, double value) {
    sqlite3_bind_double(statement_, index, value);
    return *this;
  }
  Statement& Bind(int index, int64_t value) {
    sqlite3_bind_int64(statement_, index, value);
    return *this;
  }
  // SQLITE_ROW, SQLITE_DONE, or an error.
  int Step() { return sqlite3_step(statement_); }
  double Real(int column) const { return sqlite3_column_double(statement_, column); }
  int64_t Whole(int column) const { return sqlite3_column_int64(statement_, column); }

 private:
  sqlite3_stmt* statement_ = nullptr;  // null after an error, which every call below then returns
};

}  // namespace

JudgeStore::JudgeStore(const std::string& path) : path_(path.empty() ? kInMemory : path) {
  MutexLock lock(mutex_);
  try {
    if (sqlite3_open(path_.c_str(), &database_) != SQLITE_OK) Throw("open");
    sqlite3_busy_timeout(database_, kBusyMs);
    Execute("PRAGMA journal_mode = WAL");
    Execute("CREATE TABLE IF NOT EXISTS scores(key TEXT PRIMARY KEY, score REAL) WITHOUT ROWID");
    Execute(
        "CREATE TABLE IF NOT EXISTS spent(account TEXT PRIMARY KEY, requests INTEGER, "
        "tokens INTEGER) WITHOUT ROWID");
  } catch (...) {
    sqlite3_close(database_);
    throw;
  }
}

JudgeStore::~JudgeStore() {
  MutexLock lock(mutex_);
  sqlite3_close(database_);
}

void JudgeStore::Throw(const std::string& what) const {
  throw Error(Condition::kIo, what + " of the cache " + path_ + ": " + sqlite3_errmsg(database_));
}

void JudgeStore::Execute(const char* sql) {
  if (sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) Throw("setup");
}

std::optional<double> JudgeStore::Read(const std::string& key) {
  Statement find(database_, "SELECT score FROM scores WHERE key = ?1");
  const int code = find.Bind(1, key).Step();
  if (code == SQLITE_ROW) return find.Real(0);
  if (code != SQLITE_DONE) Throw("read");
  return std::nullopt;
}

std::optional<double> JudgeStore::Find(const std::string& key) {
  MutexLock lock(mutex_);
  return Read(key);
}

double JudgeStore::Keep(const std::string& key, double score) {
  MutexLock lock(mutex_);
  // Memory is bounded: what does not fit is asked again.
  if (path_ != kInMemory || num_kept_ < kMaxScoresInMemory) {
    Statement keep(database_, "INSERT OR IGNORE INTO scores VALUES(?1, ?2)");
    if (keep.Bind(1, key).Bind(2, score).Step() != SQLITE_DONE) Throw("write");
    num_kept_ += sqlite3_changes(database_);
  }
  return Read(key).value_or(score);
}

bool JudgeStore::SpendRequest(const std::string& account, const JudgeBudget& budget) {
  MutexLock lock(mutex_);
  // One statement, so that processes that share the file cannot both take the last request.
  Statement add(database_,
                "INSERT INTO spent VALUES(?1, 1, 0) ON CONFLICT(account) DO UPDATE SET "
                "requests = requests + 1 WHERE (?2 = 0 OR requests < ?2) AND "
                "(?3 = 0 OR tokens < ?3)");
  const int code = add.Bind(1, account).Bind(2, budget.requests).Bind(3, budget.tokens).Step();
  if (code != SQLITE_DONE) Throw("write");
  return sqlite3_changes(database_) > 0;
}

void JudgeStore::SpendTokens(const std::string& account, int64_t tokens) {
  MutexLock lock(mutex_);
  Statement add(database_, "UPDATE spent SET tokens = tokens + ?2 WHERE account = ?1");
  if (add.Bind(1, account).Bind(2, tokens).Step() != SQLITE_DONE) Throw("write");
}

}  // namespace ponder
