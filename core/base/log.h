// Logging with role and rank on every line. Passed in; there is no global logger.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace ponder {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Thread safe. Lines go to stderr: "03:12:25.123 I trainer/0  text". Never called under a lock.
class Log {
 public:
  // `role`: "trainer", "worker", "reward", "up". `rank`: printed after a slash when >= 0.
  Log(std::string role, int rank, LogLevel minimum = LogLevel::kInfo);
  ~Log();
  void Debug(std::string_view text) const { Write(LogLevel::kDebug, text); }
  void Info(std::string_view text) const { Write(LogLevel::kInfo, text); }
  void Warning(std::string_view text) const { Write(LogLevel::kWarning, text); }
  void Error(std::string_view text) const { Write(LogLevel::kError, text); }
  void Write(LogLevel level, std::string_view text) const;
  const std::string& role() const { return role_; }
  int rank() const { return rank_; }

 private:
  std::string role_;
  int rank_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace ponder
