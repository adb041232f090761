#include "core/base/log.h"

#include <fmt/format.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

namespace ponder {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

}  // namespace

Log::Log(std::string role, int rank, LogLevel minimum) : role_(std::move(role)), rank_(rank) {
  const std::string who = rank_ >= 0 ? fmt::format("{}/{}", role_, rank_) : role_;
  logger_ =
      std::make_shared<spdlog::logger>(who, std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger_->set_pattern("%H:%M:%S.%e %L %n  %v");
  logger_->set_level(ToSpdlog(minimum));
  logger_->flush_on(spdlog::level::debug);
}

Log::~Log() = default;

void Log::Write(LogLevel level, std::string_view text) const {
  logger_->log(ToSpdlog(level), spdlog::string_view_t(text.data(), text.size()));
}

}  // namespace ponder
