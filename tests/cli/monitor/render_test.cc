#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "cli/monitor/render_run.h"
#include "cli/monitor/render_table.h"

namespace ponder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr double kMb = 1e6;

// A run in its third stage, whose reward service was killed a moment ago.
RunView SomeRun() {
  RunView view;
  view.name = "quickstart";
  view.elapsed_s = 192;
  view.status = {
      .state = RunPhase::kRunning,
      .supervisor = {},
      .attempt = 2,
      .started_s = 0,
      .ended_s = 0,
      .exit_code = 0,
      .message = "",
      .processes = {{"rank0", {301, 1}, ProcessState::kRunning, 0, ""},
                    {"rank1", {302, 1}, ProcessState::kRunning, 0, ""},
                    {"reward0", {}, ProcessState::kWaiting, 1, "killed by signal 9 (Killed)"},
                    {"worker0", {304, 1}, ProcessState::kRunning, 0, ""}}};
  view.progress.stages = {{"pretrain", 2000, 0}, {"imitate", 300, 2000}, {"reason", 60, 2300}};
  view.progress.current = 2;
  view.progress.run_step = 2324;
  view.progress.eta_s = 13;
  view.progress.saved_step = 2320;
  view.progress.metrics = {{"reward/mean", 0.965},         {"reward/accuracy", 0.961},
                           {"response_length/mean", 36.6}, {"actor/loss", -0.0123},
                           {"actor/approx_kl", 0.00012},   {"actor/entropy", 0.0104},
                           {"perf/tokens_per_s", 1.0},     {"perf/sampled_tokens_per_s", 35609.2},
                           {"staleness/mean", 0.0}};
  view.progress.history_name = "reward/mean";
  view.progress.history = {0.41, 0.5, 0.62, 0.7, 0.78, 0.85, 0.93, 0.965};
  view.progress.evaluations = {
      {"heldout",
       "reason",
       {{"val/sampled", 0.967}, {"val/sampled_low", 0.954}, {"val/sampled_high", 0.979}}}};
  view.usage = {{"rank0", {190, static_cast<uint64_t>(412 * kMb)}},
                {"rank1", {190, static_cast<uint64_t>(398 * kMb)}},
                {"worker0", {3725, static_cast<uint64_t>(1234 * kMb)}}};
  return view;
}

std::string Render(const RunView& view, const TextStyle& style) {
  std::string text = "\n";
  for (const std::string& line : RenderRun(view, style)) {
    EXPECT_LE(DisplayWidth(line), style.width) << line;
    text += line + "\n";
  }
  return text;
}

TEST(RenderRunTest, ShowsAllOfItOnEightyColumns) {
  EXPECT_EQ(Render(SomeRun(), {.width = 79, .height = 24, .unicode = true}), R"(
quickstart  running 3:12  attempt 2  saved at step 2320
✓ pretrain 2000   ✓ imitate 300   ▸ reason 24/60
[==================>                             ]  40%  ETA 0:13
reward   ▁▂▄▅▆▇██  0.410 to 0.965, 8 steps
reward      0.965   accuracy    0.961   length      36.60   loss       -0.012
KL        1.2e-04   entropy     0.010   tokens/s    35609   age         0.000
memory     2.0 GB
heldout after reason: 96.7% right [95.4%, 97.9%]
process    state         pid       up  restarts   memory
rank0      running       301     3:10         0   412 MB
rank1      running       302     3:10         0   398 MB
reward0    waiting         -        -         1        -
  killed by signal 9 (Killed)
worker0    running       304  1:02:05         0   1.2 GB
)");
}

TEST(RenderRunTest, IsPlainAsciiWhereTheLocaleIsNotUtf8) {
  for (const char c : Render(SomeRun(), {.width = 79, .height = 24})) {
    EXPECT_TRUE(c == '\n' || (c >= ' ' && c <= '~')) << static_cast<int>(c);
  }
}

TEST(RenderRunTest, LeavesOutWhatTellsLeastOnFortyColumns) {
  EXPECT_EQ(Render(SomeRun(), {.width = 39, .height = 24}), R"(
quickstart  running 3:12  attempt 2
stage 3/3 reason 24/60
[=======>              ]  40%  ETA 0:13
reward   _,~^#  0.410 to 0.965, 8 steps
reward      0.965   accuracy    0.961
length      36.60   loss       -0.012
KL        1.2e-04   entropy     0.010
tokens/s    35609   age         0.000
memory     2.0 GB
heldout after reason: 96.7% right
process    state           up   memory
rank0      running       3:10   412 MB
rank1      running       3:10   398 MB
reward0    waiting          -        -
  killed by signal 9 (Killed)
worker0    running    1:02:05   1.2 GB
)");
}

TEST(RenderRunTest, FitsEveryWidthAndHeight) {
  for (size_t width = 1; width <= 130; ++width) {
    for (const size_t height : {1, 5, 9, 12, 40}) {
      const auto lines = RenderRun(SomeRun(), {.width = width, .height = height});
      EXPECT_LE(lines.size(), height);
      for (const std::string& line : lines) EXPECT_LE(DisplayWidth(line), width) << line;
    }
  }
}

TEST(RenderRunTest, SumsUpWhatIsWellWhereRowsAreShort) {
  RunView view = SomeRun();
  for (int i = 1; i < 30; ++i) {
    view.status.processes.push_back(
        {"worker" + std::to_string(i), {}, ProcessState::kRunning, 0, ""});
  }
  const std::string text = Render(view, {.width = 79, .height = 14});
  EXPECT_THAT(text, HasSubstr("reward0    waiting"));
  EXPECT_THAT(text, HasSubstr("\n32 more, running\n"));
  EXPECT_THAT(text, testing::Not(HasSubstr("worker1 ")));
}

TEST(RenderRunTest, ARunThatFailedSaysWhy) {
  RunView view = SomeRun();
  view.status.state = RunPhase::kFailed;
  view.status.message = "rank1: training diverged\ntrainer: exit code 76";
  view.status.processes.clear();
  view.progress = {};
  EXPECT_EQ(Render(view, {.width = 79, .height = 24}),
            "\nquickstart  failed 3:12  attempt 2\n"
            "rank1: training diverged\n"
            "trainer: exit code 76\n");
}

TEST(RenderRunTest, HasColoursOnlyWhenAsked) {
  const std::string plain = Render(SomeRun(), {.width = 79, .height = 24});
  EXPECT_EQ(plain.find('\033'), std::string::npos);
  const auto colored = RenderRun(SomeRun(), {.width = 79, .height = 24, .color = true});
  EXPECT_THAT(colored.front(), HasSubstr("\033[1mquickstart\033[0m  \033[32mrunning 3:12\033[0m"));
}

TEST(RenderTableTest, DropsColumnsThatHaveNoRoom) {
  RunView other;
  other.name = "a_second_run";
  other.status.state = RunPhase::kKilled;
  const std::vector<RunView> runs{SomeRun(), other};
  EXPECT_THAT(RenderRunTable(runs, {.width = 80}),
              ElementsAre("run           state    stage          ETA  reward  saved  processes",
                          "quickstart    running  reason 24/60  0:13   0.965   2320        3/4",
                          "a_second_run  killed   -                -       -      -          -"));
  EXPECT_THAT(RenderRunTable(runs, {.width = 40}),
              ElementsAre("run           state    stage", "quickstart    running  reason 24/60",
                          "a_second_run  killed   -"));
}

TEST(RunsToJsonTest, HoldsWhatTheTableShows) {
  const auto root = nlohmann::json::parse(RunsToJson({SomeRun()}));
  EXPECT_EQ(root.at("format_version"), 1);
  const auto& run = root.at("runs").at(0);
  EXPECT_EQ(run.at("state"), "running");
  EXPECT_EQ(run.at("stage").at("step"), 24);
  EXPECT_EQ(run.at("stage").at("eta_s"), 13);
  EXPECT_EQ(run.at("metrics").at("reward/mean"), 0.965);
  EXPECT_EQ(run.at("processes").at(0).at("pid"), 301);
  EXPECT_FALSE(run.at("processes").at(2).contains("pid")) << "it does not live";
}

TEST(TextLayoutTest, CutsByColumnsAndNeverInsideACharacter) {
  EXPECT_EQ(DisplayWidth("▁▂█"), 3u);
  EXPECT_EQ(DisplayWidth("漢字"), 4u);
  EXPECT_EQ(FitText("abcdef", 6), "abcdef");
  EXPECT_EQ(FitText("abcdefg", 6), "abcd..");
  EXPECT_EQ(FitText("漢字漢字", 6), "漢字..");
  EXPECT_EQ(FitText("a\033[1mb\xff", 9), "a?[1mb?");
}

TEST(TextLayoutTest, CurvesGoFromTheLowestToTheHighest) {
  EXPECT_EQ(Sparkline({0, 1, 2, 3, 4, 5, 6, 7}, 8, true), "▁▂▃▄▅▆▇█");
  EXPECT_EQ(Sparkline({0, 0, 7, 7}, 2, false), "_#");
  EXPECT_EQ(Sparkline({3, 3, 3}, 8, false), "~~~") << "level";
  EXPECT_EQ(Sparkline({3}, 8, false), "");
}

TEST(TextLayoutTest, NumbersAreShort) {
  EXPECT_EQ(FormatNumber(0.965), "0.965");
  EXPECT_EQ(FormatNumber(35609.2), "35609");
  EXPECT_EQ(FormatNumber(-0.00012), "-1.2e-04");
  EXPECT_EQ(FormatNumber(0), "0.000");
  EXPECT_EQ(FormatBytes(1.2345e9), "1.2 GB");
  EXPECT_EQ(FormatBytes(999.6e6), "1.0 GB");
  EXPECT_EQ(FormatBytes(4096), "4 kB");
}

}  // namespace
}  // namespace ponder
