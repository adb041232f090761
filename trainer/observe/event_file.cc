#include "trainer/observe/event_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cmath>

#include "ponder/tensorboard/event.pb.h"

namespace ponder {
namespace {

constexpr const char* kFileVersion = "brain.Event:2";
constexpr uint32_t kMaskDelta = 0xa282ead8U;

double WallTime() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

// CRCs of data that holds CRCs are weak, so the format rotates them and adds a constant.
uint32_t Masked(uint32_t crc) { return ((crc >> 15) | (crc << 17)) + kMaskDelta; }

template <typename Unsigned>
std::string LittleEndian(Unsigned value) {
  std::string bytes;
  for (size_t i = 0; i < sizeof value; ++i) bytes.push_back(static_cast<char>(value >> (8 * i)));
  return bytes;
}

}  // namespace

std::string FrameEvent(std::string_view data) {
  const std::string length = LittleEndian<uint64_t>(data.size());
  return length + LittleEndian(Masked(Crc32c(length))) + std::string(data) +
         LittleEndian(Masked(Crc32c(data)));
}

EventFile::EventFile(FileSystem& files, const std::string& folder, int64_t first_step) {
  files.MakeDirectories(folder);
  file_ = files.OpenForAppend(fmt::format("{}/events.out.tfevents.{:010}.{}.{}", folder,
                                          static_cast<int64_t>(WallTime()), HostName(), getpid()));
  tensorboard::Event version;
  version.set_wall_time(WallTime());
  version.set_file_version(kFileVersion);
  tensorboard::Event start;
  start.set_wall_time(WallTime());
  start.set_step(first_step);
  start.mutable_session_log()->set_status(tensorboard::SessionLog::START);
  file_->Append(FrameEvent(version.SerializeAsString()) + FrameEvent(start.SerializeAsString()));
}

void EventFile::Write(int64_t step, const std::string& set, const MetricRecord& record) {
  tensorboard::Event event;
  event.set_wall_time(WallTime());
  event.set_step(step);
  for (const auto& [name, value] : record.values()) {
    if (!std::isfinite(value)) continue;
    tensorboard::Summary::Value* curve = event.mutable_summary()->add_value();
    curve->set_tag(set.empty() ? name : name + "/" + set);
    curve->set_simple_value(static_cast<float>(value));
  }
  if (event.has_summary()) file_->Append(FrameEvent(event.SerializeAsString()));
}

}  // namespace ponder
