// What the doctor makes of answers, texts of the kernel, and machines that are not this one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/doctor/disk_probe.h"
#include "cli/doctor/machine.h"
#include "cli/doctor/probes.h"
#include "cli/doctor/programs.h"
#include "core/base/error.h"
#include "core/base/fakes/crash_file_system.h"

namespace ponder {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const Finding& Find(const std::vector<Finding>& findings, const std::string& name) {
  for (const Finding& finding : findings) {
    if (finding.name == name) return finding;
  }
  ADD_FAILURE() << "no finding " << name;
  return findings.front();
}

TEST(LibrariesFindingTest, WantsEachExactlyOnce) {
  const json one{{"libraries", {{"libgomp", {"/a/libgomp.so.1"}}, {"libmpi", {"/a/libmpi.so"}}}}};
  EXPECT_EQ(LibrariesFinding("x", one, {"libgomp", "libmpi"}).state, FindingState::kWorks);
  const Finding missing = LibrariesFinding("x", one, {"libgomp", "libgrpc"});
  EXPECT_EQ(missing.state, FindingState::kFails);
  EXPECT_THAT(missing.text, HasSubstr("libgrpc is not loaded"));
  const json two{{"libraries", {{"libgomp", {"/a/libgomp.so.1", "/b/libgomp.so.1"}}}}};
  const Finding twice = LibrariesFinding("x", two, {"libgomp"});
  EXPECT_EQ(twice.state, FindingState::kFails);
  EXPECT_THAT(twice.text, HasSubstr("libgomp is loaded 2 times: /a/libgomp.so.1 /b/libgomp.so.1"));
  EXPECT_EQ(twice.blocks, Condition::kConfig);
}

json GoodAnswer() {
  return {{"backend", "mpi"},
          {"ranks", 2},
          {"sum", 3.0},
          {"expected_sum", 3},
          {"grpc", {{"round_trip_ms", 1.5}}},
          {"devices", {{"driver_library", false}, {"count", 0}, {"error", "no device"}}},
          {"versions", {{"torch", "2.11.0"}, {"nccl", "2.28.9"}}}};
}

TEST(TrainerFindingsTest, AGoodAnswerBlocksNothing) {
  const std::vector<Finding> findings = TrainerFindings(GoodAnswer());
  EXPECT_EQ(ExitCodeOf({{"", findings}}), 0);
  EXPECT_EQ(Find(findings, "CUDA").state, FindingState::kNotNeeded);
  EXPECT_THAT(Find(findings, "versions").text, HasSubstr("LibTorch 2.11.0"));
}

TEST(TrainerFindingsTest, TellsWhatIsWrongWithABadAnswer) {
  json answer = GoodAnswer();
  answer["ranks"] = 1;
  EXPECT_EQ(ExitCodeOf({{"", TrainerFindings(answer)}}), 2) << "mpirun of another installation";
  answer = GoodAnswer();
  answer["sum"] = 2.0;
  EXPECT_EQ(ExitCodeOf({{"", TrainerFindings(answer)}}), 75);
  answer = GoodAnswer();
  answer["grpc"] = {{"error", "refused"}};
  EXPECT_THAT(Find(TrainerFindings(answer), "gRPC").text, HasSubstr("refused"));
  answer = GoodAnswer();
  answer["devices"] = {{"driver_library", true}, {"count", 0}, {"error", "no device"}};
  EXPECT_EQ(Find(TrainerFindings(answer), "CUDA").state, FindingState::kWarning);
  EXPECT_NE(ExitCodeOf({{"", TrainerFindings(json::object())}}), 0) << "an empty answer";
}

TEST(MachineTest, ReadsTheKernelsTexts) {
  const Processor processor = ParseProcessor(
      "processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: fpu avx2 fma\n\nprocessor\t: 1\n"
      "model name\t: other\n");
  EXPECT_EQ(processor.name, "AMD EPYC");
  EXPECT_TRUE(processor.flags.contains("fma"));
  EXPECT_THAT(InstructionsFinding(processor).text, HasSubstr("AVX2, FMA; without AVX-512"));
  EXPECT_EQ(InstructionsFinding({}).state, FindingState::kWarning);
  EXPECT_EQ(ParseMemory("MemTotal:  100 kB\nMemAvailable:   2 kB\n", "MemAvailable"), 2048u);
  EXPECT_EQ(ParseMemory("", "MemTotal"), std::nullopt);
  EXPECT_EQ(ParseCpuLimit("150000 100000"), 1.5);
  EXPECT_EQ(ParseCpuLimit("max 100000"), std::nullopt);
  EXPECT_EQ(ParseCpuLimit("1 0"), std::nullopt);
  EXPECT_EQ(ParseMemoryLimit("max"), std::nullopt);
  EXPECT_EQ(ParseMemoryLimit("4096"), 4096u);
}

TEST(MachineTest, TooFewOpenFilesBlockARun) {
  EXPECT_EQ(OpenFilesFinding(64).blocks, Condition::kExhausted);
  EXPECT_EQ(OpenFilesFinding(512).state, FindingState::kWarning);
  EXPECT_EQ(OpenFilesFinding(RLIM_INFINITY).state, FindingState::kWorks);
}

TEST(MeasureDiskTest, LeavesNothingBehindAlsoWhenTheDiskIsFull) {
  CrashFileSystem files;
  files.MakeDirectories("runs");
  EXPECT_EQ(MeasureDisk(files, "runs", 3'000'000).num_bytes, 3'000'000u);
  EXPECT_THAT(files.List("runs"), IsEmpty());
  files.FailNth(2, /*and_all_after=*/true);
  EXPECT_THROW(MeasureDisk(files, "runs", 3'000'000), Error);
  EXPECT_THAT(files.List("runs"), IsEmpty());
}

TEST(DiskTest, KnowsNetworkFileSystemsAndTheNearestFolder) {
  EXPECT_TRUE(IsNetworkFileSystem(0x6969));
  EXPECT_FALSE(IsNetworkFileSystem(0xef53));
  EXPECT_EQ(FileSystemName(0x6969), "nfs");
  EXPECT_EQ(FileSystemName(0x1234), "file system 0x1234");
  EXPECT_EQ(NearestExisting("/tmp/nonexistent/deeper"), "/tmp");
}

TEST(PageTest, FitsFortyAndEightyColumnsWithAndWithoutColour) {
  const std::vector<FindingSection> sections{
      {"Title",
       {{.name = "good", .text = std::string(30, 'x') + " " + std::string(60, 'y')},
        Blocking("a longer name than the column", Condition::kIo, "it does not work at all here",
                 "do this and that, and then something else that takes a whole line to say"),
        {.name = "bad\033[2J", .state = FindingState::kNotNeeded, .text = "t\033[2J"}}}};
  for (const size_t columns : {size_t{40}, size_t{80}}) {
    std::istringstream lines(TextOf(sections, {.columns = columns}));
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), columns) << line;
  }
  const std::string plain = TextOf(sections, {});
  EXPECT_THAT(plain, Not(HasSubstr("\033")));
  EXPECT_THAT(plain, HasSubstr("A run would not work here"));
  EXPECT_THAT(TextOf(sections, {.columns = 80, .colour = true}), HasSubstr("\033[1;31mFAIL"));
  EXPECT_EQ(JsonOf(sections)["exit_code"], 74);
}

// A folder with programs, of which mpirun comes first on PATH.
class FakeProgramsTest : public ::testing::Test {
 protected:
  FakeProgramsTest() {
    std::string pattern = (fs::temp_directory_path() / "ponder_doctor_XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    for (const char* name : {"ponder_trainer", "ponder_reward", "ponder_generate"}) {
      AddProgram(name, "exit 0");
    }
    AddProgram(
        "ponder_rollout",
        R"(echo '{"libraries": {"libgomp": ["a"], "libgrpc": ["b"], "libprotobuf": ["c"]}}')");
    path_ = std::getenv("PATH");
    setenv("PATH", (folder_ + ":" + path_).c_str(), 1);
  }
  ~FakeProgramsTest() override {
    setenv("PATH", path_.c_str(), 1);
    fs::remove_all(folder_);
  }

  void AddProgram(const std::string& name, const std::string& script) {
    std::ofstream(folder_ + "/" + name) << "#!/bin/sh\n" << script << "\n";
    chmod((folder_ + "/" + name).c_str(), 0755);
  }

  FindingSection Probe(std::chrono::milliseconds deadline) {
    return ProbePrograms({.bin_directory = folder_, .run_parent = folder_, .deadline = deadline});
  }

  std::string folder_;
  std::string path_;
};

TEST_F(FakeProgramsTest, AHangingMpirunDoesNotHangTheDoctor) {
  AddProgram("mpirun", "sleep 600");
  const FindingSection section = Probe(std::chrono::milliseconds(1000));
  const Finding& mpi = Find(section.findings, "mpi");
  EXPECT_EQ(mpi.state, FindingState::kFails);
  EXPECT_THAT(mpi.text, HasSubstr("no end after 1000 ms"));
  EXPECT_EQ(mpi.blocks, Condition::kUnavailable);
}

TEST_F(FakeProgramsTest, AnMpirunThatFailsIsToldInItsOwnWords) {
  AddProgram("mpirun", "echo '-----'; echo 'not enough slots' >&2; echo '-----' >&2; exit 1");
  EXPECT_THAT(Find(Probe(std::chrono::seconds(60)).findings, "mpi").text,
              HasSubstr("exit code 1; its last words: not enough slots"));
  AddProgram("mpirun", "echo nonsense");
  EXPECT_EQ(Find(Probe(std::chrono::seconds(60)).findings, "mpi").state, FindingState::kFails);
}

TEST_F(FakeProgramsTest, AProgramThatFailsUnderMpirunIsToldInsteadOfTheLaunchersBanner) {
  const std::string banner =
      "echo '-----'; echo 'Primary job  terminated normally, but 1 process returned'; "
      "echo '-----'; echo '-----'; echo '  Exit code:    2'; echo '-----'; } >&2; exit 2";
  AddProgram("mpirun", "{ echo 'trainer: error: no symbol in libx.so'; " + banner);
  const Finding failed = Find(Probe(std::chrono::seconds(60)).findings, "mpi");
  EXPECT_THAT(failed.text, HasSubstr("exit code 2; no symbol in libx.so"));
  EXPECT_THAT(failed.advice, Not(HasSubstr("install")));
  AddProgram("mpirun", "{ echo 'ponder_trainer: libx.so: cannot open'; " + banner);
  EXPECT_THAT(Find(Probe(std::chrono::seconds(60)).findings, "mpi").text,
              HasSubstr("its last words: ponder_trainer: libx.so: cannot open"));
}

TEST_F(FakeProgramsTest, WhereMpirunCannotBeExecutedTheAdviceIsToInstallIt) {
  setenv("PATH", folder_.c_str(), 1);
  const Finding missing = Find(Probe(std::chrono::seconds(60)).findings, "mpi");
  EXPECT_THAT(missing.text, HasSubstr("cannot execute mpirun"));
  EXPECT_EQ(missing.advice, "install openmpi-bin");
}

TEST_F(FakeProgramsTest, AMissingProgramIsNamed) {
  fs::remove(folder_ + "/ponder_reward");
  const FindingSection section = Probe(std::chrono::seconds(60));
  EXPECT_THAT(Find(section.findings, "programs").text, HasSubstr("ponder_reward: No such file"));
  EXPECT_EQ(ExitCodeOf({section}), 2);
}

}  // namespace
}  // namespace ponder
