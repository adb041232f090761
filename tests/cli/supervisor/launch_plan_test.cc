#include "cli/supervisor/launch_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/supervisor/run_lock.h"
#include "core/base/error.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

// A folder with executables of the given names, and a PATH that begins with it.
class LaunchPlanTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = testing::TempDir() + "launch_plan_" + std::to_string(getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    for (const char* name : {"mpirun", "ponder_trainer", "ponder_rollout", "ponder_reward"}) {
      Program(name);
    }
    setenv("PATH", folder_.c_str(), 1);
    config_.run.name = "x";
    config_.run.dir = folder_ + "/runs";
    config_.launch = {.trainer_ranks = 3, .workers = 2, .reward_services = 1, .max_restarts = 7};
  }
  void TearDown() override { fs::remove_all(folder_); }
  void Program(const std::string& name) {
    std::ofstream(folder_ + "/" + name) << "#!/bin/sh\n";
    fs::permissions(folder_ + "/" + name, fs::perms::owner_all);
  }

  std::string folder_;
  ExperimentConfig config_;
};

TEST_F(LaunchPlanTest, TrainerIsAnMpiJobOfTheSiblingProgram) {
  const LaunchPlan plan = MakeLaunchPlan(config_, "a.yaml", {"x=1", "y=2"}, folder_, 4321, false);
  const std::vector<std::string>& argv = plan.trainer.argv;
  EXPECT_EQ(argv.front(), "mpirun");
  const std::vector<std::string> tail(argv.end() - 13, argv.end());
  EXPECT_THAT(tail, ElementsAre("-np", "3", "--output-filename", "", folder_ + "/ponder_trainer",
                                "--config", "a.yaml", "--listen", "127.0.0.1:4321", "--set", "x=1",
                                "--set", "y=2"));
  EXPECT_EQ(argv.at(plan.rank_logs_argument - 1), "--output-filename");
  EXPECT_TRUE(plan.trainer.is_launcher);
  EXPECT_EQ(plan.trainer.environment.at("PONDER_PROGRESS"), "lines");
  EXPECT_EQ(plan.trainer.environment.count("OMPI_ALLOW_RUN_AS_ROOT"), geteuid() == 0 ? 1u : 0u);
  EXPECT_EQ(plan.max_restarts, 7);
  EXPECT_EQ(plan.run_directory, folder_ + "/runs/x");
}

TEST_F(LaunchPlanTest, FlagsAreThoseOfTheScriptForTests) {
  const LaunchPlan plan = MakeLaunchPlan(config_, "a.yaml", {}, folder_, 4321, false);
  const auto np = std::find(plan.trainer.argv.begin(), plan.trainer.argv.end(), "-np");
  const std::vector<std::string> flags(plan.trainer.argv.begin() + 1, np);

  const char* source = std::getenv("PONDER_SOURCE_DIR");
  ASSERT_NE(source, nullptr);
  std::ifstream file(std::string(source) + "/scripts/mpirun.sh");
  std::stringstream script;
  script << file.rdbuf();
  const size_t begin = script.str().find("exec mpirun ") + 12;
  std::istringstream command(script.str().substr(begin, script.str().find("\"$@\"") - begin));
  std::vector<std::string> expected;
  for (std::string word; command >> word;) {
    if (word != "\\") expected.push_back(word);
  }
  EXPECT_EQ(flags, expected);
}

TEST_F(LaunchPlanTest, ServicesGetOnlyTheTrainersAddressAndAName) {
  const LaunchPlan plan = MakeLaunchPlan(config_, "a.yaml", {}, folder_, 4321, false);
  ASSERT_EQ(plan.services.size(), 3u);
  EXPECT_EQ(plan.services[0].name, "reward0");
  EXPECT_THAT(plan.services[0].argv, ElementsAre(folder_ + "/ponder_reward", "--trainer",
                                                 "127.0.0.1:4321", "--name", "reward0"));
  EXPECT_EQ(plan.services[1].name, "worker0");
  EXPECT_THAT(plan.services[2].argv, ElementsAre(folder_ + "/ponder_rollout", "--trainer",
                                                 "127.0.0.1:4321", "--name", "worker1"));
}

TEST_F(LaunchPlanTest, TrainerLeavesTheStepsToALiveView) {
  const LaunchPlan plan = MakeLaunchPlan(config_, "a.yaml", {}, folder_, 4321, true);
  EXPECT_EQ(plan.trainer.environment.at("PONDER_PROGRESS"), "notes");
}

TEST_F(LaunchPlanTest, MissingProgramIsNamedBeforeAnythingStarts) {
  fs::remove(folder_ + "/ponder_rollout");
  try {
    MakeLaunchPlan(config_, "a.yaml", {}, folder_, 4321, false);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), 2);
    EXPECT_THAT(error.what(), HasSubstr("expected the program " + folder_ + "/ponder_rollout"));
  }
  setenv("PATH", "/nonexistent", 1);
  EXPECT_THROW(MakeLaunchPlan(config_, "a.yaml", {}, folder_, 4321, false), Error);
}

TEST(PickFreeLoopbackPort, NobodyListensThere) {
  const uint16_t port = PickFreeLoopbackPort();
  EXPECT_GT(port, 1023);
  EXPECT_FALSE(AcceptsConnections(port));
}

TEST_F(LaunchPlanTest, OneRunIsLockedByOneHolder) {
  const auto files = MakeRealFileSystem();
  EXPECT_FALSE(RunLock::IsHeld(config_.RunDirectory())) << "there is no lock file yet";
  {
    const RunLock lock(*files, config_.run);
    EXPECT_TRUE(RunLock::IsHeld(config_.RunDirectory()));
    try {
      const RunLock second(*files, config_.run);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.exit_code(), 2);
      EXPECT_THAT(error.what(), HasSubstr("another 'ponder up' is running it"));
    }
  }
  EXPECT_FALSE(RunLock::IsHeld(config_.RunDirectory()));
  const RunLock again(*files, config_.run);
}

TEST_F(LaunchPlanTest, OldRunFolderIsKeptUnderTheNextFreeName) {
  const auto files = MakeRealFileSystem();
  const Log log("up", -1);
  const std::string run = config_.RunDirectory();
  SetAside(*files, run, log);  // nothing there
  EXPECT_FALSE(fs::exists(run + ".1"));
  for (int i = 0; i < 2; ++i) {
    fs::create_directories(run);
    std::ofstream(run + "/mark") << i;
    SetAside(*files, run, log);
    EXPECT_FALSE(fs::exists(run));
  }
  EXPECT_TRUE(fs::exists(run + ".1/mark"));
  EXPECT_TRUE(fs::exists(run + ".2/mark"));
}

}  // namespace
}  // namespace ponder
