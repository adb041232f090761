#include "cli/inspect/run_facts.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "core/base/error.h"
#include "core/base/json.h"
#include "trainer/checkpoint/checkpoint_reader.h"
#include "trainer/checkpoint/checkpoint_writer.h"
#include "trainer/checkpoint/resume.h"

namespace ponder {
namespace {

constexpr size_t kMaxJsonBytes = 1u << 20;
constexpr uint64_t kPieceBytes = 4u << 20;
// A longer line is no metrics line.
constexpr size_t kMaxLineBytes = 16u << 20;

void ReadIdentity(FileSystem& files, RunFacts* facts) {
  const std::string path = facts->directory + "/run.json";
  try {
    const nlohmann::json run =
        ParseJsonStrict(files.ReadFile(path, kMaxJsonBytes), path, kMaxJsonBytes);
    facts->run_id = run.at("run_id").get<std::string>();
    facts->num_attempts = run.at("attempt").get<uint32_t>();
  } catch (const Error& error) {
    facts->problems.emplace_back(error.what());
  } catch (const nlohmann::json::exception& error) {
    facts->problems.push_back(path + ": " + error.what());
  }
}

std::optional<ExperimentConfig> ReadConfig(FileSystem& files, RunFacts* facts) {
  const std::string path = facts->directory + "/config.resolved.yaml";
  try {
    return ParseExperiment(files.ReadFile(path, kMaxJsonBytes), path, {});
  } catch (const Error& error) {
    facts->problems.emplace_back(error.what());
    return std::nullopt;
  }
}

// What a saved state says of itself once all its bytes are verified.
SavedStateFacts FactsOf(const std::string& name, const LoadedCheckpoint& loaded) {
  SavedStateFacts saved{.name = name, .size = loaded.manifest.total_bytes()};
  saved.state = RunState::FromJson(loaded.File(kStateFile), loaded.directory + "/" + kStateFile);
  return saved;
}

template <typename Load>
SavedStateFacts Survey(const std::string& name, const Load& load) {
  try {
    return FactsOf(name, load());
  } catch (const Error& error) {
    return {.name = name, .problem = error.what()};
  }
}

void SurveyCheckpoints(FileSystem& files, RunFacts* facts) {
  const std::string root = facts->directory + "/checkpoints";
  for (const int64_t step : CheckpointSteps(files, root)) {
    const std::string name = "checkpoints/" + CheckpointName(step);
    const auto known = facts->resume.passed_over.find(name);
    if (known != facts->resume.passed_over.end()) {
      facts->checkpoints.push_back({.name = name, .problem = known->second});
    } else {
      facts->checkpoints.push_back(Survey(name, [&] { return LoadStep(files, root, step); }));
    }
  }
}

void SurveyStageStarts(FileSystem& files, RunFacts* facts) {
  const std::string stages = facts->directory + "/stages";
  for (const std::string& stage : files.List(stages)) {
    const std::string parent = stages + "/" + stage;
    if (!files.Exists(parent + "/start")) continue;
    facts->stage_starts.push_back(
        Survey("stages/" + stage + "/start", [&] { return *LoadStageStart(files, parent); }));
  }
  // In the order in which the run passed them.
  std::stable_sort(facts->stage_starts.begin(), facts->stage_starts.end(),
                   [](const SavedStateFacts& a, const SavedStateFacts& b) {
                     return a.state && b.state && a.state->stage_index < b.state->stage_index;
                   });
}

// Asks the trainer's own decision.
void DecideResume(FileSystem& files, const ExperimentConfig& config, RunFacts* facts) {
  ResumeFacts& resume = facts->resume;
  const auto relative = [facts](const std::string& directory) {
    return directory.substr(facts->directory.size() + 1);
  };
  const auto report = [&](const std::string& directory, const std::string& why) {
    resume.passed_over[relative(directory)] = why;
  };
  try {
    const auto found = FindResumePoint(files, facts->directory, config, report);
    if (!found) return;
    resume.from = relative(found->directory);
    resume.position = found->state;
    resume.kind = EnterOpenStage(config, &resume.position) ? ResumeFacts::Kind::kGoesOn
                                                           : ResumeFacts::Kind::kFinished;
    resume.stage = config.stages[resume.position.stage_index].name;
  } catch (const Error& error) {
    resume.kind = ResumeFacts::Kind::kRefuses;
    resume.reason = error.what();
  }
  if (config.checkpoint.resume == "never") {
    resume.kind = ResumeFacts::Kind::kRefuses;
    resume.reason = "the folder holds a run and checkpoint.resume is 'never'";
  }
}

void ListStages(const ExperimentConfig& config, RunFacts* facts) {
  const ResumeFacts& resume = facts->resume;
  const bool is_known =
      resume.kind == ResumeFacts::Kind::kGoesOn || resume.kind == ResumeFacts::Kind::kFinished;
  for (size_t i = 0; i < config.stages.size(); ++i) {
    const StageConfig& stage = config.stages[i];
    StageFacts listed{
        .name = stage.name, .algorithm = stage.algorithm, .num_steps = stage.num_steps};
    if (resume.kind != ResumeFacts::Kind::kRefuses) listed.done_steps = 0;
    if (is_known && i < resume.position.stage_index) {
      listed.done_steps = stage.num_steps;
      listed.is_complete = true;
    } else if (is_known && i == resume.position.stage_index) {
      listed.done_steps = resume.position.stage_step;
      listed.is_complete = resume.kind == ResumeFacts::Kind::kFinished;
    }
    facts->stages.push_back(std::move(listed));
  }
}

bool IsJsonObject(const std::string& line) {
  try {
    return ParseJsonStrict(line, "line", kMaxLineBytes).is_object();
  } catch (const Error&) {
    return false;
  }
}

}  // namespace

bool RunFacts::IsSound() const {
  const auto is_bad = [](const SavedStateFacts& saved) { return !saved.problem.empty(); };
  return problems.empty() && resume.kind != ResumeFacts::Kind::kRefuses &&
         std::none_of(checkpoints.begin(), checkpoints.end(), is_bad) &&
         std::none_of(stage_starts.begin(), stage_starts.end(), is_bad) &&
         std::none_of(metrics.begin(), metrics.end(),
                      [](const MetricsFacts& file) { return file.num_bad_lines > 0; });
}

MetricsFacts SurveyMetrics(FileSystem& files, const std::string& directory,
                           const std::string& name) {
  MetricsFacts facts{.name = name};
  std::string line;
  const auto end_line = [&] {
    ++facts.num_lines;
    if (!IsJsonObject(line)) ++facts.num_bad_lines;
    line.clear();
  };
  while (true) {
    const std::string piece = files.ReadRange(directory + "/" + name, facts.size, kPieceBytes);
    if (piece.empty()) break;
    facts.size += piece.size();
    size_t begin = 0;
    for (size_t end = 0; (end = piece.find('\n', begin)) != std::string::npos; begin = end + 1) {
      line.append(piece, begin, end - begin);
      end_line();
    }
    // Of a line that is too long only so much is kept that it stays too long.
    if (line.size() <= kMaxLineBytes) line.append(piece, begin);
  }
  facts.ends_in_a_line = line.empty();
  return facts;
}

std::string LockHolder(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return {};
  const std::string inode = ":" + std::to_string(status.st_ino);
  // "1: FLOCK  ADVISORY  WRITE 4711 08:01:123456 0 EOF"; waiting locks have "->" after the number.
  std::ifstream locks("/proc/locks");
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words(line);
    std::string number, kind, manner, mode, pid, file;
    words >> number >> kind >> manner >> mode >> pid >> file;
    if (kind == "FLOCK" && mode == "WRITE" && file.ends_with(inode)) return "process " + pid;
  }
  return {};
}

RunFacts SurveyRun(FileSystem& files, const std::string& directory) {
  RunFacts facts;
  facts.directory = directory;
  ReadIdentity(files, &facts);
  const std::filesystem::path folder = std::filesystem::absolute(directory).lexically_normal();
  facts.holder =
      LockHolder((folder.parent_path() / ("." + folder.filename().string() + ".lock")).string());
  facts.attempts = SurveyAttempts(files, directory, !facts.holder.empty());
  for (const char* name : {"metrics.jsonl", "timing.jsonl"}) {
    if (files.Exists(directory + "/" + name)) {
      facts.metrics.push_back(SurveyMetrics(files, directory, name));
    }
  }
  if (const std::optional<ExperimentConfig> config = ReadConfig(files, &facts)) {
    DecideResume(files, *config, &facts);
    ListStages(*config, &facts);
  } else {
    facts.resume.kind = ResumeFacts::Kind::kRefuses;
    facts.resume.reason = "config.resolved.yaml cannot be read";
  }
  SurveyCheckpoints(files, &facts);
  SurveyStageStarts(files, &facts);
  return facts;
}

}  // namespace ponder
