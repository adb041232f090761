#include "cli/monitor/render_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>

#include "core/base/duration_text.h"

namespace ponder {
namespace {

struct ShownMetric {
  const char* label;
  std::array<const char*, 2> names;  // the first one that the stage has
};

constexpr std::array kShownMetrics{
    ShownMetric{"reward", {"reward/mean", ""}},
    ShownMetric{"accuracy", {"reward/accuracy", ""}},
    ShownMetric{"length", {"response_length/mean", ""}},
    ShownMetric{"loss", {"actor/loss", ""}},
    ShownMetric{"KL", {"actor/approx_kl", ""}},
    ShownMetric{"entropy", {"actor/entropy", ""}},
    ShownMetric{"tokens/s", {"perf/sampled_tokens_per_s", "perf/tokens_per_s"}},
    ShownMetric{"age", {"staleness/mean", ""}},
};

constexpr size_t kMetricWidth = 17;  // "accuracy    0.965"
constexpr size_t kMetricGap = 3;
constexpr size_t kLabelWidth = 9;
constexpr size_t kMaxMessageLines = 6;

StyledLine Header(const RunView& view, const TextStyle& style) {
  std::string state(NameOf(view.status.state));
  if (view.elapsed_s > 0) state += " " + FormatDuration(view.elapsed_s);
  StyledLine line{{view.name, TextTone::kBold}, {"  "}, {state, ToneOf(view.status.state)}};
  size_t used = DisplayWidth(view.name) + 2 + DisplayWidth(state);
  const auto add_if_it_fits = [&](const std::string& text) {
    used += DisplayWidth(text);
    if (used <= style.width) line.push_back({text, TextTone::kDim});
  };
  if (view.status.attempt > 0) add_if_it_fits(fmt::format("  attempt {}", view.status.attempt));
  if (view.progress.saved_step >= 0) {
    add_if_it_fits(fmt::format("  saved at step {}", view.progress.saved_step));
  }
  return line;
}

// Every stage on one line; where that is too narrow, the current one and its number.
StyledLine Stages(const RunView& view, const TextStyle& style) {
  const RunProgress& progress = view.progress;
  const bool finished = view.status.state == RunPhase::kFinished;
  StyledLine all;
  size_t width = 0;
  for (size_t i = 0; i < progress.stages.size(); ++i) {
    const StageTarget& stage = progress.stages[i];
    const bool done = i < progress.current || finished;
    const bool now = !done && i == progress.current;
    const char* mark = done  ? (style.unicode ? "✓ " : "+ ")
                       : now ? (style.unicode ? "▸ " : "> ")
                             : (style.unicode ? "· " : "- ");
    const std::string steps = now ? fmt::format(" {}/{}", progress.StepsDone(i), stage.num_steps)
                                  : fmt::format(" {}", stage.num_steps);
    all.push_back(
        {(i > 0 ? "   " : "") + std::string(mark) + stage.name + steps, done  ? TextTone::kGood
                                                                        : now ? TextTone::kAccent
                                                                              : TextTone::kDim});
    width += DisplayWidth(all.back().text);
  }
  if (width <= style.width) return all;
  return {{fmt::format("stage {}/{} ", progress.current + 1, progress.stages.size())},
          {StageText(progress), TextTone::kAccent}};
}

StyledLine Bar(const RunView& view, const TextStyle& style) {
  const RunProgress& progress = view.progress;
  const StageTarget& stage = progress.stages.at(progress.current);
  const int64_t done = progress.StepsDone(progress.current);
  const double share =
      stage.num_steps > 0
          ? std::min(1.0, static_cast<double>(done) / static_cast<double>(stage.num_steps))
          : 0.0;
  std::string text = fmt::format(" {:3.0f}%", 100 * share);
  if (IsActive(view.status.state) && progress.eta_s >= 0) {
    text += "  ETA " + FormatDuration(progress.eta_s);
  }
  constexpr size_t kWidestBar = 50;
  const size_t taken = DisplayWidth(text);
  const size_t room = style.width > taken ? style.width - taken : 0;
  return {{ProgressBar(share, std::min(kWidestBar, room)), TextTone::kAccent}, {text}};
}

std::optional<StyledLine> Curve(const RunView& view, const TextStyle& style) {
  const std::vector<double>& history = view.progress.history;
  const std::string label = view.progress.history_name == "reward/mean" ? "reward" : "loss";
  if (history.size() < 2) return std::nullopt;
  const std::string range = fmt::format("  {} to {}, {} steps", FormatNumber(history.front()),
                                        FormatNumber(history.back()), history.size());
  const size_t taken = kLabelWidth + DisplayWidth(range);
  const size_t room = style.width > taken ? style.width - taken : 0;
  constexpr size_t kWidestCurve = 40;
  return StyledLine{
      {PadRight(label, kLabelWidth)},
      {Sparkline(history, std::min(kWidestCurve, room), style.unicode), TextTone::kGood},
      {range, TextTone::kDim}};
}

// The metrics in as many columns as fit.
std::vector<StyledLine> Metrics(const RunView& view, const TextStyle& style) {
  std::vector<std::string> cells;
  for (const ShownMetric& shown : kShownMetrics) {
    for (const char* name : shown.names) {
      const auto value = view.progress.metrics.find(name);
      if (value == view.progress.metrics.end()) continue;
      cells.push_back(PadRight(shown.label, kLabelWidth) +
                      PadLeft(FormatNumber(value->second), kMetricWidth - kLabelWidth));
      break;
    }
  }
  uint64_t resident = 0;
  for (const auto& [name, usage] : view.usage) resident += usage.resident_bytes;
  if (resident > 0) {
    cells.push_back(
        PadRight("memory", kLabelWidth) +
        PadLeft(FormatBytes(static_cast<double>(resident)), kMetricWidth - kLabelWidth));
  }
  const size_t columns =
      std::max<size_t>(1, (style.width + kMetricGap) / (kMetricWidth + kMetricGap));
  std::vector<StyledLine> lines;
  for (size_t begin = 0; begin < cells.size(); begin += columns) {
    std::string text;
    for (size_t i = begin; i < std::min(begin + columns, cells.size()); ++i) {
      text += (i > begin ? std::string(kMetricGap, ' ') : "") + cells[i];
    }
    lines.push_back({{text}});
  }
  return lines;
}

std::vector<StyledLine> Evaluations(const RunView& view, const TextStyle& style) {
  std::vector<StyledLine> lines;
  for (const EvaluationResult& evaluation : view.progress.evaluations) {
    const auto share = [&](const char* name) {
      const auto value = evaluation.values.find(name);
      return value == evaluation.values.end() ? std::string("-")
                                              : fmt::format("{:.1f}%", 100 * value->second);
    };
    std::string text = fmt::format("{} after {}: {} right", evaluation.set, evaluation.stage,
                                   share("val/sampled"));
    std::string interval;
    if (evaluation.values.contains("val/sampled_low")) {
      interval = " [" + share("val/sampled_low") + ", " + share("val/sampled_high") + "]";
    }
    std::string greedy;
    if (evaluation.values.contains("val/greedy")) greedy = ", greedy " + share("val/greedy");
    if (DisplayWidth(text + interval) <= style.width) text += interval;
    if (DisplayWidth(text + greedy) <= style.width) text += greedy;
    lines.push_back({{text}});
  }
  return lines;
}

bool IsWell(const ProcessStatus& process) {
  return process.state == ProcessState::kRunning && process.restarts == 0;
}

// The table of processes; `most`: rows for it, its head included.
std::vector<StyledLine> Processes(const RunView& view, const TextStyle& style, size_t most) {
  const bool with_pid = style.width >= 60;
  const bool with_restarts = style.width >= 50;
  const auto row = [&](const std::string& name, const std::string& pid, const std::string& state,
                       const std::string& uptime, const std::string& restarts,
                       const std::string& memory, TextTone tone) {
    StyledLine line{{PadRight(FitText(name, 10), 10)}, {" " + PadRight(state, 9), tone}};
    if (with_pid) line.push_back({PadLeft(pid, 8)});
    line.push_back({PadLeft(uptime, 9)});
    if (with_restarts) line.push_back({PadLeft(restarts, 10)});
    line.push_back({PadLeft(memory, 9)});
    return line;
  };
  size_t rows = 1;
  for (const ProcessStatus& process : view.status.processes) {
    rows += process.detail.empty() ? 1 : 2;
  }
  const bool sum_up = rows > most;
  std::vector<StyledLine> lines;
  StyledLine head = row("process", "pid", "state", "up", "restarts", "memory", TextTone::kDim);
  for (Span& span : head) span.tone = TextTone::kDim;
  lines.push_back(head);
  size_t left_out = 0;
  for (const ProcessStatus& process : view.status.processes) {
    if (sum_up && IsWell(process)) {
      ++left_out;
      continue;
    }
    const auto usage = view.usage.find(process.name);
    const bool lives = usage != view.usage.end();
    const TextTone tone = process.state == ProcessState::kRunning ? TextTone::kGood
                          : process.state == ProcessState::kEnded && !process.detail.empty()
                              ? TextTone::kBad
                              : TextTone::kWarn;
    lines.push_back(
        row(process.name, lives ? std::to_string(process.identity.pid) : "-",
            std::string(NameOf(process.state)),
            lives ? FormatDuration(usage->second.uptime_s) : "-", std::to_string(process.restarts),
            lives ? FormatBytes(static_cast<double>(usage->second.resident_bytes)) : "-", tone));
    if (!process.detail.empty()) lines.push_back({{"  " + process.detail, TextTone::kWarn}});
  }
  if (left_out > 0) {
    if (lines.size() + 1 > most) lines.resize(std::max<size_t>(1, most - 1));
    lines.push_back({{fmt::format("{} more, running", left_out), TextTone::kDim}});
  }
  return lines;
}

std::vector<StyledLine> Message(const RunView& view) {
  std::vector<StyledLine> lines;
  const TextTone tone = IsActive(view.status.state) ? TextTone::kWarn : ToneOf(view.status.state);
  std::istringstream text(view.status.message);
  for (std::string line; lines.size() < kMaxMessageLines && std::getline(text, line);) {
    lines.push_back({{line, tone}});
  }
  return lines;
}

}  // namespace

TextTone ToneOf(RunPhase state) {
  switch (state) {
    case RunPhase::kRunning:
    case RunPhase::kFinished:
      return TextTone::kGood;
    case RunPhase::kFailed:
    case RunPhase::kKilled:
      return TextTone::kBad;
    case RunPhase::kStarting:
    case RunPhase::kStopping:
    case RunPhase::kStopped:
    case RunPhase::kUnsupervised:
      return TextTone::kWarn;
  }
  return TextTone::kPlain;
}

std::map<std::string, ProcessUsage> UsageOf(const RunStatus& status) {
  std::map<std::string, ProcessUsage> usage;
  for (const ProcessStatus& process : status.processes) {
    const std::optional<ProcessInfo> info = ReadLiving(process.identity);
    if (info) usage[process.name] = {UptimeSeconds(*info), info->resident_bytes};
  }
  return usage;
}

void MarkEnded(RunView* view) {
  for (ProcessStatus& process : view->status.processes) {
    const bool ran = process.state == ProcessState::kRunning;
    if (ran && !view->usage.contains(process.name)) process.state = ProcessState::kEnded;
  }
}

std::string StageText(const RunProgress& progress) {
  if (progress.stages.empty()) return "";
  const StageTarget& stage = progress.stages.at(progress.current);
  return fmt::format("{} {}/{}", stage.name, progress.StepsDone(progress.current), stage.num_steps);
}

std::string ProcessCount(const RunStatus& status) {
  size_t running = 0;
  for (const ProcessStatus& process : status.processes) {
    running += process.state == ProcessState::kRunning;
  }
  return fmt::format("{}/{}", running, status.processes.size());
}

std::vector<std::string> RenderRun(const RunView& view, const TextStyle& style) {
  std::vector<StyledLine> lines{Header(view, style)};
  if (!view.progress.stages.empty()) {
    lines.push_back(Stages(view, style));
    lines.push_back(Bar(view, style));
    if (const auto curve = Curve(view, style)) lines.push_back(*curve);
    for (StyledLine& line : Metrics(view, style)) lines.push_back(std::move(line));
    for (StyledLine& line : Evaluations(view, style)) lines.push_back(std::move(line));
  }
  for (StyledLine& line : Message(view)) lines.push_back(std::move(line));
  const size_t used = lines.size();
  if (!view.status.processes.empty() && used + 2 <= style.height) {
    for (StyledLine& line : Processes(view, style, style.height - used)) {
      lines.push_back(std::move(line));
    }
  }
  if (lines.size() > style.height) lines.resize(style.height);
  std::vector<std::string> painted;
  for (const StyledLine& line : lines) painted.push_back(Paint(line, style));
  return painted;
}

}  // namespace ponder
