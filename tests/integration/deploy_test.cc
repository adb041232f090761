// The files of deploy/ agree with the programs and with the rules of a cluster. Nothing here starts
// a cluster: docs/launching.md says what was tried.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/integration/process_run.h"

namespace ponder {
namespace {

using ::testing::HasSubstr;

constexpr int kLimitS = 60;

std::string Source(const std::string& path) {
  return std::string(std::getenv("PONDER_SOURCE_DIR")) + "/" + path;
}

std::string Deploy(const std::string& name) { return Source("deploy/" + name); }

std::string ReadAll(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  EXPECT_FALSE(text.str().empty()) << path;
  return text.str();
}

// The flags that `program --help` names.
std::set<std::string> FlagsOf(const std::string& program) {
  const ProcessRun help = RunCommand(
      std::string(std::getenv("PONDER_BIN_DIR")) + "/" + program + " --help", {}, kLimitS);
  EXPECT_EQ(help.exit_code, 0) << help.output;
  std::set<std::string> flags;
  const std::regex flag("--[a-z][a-z-]*");
  for (std::sregex_iterator it(help.output.begin(), help.output.end(), flag), end; it != end;
       ++it) {
    flags.insert(it->str());
  }
  return flags;
}

struct PodOfFile {
  std::string owner;  // kind and name of what makes the pod
  YAML::Node spec;
};

// Every pod template of ponder.yaml.
std::vector<PodOfFile> Pods() {
  std::vector<PodOfFile> pods;
  for (const YAML::Node& object : YAML::LoadAllFromFile(Deploy("kubernetes/ponder.yaml"))) {
    const auto kind = object["kind"].as<std::string>();
    const auto name = kind + " " + object["metadata"]["name"].as<std::string>();
    if (kind == "Deployment") pods.push_back({name, object["spec"]["template"]["spec"]});
    if (kind != "MPIJob") continue;
    for (const auto& replica : object["spec"]["mpiReplicaSpecs"]) {
      pods.push_back(
          {name + " " + replica.first.as<std::string>(), replica.second["template"]["spec"]});
    }
  }
  return pods;
}

TEST(KubernetesFile, HasATrainerAndElasticWorkersAndServices) {
  std::map<std::string, std::string> versions;  // by kind
  for (const YAML::Node& object : YAML::LoadAllFromFile(Deploy("kubernetes/ponder.yaml"))) {
    versions[object["kind"].as<std::string>()] = object["apiVersion"].as<std::string>();
  }
  EXPECT_EQ(versions["MPIJob"], "kubeflow.org/v2beta1");
  EXPECT_EQ(versions["Deployment"], "apps/v1");
  EXPECT_EQ(versions["Service"], "v1");
  EXPECT_EQ(versions["NetworkPolicy"], "networking.k8s.io/v1");
  EXPECT_EQ(Pods().size(), 4u);
}

TEST(KubernetesFile, RunsNothingAsRootAndSaysWhatEachContainerNeeds) {
  for (const PodOfFile& pod : Pods()) {
    EXPECT_TRUE(pod.spec["securityContext"]["runAsNonRoot"].as<bool>()) << pod.owner;
    for (const YAML::Node& container : pod.spec["containers"]) {
      for (const char* resource : {"cpu", "memory"}) {
        EXPECT_TRUE(container["resources"]["requests"][resource].IsDefined()) << pod.owner;
      }
      EXPECT_FALSE(container["securityContext"]["allowPrivilegeEscalation"].as<bool>())
          << pod.owner;
    }
  }
}

TEST(KubernetesFile, ProbesPortsThatItsContainersOpen) {
  int num_grpc_probes = 0;
  for (const PodOfFile& pod : Pods()) {
    for (const YAML::Node& container : pod.spec["containers"]) {
      std::set<int> ports;
      for (const YAML::Node& port : container["ports"]) {
        ports.insert(port["containerPort"].as<int>());
      }
      for (const char* probe : {"livenessProbe", "readinessProbe"}) {
        if (!container[probe]) continue;
        for (const char* type : {"grpc", "tcpSocket"}) {
          if (!container[probe][type]) continue;
          const YAML::Node port = container[probe][type]["port"];
          EXPECT_TRUE(ports.contains(port.as<int>())) << pod.owner << " " << probe;
          num_grpc_probes += type == std::string("grpc") ? 1 : 0;
        }
      }
    }
  }
  EXPECT_EQ(num_grpc_probes, 3);
}

// What a container runs: the words of its command and arguments.
std::vector<std::string> WordsOf(const YAML::Node& container) {
  std::vector<std::string> words;
  for (const char* list : {"command", "args"}) {
    for (const YAML::Node& word : container[list]) words.push_back(word.as<std::string>());
  }
  return words;
}

TEST(KubernetesFile, GivesItsProgramsFlagsThatTheyHave) {
  int num_programs = 0;
  for (const PodOfFile& pod : Pods()) {
    for (const YAML::Node& container : pod.spec["containers"]) {
      std::set<std::string> known;
      for (const std::string& word : WordsOf(container)) {
        const std::string name = word.substr(word.rfind('/') + 1);
        if (name.starts_with("ponder_") && known.empty()) {
          known = FlagsOf(name);
          ++num_programs;
          // mpirun starts it over ssh, whose PATH is not that of the image.
          if (pod.owner.starts_with("MPIJob")) {
            EXPECT_EQ(word, "/opt/ponder/bin/" + name);
          }
        } else if (!known.empty() && word.starts_with("--")) {
          EXPECT_TRUE(known.contains(word)) << pod.owner << ": " << word;
        }
      }
    }
  }
  EXPECT_EQ(num_programs, 3);
}

TEST(KubernetesFile, StartsScriptsThatTheImageHas) {
  const std::string image = ReadAll(Deploy("Containerfile"));
  std::map<std::string, std::string> scripts;  // by what makes the pod
  for (const PodOfFile& pod : Pods()) {
    const std::string program = WordsOf(pod.spec["containers"][0]).front();
    if (program.starts_with("/opt/ponder/bin/")) scripts[pod.owner] = program.substr(16);
  }
  EXPECT_EQ(scripts, (std::map<std::string, std::string>{
                         {"MPIJob ponder Launcher", "mpirun_saving.sh"},
                         {"MPIJob ponder Worker", "rank_pod.sh"},
                     }));
  EXPECT_THAT(image, HasSubstr("COPY deploy/mpirun_saving.sh deploy/kubernetes/rank_pod.sh "
                               "/opt/ponder/bin/\n"));
}

TEST(KubernetesFile, HasLauncherAndRanksMeetAtOneFileOnAVolumeOfBoth) {
  int num_pods = 0;
  for (const PodOfFile& pod : Pods()) {
    if (!pod.owner.starts_with("MPIJob")) continue;
    ++num_pods;
    const YAML::Node container = pod.spec["containers"][0];
    EXPECT_EQ(container["env"][0]["name"].as<std::string>(), "STOP_FILE") << pod.owner;
    EXPECT_EQ(container["env"][0]["value"].as<std::string>(), "/runs/ponder.stop") << pod.owner;
    EXPECT_EQ(container["volumeMounts"][0]["mountPath"].as<std::string>(), "/runs") << pod.owner;
    EXPECT_EQ(pod.spec["volumes"][0]["persistentVolumeClaim"]["claimName"].as<std::string>(),
              "ponder-runs")
        << pod.owner;
    EXPECT_EQ(pod.spec["terminationGracePeriodSeconds"].as<int>(), 300) << pod.owner;
  }
  EXPECT_EQ(num_pods, 2);
}

TEST(KubernetesFile, GivesUpOnAJobThatKeepsFailingAndKeepsItsLogs) {
  for (const YAML::Node& object : YAML::LoadAllFromFile(Deploy("kubernetes/ponder.yaml"))) {
    if (object["kind"].as<std::string>() != "MPIJob") continue;
    EXPECT_LE(object["spec"]["runPolicy"]["backoffLimit"].as<int>(), 6);
    const YAML::Node launcher = object["spec"]["mpiReplicaSpecs"]["Launcher"];
    EXPECT_EQ(launcher["restartPolicy"].as<std::string>(), "Never");
  }
}

TEST(SlurmScript, GivesItsProgramsFlagsThatTheyHave) {
  std::istringstream script(ReadAll(Deploy("slurm/ponder.sbatch")));
  std::string line;
  std::set<std::string> known;
  const std::regex program("(ponder_[a-z]+) ");
  const std::regex flag("--[a-z][a-z-]*");
  int num_flags = 0;
  while (std::getline(script, line)) {
    if (line.starts_with("#")) continue;
    std::smatch match;
    if (std::regex_search(line, match, program)) known = FlagsOf(match[1]);
    const std::string rest = match.empty() ? line : match.suffix().str();
    if (!known.empty()) {
      for (std::sregex_iterator it(rest.begin(), rest.end(), flag), end; it != end; ++it) {
        EXPECT_TRUE(known.contains(it->str())) << it->str() << " in: " << line;
        ++num_flags;
      }
    }
    if (!line.ends_with("\\")) known.clear();
  }
  EXPECT_EQ(num_flags, 12);
}

TEST(SlurmScript, AsksForASignalAheadOfTheLimitAndForARequeue) {
  const std::string script = ReadAll(Deploy("slurm/ponder.sbatch"));
  for (const char* option :
       {"#SBATCH --signal=B:USR1@300\n", "#SBATCH --requeue\n", "#SBATCH --open-mode=append\n"}) {
    EXPECT_THAT(script, HasSubstr(option));
  }
}

TEST(SlurmScript, AsksForTheTasksThatTheDocumentationNames) {
  std::set<std::string> numbers;
  const std::regex option("--ntasks=([0-9]+)");
  for (const std::string& path : {Deploy("slurm/ponder.sbatch"), Source("docs/launching.md")}) {
    const std::string text = ReadAll(path);
    std::sregex_iterator it(text.begin(), text.end(), option);
    ASSERT_NE(it, std::sregex_iterator()) << path;
    for (; it != std::sregex_iterator(); ++it) numbers.insert(it->str(1));
  }
  EXPECT_THAT(numbers, ::testing::ElementsAre("7"));
}

TEST(DeployScripts, PassShellcheck) {
  if (RunCommand("shellcheck --version", {}, kLimitS).exit_code != 0) {
    GTEST_SKIP() << "there is no shellcheck (install_deps.sh --tools installs it)";
  }
  for (const char* script : {"slurm/ponder.sbatch", "mpirun_saving.sh", "kubernetes/rank_pod.sh"}) {
    const ProcessRun result = RunCommand("shellcheck -S warning " + Deploy(script), {}, kLimitS);
    EXPECT_EQ(result.exit_code, 0) << result.output;
  }
}

TEST(Containerfile, EndsAsAnUnprivilegedUserWithFilesThatExist) {
  std::istringstream file(ReadAll(Deploy("Containerfile")));
  std::string line;
  std::string user;
  while (std::getline(file, line)) {
    if (line.starts_with("USER ")) user = line.substr(5);
    if (!line.starts_with("COPY ") || line.find("deploy/") == std::string::npos) continue;
    std::istringstream words(line);
    for (std::string word; words >> word;) {
      if (!word.starts_with("deploy/")) continue;
      EXPECT_TRUE(std::ifstream(Source(word)).good()) << word;
    }
  }
  EXPECT_EQ(user, "ponder");
}

TEST(Containerfile, HasWhatDocumentedRewardsNeed) {
  const std::string file = ReadAll(Deploy("Containerfile"));
  const std::string last_stage = file.substr(file.rfind("\nFROM "));
  // Judges over HTTPS, and `command: [python3, examples/rewards/command_reward.py]`, which imports
  // json: python3-minimal has none.
  for (const char* needed :
       {" ca-certificates python3 \\\n", "\nCOPY examples /home/ponder/examples\n",
        "\nWORKDIR /home/ponder\n"}) {
    EXPECT_THAT(last_stage, HasSubstr(needed));
  }
}

}  // namespace
}  // namespace ponder
