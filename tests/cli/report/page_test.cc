#include "cli/report/page.h"

#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <regex>

#include "cli/command_line.h"
#include "cli/report/content_security.h"
#include "cli/report/figures.h"
#include "cli/report/metric_title.h"
#include "cli/report/tables.h"
#include "cli/report/transcripts.h"
#include "core/base/file.h"
#include "core/base/metrics.h"
#include "tests/cli/report/synthetic_run.h"

namespace ponder::report {
namespace {

namespace fs = std::filesystem;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class PageTest : public ::testing::Test {
 protected:
  PageTest() : files_(MakeRealFileSystem()) {
    std::string pattern = ::testing::TempDir() + "ponder_report_XXXXXX";
    parent_ = mkdtemp(pattern.data());
  }
  ~PageTest() override { fs::remove_all(parent_); }

  RunData Read(const SyntheticRun& synthetic) {
    RunData run = ReadRun(*files_, WriteSyntheticRun(parent_, synthetic));
    ReadTranscripts(*files_, 100000, &run);
    return run;
  }

  // `ponder report` in this process; stdout is its value.
  static std::string RunReport(std::vector<const char*> arguments, int expected_code = 0) {
    arguments.insert(arguments.begin(), {"ponder", "report"});
    ::testing::internal::CaptureStdout();
    const int code = RunCommandLine(static_cast<int>(arguments.size()), arguments.data());
    EXPECT_EQ(code, expected_code);
    return ::testing::internal::GetCapturedStdout();
  }

  std::unique_ptr<FileSystem> files_;
  std::string parent_;
};

std::vector<std::string> FigureIds(const std::vector<ReportSection>& sections) {
  std::vector<std::string> ids;
  for (const ReportSection& section : sections) {
    for (const Figure& figure : section.figures) ids.push_back(figure.drawing.id);
  }
  return ids;
}

TEST_F(PageTest, HasAFigureForEveryMetricThatVariesAndASentenceForTheOthers) {
  const std::vector<ReportSection> sections = MakeFigures({Read({})});
  EXPECT_THAT(FigureIds(sections),
              ElementsAre("overview", "grpo_reward", "grpo_accuracy", "grpo_length",
                          "grpo_lengths_1", "grpo_loss", "grpo_entropy", "grpo_kl",
                          "grpo_grad_norm", "grpo_logprob_diff_mean", "grpo_logprob_diff_max",
                          "grpo_clip_frac", "grpo_zero_variance", "grpo_actor_ratio_mean",
                          "grpo_reward_std", "grpo_train_tokens", "sft_loss", "sft_entropy",
                          "sft_grad_norm", "sft_learning_rate", "sft_train_tokens", "sft_phases_1",
                          "grpo_phases_1", "perf_rss_bytes", "perf_tokens_per_s"));
  EXPECT_THAT(sections[1].text, HasSubstr("Did not vary: Learning rate 5e-4, Updates of a step 1"));
}

TEST(MetricTitleTest, EveryMetricOfTheTableHasWords) {
  for (const MetricRow& row : MetricTable()) {
    std::string name(row.name);
    if (name.ends_with('*')) name.back() = '8';
    EXPECT_THAT(TitleOf(name), Not(HasSubstr("/"))) << name;
  }
  EXPECT_EQ(TitleOf("val/pass_at_8"), "Any sample right, k = 8");
  EXPECT_EQ(TitleOf("other/name"), "other/name");
}

TEST_F(PageTest, KeepsHostileNamesAndPromptsText) {
  const std::string evil = "</style><script>alert(1)</script><img src=x onerror=alert(2)>\"'&";
  SyntheticRun synthetic;
  synthetic.prompt = evil;
  RunData run = Read(synthetic);
  run.name = evil;
  run.folder = evil;
  run.run_id = evil;
  run.notes = {evil};
  run.config_text = evil;
  run.stages[0].name = evil;
  run.stages[2].metrics["actor/" + evil] = run.stages[2].metrics["reward/mean"];
  run.transcripts[0].tokens[0].text = evil;
  const std::string page = RenderPage({run}, MakeFigures({run}));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)"));
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  // One style sheet and one script, both ours.
  const std::regex tag("<(style|script)[^>]*>");
  EXPECT_EQ(
      std::distance(std::sregex_iterator(page.begin(), page.end(), tag), std::sregex_iterator()),
      2);
}

TEST_F(PageTest, AllowsItsOwnStyleAndScriptByTheirDigestsAndNothingElse) {
  // The digest of an empty text, as in FIPS 180-2's test data, in base64.
  EXPECT_THAT(ContentSecurityPolicy("", ""),
              HasSubstr("style-src 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"));
  const RunData run = Read({});
  const std::string page = RenderPage({run}, MakeFigures({run}));
  EXPECT_THAT(page, HasSubstr("default-src 'none'; style-src 'sha256-"));
  EXPECT_THAT(page, Not(HasSubstr("unsafe-inline")));
  EXPECT_THAT(page, Not(HasSubstr("style=\"")));
  EXPECT_THAT(page, Not(HasSubstr(" href=")));
  EXPECT_THAT(page, Not(HasSubstr(" src=")));
}

TEST_F(PageTest, MarksRightAndWrongTranscriptsAndColoursUnsureTokens) {
  RunData run = Read({});
  run.transcripts.resize(4);
  const std::string html = TranscriptsHtml({run});
  EXPECT_THAT(html, HasSubstr("\u2713 right</b> reward 1: answer 1 (equal)"));
  EXPECT_THAT(html, HasSubstr("\u2717 wrong</b> reward 0: answer 0 (different)"));
  EXPECT_THAT(html, HasSubstr("<i class=\"p4\" title=\"p = 0.23\">=</i>"));
  EXPECT_THAT(html, HasSubstr("id=\"by-reward\""));
  EXPECT_EQ(ProbabilityLevel(-0.001), 0);
  EXPECT_EQ(ProbabilityLevel(-10), 6);
}

TEST_F(PageTest, ComparesRunsInOneFigureAndTheirConfigurationsInATable) {
  SyntheticRun other;
  other.name = "wider_clip";
  other.seed = 2;
  other.overrides = {"stages.reason.clip.high=0.4"};
  const std::vector<RunData> runs{Read({}), Read(other)};
  const DataTable table = ConfigDifferences(runs);
  EXPECT_THAT(table.headers, ElementsAre("key", "class", "synthetic", "wider_clip"));
  EXPECT_THAT(table.rows, Contains(ElementsAre("stages.reason.clip.high", "exact", "0.28", "0.4")));
  EXPECT_THAT(table.rows, Contains(ElementsAre("run.seed", "exact", "1", "2")));
  const std::vector<ReportSection> sections = MakeFigures(runs);
  const std::string& reward = sections[1].figures[0].drawing.body;
  EXPECT_THAT(reward, HasSubstr("data-name=\"synthetic\""));
  EXPECT_THAT(reward, HasSubstr("data-name=\"wider_clip\""));
  EXPECT_THAT(RenderPage(runs, sections), HasSubstr("What the configurations differ in"));
}

TEST_F(PageTest, ShowsTheEvaluationsBeforeAndAfterEachStage) {
  const DataTable table = StageResults(Read({}));
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_THAT(table.rows[1],
              ElementsAre("imitate", "sft", "20", "final", "256", "99.9 % [97.9, 100.0]",
                          "41.0 % [39.0, 43.0]", "99.9 % [97.9, 100.0]", "41.0 % [39.0, 43.0]"));
}

TEST_F(PageTest, OfTenThousandStepsIsBelowFiveMegabytes) {
  SyntheticRun synthetic;
  synthetic.pretrain_steps = 2000;
  synthetic.imitate_steps = 500;
  synthetic.reason_steps = 7500;
  synthetic.evaluation_interval = 20;
  const std::string folder = WriteSyntheticRun(parent_, synthetic);
  const auto begin = std::chrono::steady_clock::now();
  const std::string page = RunReport({folder.c_str()});
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  EXPECT_EQ(page, folder + "/report/report.html\n");
  const auto size = fs::file_size(folder + "/report/report.html");
  const double read = static_cast<double>(fs::file_size(folder + "/metrics.jsonl") +
                                          fs::file_size(folder + "/timing.jsonl")) /
                      1e6;
  std::cout << "10,000 steps: " << read << " MB read, page of " << static_cast<double>(size) / 1e6
            << " MB in " << seconds << " s (" << seconds / read << " s per MB)\n";
  EXPECT_LT(size, 5'000'000u);
}

TEST_F(PageTest, IsWrittenWhereTheUserSaysTogetherWithSvgFiles) {
  const std::string folder = WriteSyntheticRun(parent_, {});
  const std::string page = parent_ + "/x.html";
  EXPECT_EQ(RunReport({folder.c_str(), "--out", page.c_str()}), page + "\n");
  EXPECT_TRUE(fs::exists(parent_ + "/x_figures/grpo_reward.svg"));
  const std::string out = parent_ + "/out";
  EXPECT_EQ(RunReport({folder.c_str(), "--out", out.c_str()}), out + "/report.html\n");
  EXPECT_TRUE(fs::exists(out + "/figures/overview.svg"));
  EXPECT_EQ(RunReport({"/nonexistent"}, /*expected_code=*/2), "");
}

TEST_F(PageTest, TimeTotalsHaveARowForEveryPhaseOfAStep) {
  std::vector<std::string> phases;
  for (const std::vector<std::string>& row : TimeTotals(Read({})).rows) {
    if (row.front().starts_with("  ")) phases.push_back(row.front().substr(2));
  }
  EXPECT_THAT(phases, ElementsAre("waiting for samples", "old log-probs", "building examples",
                                  "forward, backward", "optimizer", "validating", "publishing"));
}

TEST_F(PageTest, IsTheSameForTheSameFiles) {
  const RunData run = Read({});
  EXPECT_EQ(RenderPage({run}, MakeFigures({run})), RenderPage({run}, MakeFigures({run})));
}

TEST_F(PageTest, IsMadeOfARunThatHasJustBegun) {
  const std::string folder = WriteSyntheticRun(parent_, {});
  std::ofstream(folder + "/metrics.jsonl") << "";
  fs::remove(folder + "/timing.jsonl");
  fs::remove_all(folder + "/samples");
  const RunData run = ReadRun(*files_, folder);
  EXPECT_THAT(RenderPage({run}, MakeFigures({run})), HasSubstr("nothing was measured yet"));
}

}  // namespace
}  // namespace ponder::report
