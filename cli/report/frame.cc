#include "cli/report/frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/report/svg.h"

namespace ponder::report {
namespace {

constexpr double kTitleLine = 13;
constexpr double kLegendRow = 13;
constexpr double kStageRow = 14;
constexpr double kAxisRows = 27;  // tick labels and "step" below the plot
constexpr double kRightMargin = 8;
constexpr double kPanelGap = 5;
constexpr double kCharacter = 5.6;  // of the small text, on average
constexpr double kSwatch = 16;
constexpr int kMaxYTicks = 5;

// `text` cut to `width`, with an ellipsis for the rest.
std::string Fitted(const std::string& text, double width) {
  const auto room = static_cast<size_t>(std::max(0.0, width / kCharacter));
  if (text.size() <= room) return text;
  if (room < 2) return {};
  size_t cut = room - 1;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
  return text.substr(0, cut) + "\u2026";
}

std::string Numbers(const Scale& scale) {
  return fmt::format("{:g} {:g} {} {}", scale.low, scale.high, Coordinate(scale.begin),
                     Coordinate(scale.end));
}

}  // namespace

Frame::Frame(const FrameOptions& options) : options_(options) {
  LayOutLegend();
  const double legend_bottom = legend_y_.empty() ? kTitleLine + 2 : legend_y_.back() + 4;
  plot_top_ = legend_bottom + kStageRow;
  plot_bottom_ = options_.height - kAxisRows;
  Domain domain = options_.y;
  if (!options_.whole_y) {
    domain = options_.log_y ? RoundLogDomain(domain.low, domain.high)
                            : RoundDomain(domain.low, domain.high, kMaxYTicks);
  }
  y_ = {domain.low, domain.high, plot_bottom_, plot_top_, options_.log_y};
  y_ticks_ = options_.log_y ? LogTicks(domain.low, domain.high, kMaxYTicks)
                            : LinearTicks(domain.low, domain.high, kMaxYTicks);
  size_t longest = 1;
  for (const Tick& tick : y_ticks_) longest = std::max(longest, tick.label.size());
  const double left = static_cast<double>(longest) * kCharacter + 8;
  const auto count = static_cast<double>(options_.panels.size());
  const double width = (options_.width - left - kRightMargin - kPanelGap * (count - 1)) / count;
  double begin = left;
  for (const PanelSpan& panel : options_.panels) {
    constexpr double kInset = 4;  // marks on the first and the last step stay whole
    x_.push_back({panel.first_step, std::max(panel.last_step, panel.first_step), begin + kInset,
                  begin + width - kInset, /*log=*/false});
    begin += width + kPanelGap;
  }
}

void Frame::LayOutLegend() {
  if (options_.legend.empty()) return;
  double x = 2;
  double y = kTitleLine + kLegendRow;
  for (const LegendEntry& entry : options_.legend) {
    const double width = kSwatch + static_cast<double>(entry.name.size()) * kCharacter + 10;
    if (x > 2 && x + width > options_.width) {
      x = 2;
      y += kLegendRow;
    }
    legend_x_.push_back(x);
    legend_y_.push_back(y);
    x += width;
  }
}

std::string Frame::Legend() const {
  std::string text;
  for (size_t i = 0; i < options_.legend.size(); ++i) {
    const LegendEntry& entry = options_.legend[i];
    const double x = legend_x_[i];
    const double y = legend_y_[i];
    switch (entry.swatch) {
      case LegendEntry::Swatch::kLine:
        text += Line(x, y - 3, x + 12, y - 3, "ln " + entry.style);
        break;
      case LegendEntry::Swatch::kPoint:
        text += fmt::format(R"(<circle cx="{}" cy="{}" r="2.5" class="pt {}"/>)", Coordinate(x + 6),
                            Coordinate(y - 3), entry.style);
        break;
      case LegendEntry::Swatch::kArea:
        text += Rectangle(x + 2, y - 8, 9, 9, entry.style);
        break;
    }
    text += Text(x + kSwatch, y, Fitted(entry.name, options_.width - x - kSwatch));
  }
  return text;
}

std::string Frame::HorizontalGrid() const {
  std::string text;
  for (const Tick& tick : y_ticks_) {
    const double y = y_(tick.value);
    for (const Scale& panel : x_) {
      text += Line(panel.begin - 4, y, panel.end + 4, y, "gr");
    }
    text += Text(x_.front().begin - 8, y + 3.5, tick.label, Anchor::kEnd);
  }
  return text;
}

std::string Frame::VerticalAxis(size_t panel) const {
  const Scale& x = x_[panel];
  constexpr double kTickWidth = 44;
  const int max_ticks = std::max(2, static_cast<int>(width(panel) / kTickWidth));
  std::string text = Line(x.begin - 4, plot_bottom_, x.end + 4, plot_bottom_, "ax");
  for (const Tick& tick : LinearTicks(x.low, x.high, max_ticks)) {
    if (tick.value != std::floor(tick.value)) continue;  // there is no half a step
    const double at = x(tick.value);
    text += Line(at, plot_bottom_, at, plot_bottom_ + 3, "ax");
    text += Text(at, plot_bottom_ + 13, tick.label, Anchor::kMiddle);
  }
  return text;
}

std::string Frame::Background() const {
  std::string text = Text(2, kTitleLine - 1, options_.title, Anchor::kStart, "ti");
  if (!options_.remark.empty()) {
    text +=
        Text(options_.width - kRightMargin, kTitleLine - 1, options_.remark, Anchor::kEnd, "va");
  }
  text += Legend();
  for (size_t panel = 0; panel < x_.size(); ++panel) {
    const double left = x_[panel].begin - 4;
    text += Rectangle(left, plot_top_ - kStageRow + 2, width(panel) + 8,
                      plot_bottom_ - plot_top_ + kStageRow - 2, panel % 2 == 0 ? "pa" : "pb");
    text += Text(left + 3, plot_top_ - 3, Fitted(options_.panels[panel].stage, width(panel) + 4),
                 Anchor::kStart, "st");
  }
  if (!x_.empty()) text += HorizontalGrid();
  for (size_t panel = 0; panel < x_.size(); ++panel) text += VerticalAxis(panel);
  text += Text(options_.width - kRightMargin, options_.height - 3,
               x_.size() > 1 ? "step of the stage" : "step", Anchor::kEnd, "st");
  return text;
}

std::string Frame::OpenPanel(size_t panel) const {
  return fmt::format(R"(<g class="panel" data-stage="{}" data-x="{}" data-y="{}"{}>)",
                     Escaped(options_.panels[panel].stage), Numbers(x_[panel]), Numbers(y_),
                     y_.log ? R"( data-log="1")" : "");
}

}  // namespace ponder::report
