// Checkpoints and runs on a real disk, as a run leaves them and as an accident does.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/file.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/inspect/render.h"
#include "cli/inspect/target.h"
#include "cli/supervisor/process_log.h"
#include "core/base/error.h"
#include "core/weights/safetensors.h"
#include "tests/core/config/test_experiments.h"
#include "trainer/checkpoint/checkpoint_writer.h"
#include "trainer/checkpoint/resume.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr const char* kMetrics = "{\"step\": 1}\n{\"step\": 2}\n";

// A run of two saved steps in a temporary folder.
class SavedFactsTest : public ::testing::Test {
 protected:
  SavedFactsTest() : files_(MakeRealFileSystem()) {
    std::string pattern = (fs::temp_directory_path() / "ponder_inspect_XXXXXX").string();
    base_ = mkdtemp(pattern.data());
    run_ = base_ + "/quick";
    fs::create_directories(run_);
    Write("metrics.jsonl", std::string(kMetrics) + "{\"step\": 3}\n{\"st");
    Write("run.json", R"({"format_version": 1, "run_id": "quick-0123", "attempt": 2})");
    Write("config.resolved.yaml", ResolvedYaml(config_));
    SaveStep(1);
    SaveStep(2);
  }
  ~SavedFactsTest() override { fs::remove_all(base_); }

  void Write(const std::string& name, const std::string& text) {
    fs::create_directories(fs::path(run_ + "/" + name).parent_path());
    std::ofstream(run_ + "/" + name, std::ios::binary) << text;
  }

  void SaveStep(int64_t step) {
    RunState state;
    state.run_step = step;
    state.stage_step = step;
    state.metrics_bytes = std::string_view(kMetrics).size();
    state.metrics_sha256 = Sha256Hex(kMetrics);
    const std::string weights(64, static_cast<char>(step));
    CheckpointWriter writer(*files_, run_ + "/checkpoints", {.keep = 9, .unique = "a1-1"});
    writer.Begin(step);
    writer.AddFile("policy/model.safetensors",
                   SerializeSafetensors(
                       {{{.name = "w", .dtype = DType::kF32, .shape = {4, 4}}, weights}}, {}));
    writer.AddFile(kStateFile, state.ToJson());
    writer.Commit({});
  }

  std::string Checkpoint(int64_t step) const {
    return run_ + "/checkpoints/" + CheckpointName(step);
  }

  void FlipLastByte(const std::string& path) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(-1, std::ios::end);
    const int byte = file.get();
    file.seekp(-1, std::ios::end);
    file.put(static_cast<char>(byte ^ 1));
  }

  const std::unique_ptr<FileSystem> files_;
  const ExperimentConfig config_ = ParseExperiment(std::string(kValidExperiment), "test.yaml", {});
  std::string base_;
  std::string run_;
};

TEST_F(SavedFactsTest, AWholeCheckpointSaysWhatItHolds) {
  const CheckpointFacts facts = SurveyCheckpoint(*files_, Checkpoint(2), {});
  EXPECT_TRUE(facts.IsWhole());
  EXPECT_THAT(facts.files, SizeIs(2));
  EXPECT_THAT(facts.extra, IsEmpty());
  const std::string text = TextOf(facts, {});
  EXPECT_THAT(text, HasSubstr("whole: 2 files"));
  EXPECT_THAT(text, HasSubstr("F32    [4,4]  64 B  w"));
  EXPECT_EQ(JsonOf(facts)["state"]["run_step"], 2);
}

TEST_F(SavedFactsTest, AFlippedByteIsDamageWithTheNameOfItsFile) {
  FlipLastByte(Checkpoint(2) + "/policy/model.safetensors");
  const CheckpointFacts facts = SurveyCheckpoint(*files_, Checkpoint(2), {});
  EXPECT_FALSE(facts.IsWhole());
  EXPECT_EQ(facts.num_damaged_files(), 1u);
  EXPECT_THAT(facts.files[0].problem, HasSubstr("policy/model.safetensors: expected CRC32C"));
  EXPECT_THAT(TextOf(facts, {}), HasSubstr("BAD"));
  EXPECT_TRUE(facts.state.has_value()) << "the rest is still told";
}

TEST_F(SavedFactsTest, OtherDamageToACheckpointIsToldToo) {
  Write("checkpoints/step_000002/notes.txt", "mine");
  EXPECT_THAT(SurveyCheckpoint(*files_, Checkpoint(2), {}).extra, ElementsAre("notes.txt"));
  fs::rename(Checkpoint(2), Checkpoint(7));
  EXPECT_THAT(TextOf(SurveyCheckpoint(*files_, Checkpoint(7), {}), {}),
              HasSubstr("named step_000007, but its manifest is of step 2"));
  fs::remove(Checkpoint(7) + "/state.json");
  EXPECT_EQ(SurveyCheckpoint(*files_, Checkpoint(7), {}).num_damaged_files(), 1u);
  Write("checkpoints/step_000007/MANIFEST.json", "{}");
  EXPECT_FALSE(SurveyCheckpoint(*files_, Checkpoint(7), {}).manifest.has_value());
}

TEST_F(SavedFactsTest, ARunSaysWhereAStartWouldGoOnAndWhatItWouldCut) {
  const RunFacts facts = SurveyRun(*files_, run_);
  EXPECT_TRUE(facts.IsSound()) << TextOf(facts, {});
  EXPECT_EQ(facts.resume.kind, ResumeFacts::Kind::kGoesOn);
  EXPECT_EQ(facts.resume.from, "checkpoints/step_000002");
  EXPECT_EQ(facts.resume.position.stage_step, 2);
  const std::string text = TextOf(facts, {});
  EXPECT_THAT(text, HasSubstr("goes on from checkpoints/step_000002"));
  EXPECT_THAT(text, HasSubstr("cuts metrics.jsonl back from 40 to 24 bytes"));
  EXPECT_THAT(text, HasSubstr("the last line torn"));
  EXPECT_EQ(JsonOf(facts)["resume"]["would"], "goes_on");
}

TEST_F(SavedFactsTest, ADamagedCheckpointIsPassedOverAndSeveralAreARefusal) {
  FlipLastByte(Checkpoint(2) + "/policy/model.safetensors");
  RunFacts facts = SurveyRun(*files_, run_);
  EXPECT_FALSE(facts.IsSound());
  EXPECT_EQ(facts.resume.from, "checkpoints/step_000001");
  EXPECT_THAT(TextOf(facts, {}), HasSubstr("passes over checkpoints/step_000002"));

  FlipLastByte(Checkpoint(1) + "/state.json");
  facts = SurveyRun(*files_, run_);
  EXPECT_EQ(facts.resume.kind, ResumeFacts::Kind::kRefuses);
  EXPECT_THAT(TextOf(facts, {}), HasSubstr("REFUSES: resuming from"));
  EXPECT_TRUE(JsonOf(facts)["stages"][0]["saved_steps"].is_null()) << "not 0: it is not known";
}

TEST_F(SavedFactsTest, MetricsOfAnotherHandAreARefusal) {
  Write("metrics.jsonl", "{\"step\": 9}\n{\"step\": 2}\nno json\n");
  const RunFacts facts = SurveyRun(*files_, run_);
  EXPECT_EQ(facts.resume.kind, ResumeFacts::Kind::kRefuses);
  EXPECT_THAT(facts.resume.reason, HasSubstr("changed since the save"));
  EXPECT_EQ(facts.metrics[0].num_bad_lines, 1u);
}

TEST_F(SavedFactsTest, BrokenIdentityAndConfigurationAreToldAndEndNothing) {
  Write("run.json", "[]");
  Write("config.resolved.yaml", "run: {");
  const RunFacts facts = SurveyRun(*files_, run_);
  EXPECT_FALSE(facts.IsSound());
  EXPECT_THAT(facts.problems, SizeIs(2));
  EXPECT_THAT(facts.checkpoints, SizeIs(2)) << "they are still looked at";
}

TEST_F(SavedFactsTest, EveryPageFitsEightyColumns) {
  FlipLastByte(Checkpoint(2) + "/policy/model.safetensors");
  for (const std::string& page : {TextOf(SurveyRun(*files_, run_), {}),
                                  TextOf(SurveyCheckpoint(*files_, Checkpoint(2), {}), {})}) {
    std::istringstream lines(page);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
    EXPECT_THAT(page, Not(HasSubstr("\033")));
  }
}

TEST_F(SavedFactsTest, KnowsWhatAPathIs) {
  EXPECT_EQ(KindOf(*files_, run_), TargetKind::kRun);
  EXPECT_EQ(KindOf(*files_, Checkpoint(2)), TargetKind::kCheckpoint);
  EXPECT_EQ(KindOf(*files_, Checkpoint(2) + "/policy"), TargetKind::kModelFolder);
  EXPECT_EQ(KindOf(*files_, Checkpoint(2) + "/policy/model.safetensors"), TargetKind::kWeightsFile);
  EXPECT_EQ(KindOf(*files_, run_ + "/config.resolved.yaml"), TargetKind::kExperiment);
  fs::remove(Checkpoint(2) + "/MANIFEST.json");
  EXPECT_EQ(KindOf(*files_, Checkpoint(2)), TargetKind::kCheckpoint)
      << "one that lost its manifest";
  EXPECT_THROW(KindOf(*files_, run_ + "/metrics.jsonl"), Error);
  EXPECT_THROW(KindOf(*files_, base_), Error);
  EXPECT_THROW(KindOf(*files_, "/nonexistent"), Error);
}

TEST_F(SavedFactsTest, SeesWhoHoldsARun) {
  EXPECT_EQ(SurveyRun(*files_, run_).holder, "");
  std::ofstream(base_ + "/.quick.lock") << "";
  const UniqueFd lock(open((base_ + "/.quick.lock").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(flock(lock.get(), LOCK_EX | LOCK_NB), 0);
  if (LockHolder(base_ + "/.quick.lock").empty()) {
    GTEST_SKIP() << "/proc/locks of this machine does not show locks";
  }
  EXPECT_THAT(SurveyRun(*files_, run_).holder, HasSubstr("process "));
}

TEST(EndOfAttemptTest, ReadsTheEndFromTheLog) {
  const auto end = [](std::string_view log, bool is_running = false) {
    return EndOfAttempt(log, is_running);
  };
  EXPECT_EQ(end("10:00:00.000 I trainer/0  x\nRun folder: runs/a\n"), "finished");
  EXPECT_EQ(end("trainer: error: disk full\n"), "error: disk full");
  EXPECT_EQ(end("stopped as asked; the state is saved, start again to go on\n"),
            "stopped as asked");
  EXPECT_EQ(end("rank 1 of 2: ends the job with exit code 76: loss is NaN\n"),
            "a rank ended the job with exit code 76: loss is NaN");
  EXPECT_EQ(end("mpirun noticed that process rank 0 exited on signal 9 (Killed).\n"),
            "a rank was killed by signal 9 (Killed).");
  EXPECT_EQ(end("step 3\n", /*is_running=*/true), "running");
  EXPECT_EQ(end(""), "ended without a word (killed?)");
}

}  // namespace
}  // namespace ponder
