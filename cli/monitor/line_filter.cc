#include "cli/monitor/line_filter.h"

#include <utility>

#include "cli/monitor/first_error.h"
#include "cli/monitor/log_text.h"

namespace ponder {
namespace {

constexpr size_t kMaxBannerLines = 20;

// The launcher frames its messages with lines of dashes.
bool IsFrame(std::string_view line) {
  return line.size() >= 20 && line.find_first_not_of('-') == std::string_view::npos;
}

// Open MPI's own remarks outside of frames: "[host:123] ...", "Primary job  terminated ...".
bool IsRemark(std::string_view line) {
  if (line.starts_with("Primary job ")) return true;
  const size_t colon = line.find(':');
  const size_t bracket = line.find("] ");
  return line.starts_with('[') && colon < bracket && bracket != std::string_view::npos;
}

}  // namespace

std::vector<std::string> LineFilter::Feed(std::string_view bytes, Time now) {
  std::vector<std::string> shown;
  open_ += bytes;
  size_t begin = 0;
  for (size_t end = open_.find('\n'); end != std::string::npos; end = open_.find('\n', begin)) {
    Take(std::string_view(open_).substr(begin, end - begin), now, &shown);
    begin = end + 1;
  }
  open_.erase(0, begin);
  return shown;
}

void LineFilter::Take(std::string_view line, Time now, std::vector<std::string>* shown) {
  if (IsFrame(line)) {
    banner_lines_ = banner_lines_ > 0 ? 0 : 1;
    return;
  }
  const bool is_error = RankOfLine(line) != ErrorRank::kNoError;
  if (banner_lines_ > 0) {
    // A frame that nobody closes must not swallow what follows.
    const bool ours = HasTimeOfDay(line) || RankOfLine(line) == ErrorRank::kOwn;
    banner_lines_ = ours || banner_lines_ == kMaxBannerLines ? 0 : banner_lines_ + 1;
    if (!ours) return;
  }
  if (IsRemark(line)) return;
  after_held_ = is_error || (after_held_ && ContinuesMessage(line));
  if (!after_held_) {
    shown->emplace_back(line);
    return;
  }
  if (held_.empty()) held_since_ = now;
  held_.emplace_back(line);
}

std::vector<std::string> LineFilter::Expired(Time now) {
  if (held_.empty() || now - held_since_ < hold_) return {};
  return std::exchange(held_, {});
}

void LineFilter::Drop() {
  held_.clear();
  open_.clear();
  banner_lines_ = 0;
  after_held_ = false;
}

}  // namespace ponder
