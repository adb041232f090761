// Commands find runs by name, and say what was probably meant when there is none.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cli/completion/command_tree.h"
#include "core/config/experiment.h"
#include "tests/cli/run_ponder.h"
#include "trainer/checkpoint/checkpoint_writer.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// A working directory whose runs/quickstart did all its steps, without a status: the trainer was
// started by mpirun itself.
class RunNamesTest : public ::testing::Test {
 protected:
  RunNamesTest() : before_(fs::current_path()) {
    const char* source = std::getenv("PONDER_SOURCE_DIR");
    const ExperimentConfig config = ReadExperiment(
        (fs::absolute(source == nullptr ? "." : source) / "configs/quickstart.yaml").string(), {});
    std::string pattern = (fs::temp_directory_path() / "ponder_runs_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    fs::current_path(folder_);
    const std::string run = "runs/quickstart/";
    int64_t num_steps = 0;
    for (const StageConfig& stage : config.stages) {
      fs::create_directories(run + "stages/" + stage.name + "/start");
      num_steps += stage.num_steps;
    }
    fs::create_directories(run + "checkpoints/" + CheckpointName(num_steps));
    fs::create_directories(run + "attempts/2");
    std::ofstream(run + "config.resolved.yaml") << ResolvedYaml(config);
    std::ofstream(run + "run.json") << R"({"run_id": "quick", "attempt": 1})";
    std::ofstream(run + "metrics.jsonl")
        << R"({"kind": "step", "stage": ")" << config.stages.back().name << R"(", "step": )"
        << num_steps << R"(, "actor/loss": 1})"
        << "\n";
  }
  ~RunNamesTest() override {
    std::error_code ignored;
    fs::current_path(before_, ignored);
    fs::remove_all(folder_, ignored);
  }

  const fs::path before_;
  fs::path folder_;
};

TEST_F(RunNamesTest, OneTypoGetsOneAnswerFromEveryCommandThatTakesARun) {
  const auto app = MakeCommandLine(nullptr);
  int num_commands = 0;
  for (const CompletedCommand& command : ReadCommandTree(*app).commands) {
    if (command.operand != Operand::kRun) continue;
    ++num_commands;
    for (const char* typo : {"quickstrat", "runs/quickstrat"}) {
      const Outcome outcome = RunPonder({command.name, typo});
      EXPECT_EQ(outcome.code, 2) << command.name;
      EXPECT_EQ(outcome.out, "");
      EXPECT_THAT(outcome.err, HasSubstr(typo));
      EXPECT_THAT(outcome.err, HasSubstr("did you mean 'quickstart'?")) << command.name;
    }
  }
  EXPECT_EQ(num_commands, 7);
}

TEST_F(RunNamesTest, ReportAndInspectTakeARunsNameToo) {
  EXPECT_EQ(RunPonder({"report", "quickstart"}).out, "runs/quickstart/report/report.html\n");
  EXPECT_THAT(RunPonder({"inspect", "quickstart"}).out, HasSubstr("run runs/quickstart\n"));
}

TEST_F(RunNamesTest, ARunWithoutAStatusIsFinishedOnceItsLastStageIs) {
  EXPECT_THAT(RunPonder({"status", "quickstart"}).out, HasSubstr("quickstart  finished"));
  fs::remove_all("runs/quickstart/checkpoints");
  EXPECT_THAT(RunPonder({"status", "quickstart"}).out, HasSubstr("quickstart  unsupervised"));
}

TEST_F(RunNamesTest, LogsSaysWhichAttemptsThereAre) {
  const Outcome outcome = RunPonder({"logs", "quickstart", "--attempt", "7"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("--attempt 7: runs/quickstart has no such attempt; it has 2"));
}

TEST_F(RunNamesTest, InspectRefusesOptionsThatMeanNothingForARun) {
  EXPECT_THAT(RunPonder({"inspect", "quickstart", "--stats"}).err,
              HasSubstr("--digests and --stats look into weights, and quickstart is a run"));
  EXPECT_THAT(RunPonder({"inspect", "quickstart", "--set", "run.seed=2"}).err,
              HasSubstr("--set changes a key of an experiment, and quickstart is none"));
}

TEST_F(RunNamesTest, InspectNamesTheCheckpointsOfTheirFolder) {
  const Outcome outcome = RunPonder({"inspect", "runs/quickstart/checkpoints"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("got a folder of checkpoints (name one of them: step_0"));
}

TEST_F(RunNamesTest, ATakenNameIsToldBeforeAMissingClone) {
  EXPECT_THAT(RunPonder({"new", "task", "chain"}).err, HasSubstr("NAME: 'chain' is taken"));
  EXPECT_THAT(RunPonder({"new", "task", "parity"}).err, HasSubstr("run it in the clone"));
}

}  // namespace
}  // namespace ponder
