// docs/from_verl_and_trl.md says what the reader says, and names keys and metrics that exist.
#include "core/config/foreign_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/metrics.h"
#include "core/config/experiment_schema.h"
#include "tests/core/config/test_experiments.h"

namespace ponder {
namespace {

using ::testing::Contains;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;
using ::testing::Not;

using Row = std::vector<std::string>;  // cells

Row CellsOf(const std::string& line) {
  Row cells;
  size_t begin = line.find('|');
  for (size_t end = line.find('|', begin + 1); end != std::string::npos;
       end = line.find('|', begin + 1)) {
    std::string cell = line.substr(begin + 1, end - begin - 1);
    cell.erase(0, cell.find_first_not_of(' '));
    cell.erase(cell.find_last_not_of(' ') + 1);
    cells.push_back(cell);
    begin = end;
  }
  return cells;
}

std::ifstream OpenDocument() {
  const char* source = std::getenv("PONDER_SOURCE_DIR");
  return std::ifstream(std::string(source == nullptr ? "." : source) +
                       "/docs/from_verl_and_trl.md");
}

// The rows of the document's table whose header has these cells.
std::vector<Row> TableOf(const Row& header) {
  std::ifstream stream = OpenDocument();
  std::vector<Row> rows;
  std::string line;
  bool inside = false;
  while (std::getline(stream, line)) {
    if (!line.starts_with("|")) {
      inside = false;
    } else if (inside && !line.starts_with("|---")) {
      rows.push_back(CellsOf(line));
    } else if (CellsOf(line) == header) {
      inside = true;
    }
  }
  return rows;
}

// The names in a cell: "`a`, `b`" -> a, b.
std::vector<std::string> NamesIn(const std::string& cell) {
  std::vector<std::string> names;
  size_t begin = cell.find('`');
  while (begin != std::string::npos) {
    const size_t end = cell.find('`', begin + 1);
    names.push_back(cell.substr(begin + 1, end - begin - 1));
    begin = cell.find('`', end + 1);
  }
  return names;
}

std::string Quoted(std::string_view name) {
  return name.empty() ? "-" : "`" + std::string(name) + "`";
}

void CollectPaths(const Section& section, const std::string& path, std::set<std::string>* paths) {
  for (const Key& key : section.keys()) {
    const std::string key_path = (path.empty() ? "" : path + ".") + key.spec.name;
    paths->insert(key_path);
    if (key.child != nullptr) CollectPaths(*key.child, key_path + key.child_suffix, paths);
  }
}

// "a.b.c" as YAML: sections a and b with a key c.
std::string Pasted(std::string_view key) {
  std::string text(kValidExperiment);
  std::string indent;
  std::istringstream parts{std::string(key)};
  std::string part;
  while (std::getline(parts, part, '.')) {
    text += (indent.empty() ? "" : "\n") + indent + part + ":";
    indent += "  ";
  }
  return text + " 1\n";
}

TEST(ForeignKeysTest, TheDocumentHasTheTablesOfTheReader) {
  for (const ForeignProgram& program : ForeignPrograms()) {
    std::vector<Row> expected;
    for (const ForeignKey& key : program.keys) {
      expected.push_back({Quoted(key.key), Quoted(key.ours), std::string(key.note)});
    }
    EXPECT_THAT(TableOf({std::string(program.name), "here", "what differs"}),
                ElementsAreArray(expected));
  }
}

TEST(ForeignKeysTest, EveryCounterpartExists) {
  std::set<std::string> paths;
  CollectPaths(ExperimentSection(), "", &paths);
  for (const ForeignProgram& program : ForeignPrograms()) {
    for (const ForeignKey& key : program.keys) {
      if (key.ours.empty()) continue;
      EXPECT_TRUE(paths.contains(std::string(key.ours)))
          << program.name << "'s " << key.key << ": there is no " << key.ours;
    }
  }
}

TEST(ForeignKeysTest, EveryKeyIsToldItsCounterpartWhereItIsWrittenAsItsProgramDoes) {
  for (const ForeignProgram& program : ForeignPrograms()) {
    for (const ForeignKey& key : program.keys) {
      const std::string problems = ProblemsOf(Pasted(key.key));
      const std::string told =
          key.ours.empty() ? std::string("has no counterpart here") : std::string(key.ours);
      EXPECT_THAT(problems, HasSubstr(told)) << program.name << "'s " << key.key;
    }
  }
}

TEST(ForeignKeysTest, EveryMetricOfTheDocumentExists) {
  std::vector<std::string> metrics;
  for (const MetricRow& row : MetricTable()) metrics.emplace_back(row.name);
  const std::vector<Row> rows = TableOf({"verl", "TRL", "here", "what differs"});
  ASSERT_GE(rows.size(), 20u);
  for (const Row& row : rows) {
    ASSERT_EQ(row.size(), 4u) << row[0];
    for (const std::string& name : NamesIn(row[2])) EXPECT_THAT(metrics, Contains(name));
  }
}

TEST(ForeignKeysTest, APastedVerlFileIsAnsweredKeyByKey) {
  const std::string problems = ProblemsOf(R"(data:
  train_batch_size: 1024
  colour: red
actor_rollout_ref:
  actor:
    optim:
      lr: 1.0e-6
    ppo_mini_batch_size: 256
  rollout:
    n: 8
trainer:
  total_epochs: 15
)");
  EXPECT_EQ(problems,
            "x.yaml:1:1: config_version: missing; it has no default\n"
            "x.yaml:1:1: run: missing; it has no default\n"
            "x.yaml:1:1: tasks: missing; it has no default\n"
            "x.yaml:1:1: models: missing; it has no default\n"
            "x.yaml:1:1: stages: missing; it has no default\n"
            "x.yaml:2:3: verl's data.train_batch_size is stages[].prompts_per_step here (prompts "
            "over all ranks, in both; stages[].batch_size for sft)\n"
            "x.yaml:7:7: verl's actor_rollout_ref.actor.optim.lr is "
            "stages[].optimizer.learning_rate here (no common default: 1e-6 there, 1e-3 here)\n"
            "x.yaml:8:5: verl's actor_rollout_ref.actor.ppo_mini_batch_size is "
            "stages[].num_minibatches here (a count, not a size: train_batch_size / "
            "ppo_mini_batch_size)\n"
            "x.yaml:10:5: verl's actor_rollout_ref.rollout.n is stages[].samples_per_prompt here "
            "(1 there, 8 here)\n"
            "x.yaml:12:3: unknown key 'total_epochs' in trainer; verl's trainer.total_epochs is "
            "stages[].num_steps here (steps, not passes over a data set)");
}

TEST(ForeignKeysTest, AnOverrideInHydrasFormIsAnsweredAsTheDocumentShows) {
  const std::string command = "    $ ponder validate my.yaml --set ";
  std::ifstream document = OpenDocument();
  std::string line;
  while (std::getline(document, line) && !line.starts_with(command)) {
  }
  ASSERT_TRUE(line.starts_with(command)) << "the document has no example";
  const std::string override_text = line.substr(command.size());
  std::string shown;
  while (std::getline(document, line) && line.starts_with("    ")) {
    shown += (shown.empty() ? "" : "\n") + line.substr(4);
  }
  EXPECT_EQ(ProblemsOf(std::string(kValidExperiment), {override_text}), shown);
}

TEST(ForeignKeysTest, ASectionWithoutAKeyThatIsKnownIsAnsweredByItself) {
  EXPECT_EQ(ProblemsOf(std::string(kValidExperiment) + "actor_rollout_ref: {actor: {colour: 1}}\n"),
            "x.yaml:35:1: unknown key 'actor_rollout_ref' in the file; it is a section of verl's: "
            "docs/from_verl_and_trl.md says what its keys are here");
}

TEST(ForeignKeysTest, ALastPartIsKnownInASectionThatItCanOnlyBeMeantIn) {
  EXPECT_THAT(ForeignHint("stages[1].optimizer", "lr"),
              HasSubstr("stages[].optimizer.learning_rate"));
  EXPECT_THAT(ForeignHint("stages[1].rollout", "n"), HasSubstr("stages[].samples_per_prompt"));
  EXPECT_EQ(ForeignHint("run", "n"), "");
  EXPECT_EQ(ForeignHint("", "lr"), "");
}

TEST(ForeignKeysTest, ANameThatProgramsUseForDifferentThingsHasAllAnswers) {
  EXPECT_EQ(ForeignHint("stages[0]", "train_batch_size"),
            "verl's data.train_batch_size is stages[].prompts_per_step here (prompts over all "
            "ranks, in both; stages[].batch_size for sft); OpenRLHF's train_batch_size is "
            "stages[].num_minibatches here (a count, not a size: rollout_batch_size * "
            "n_samples_per_prompt / train_batch_size)");
}

TEST(ForeignKeysTest, AKeyOfNobodyGetsTheUsualAnswer) {
  EXPECT_THAT(ProblemsOf(Spoiled("seed: 7", "colour: 7")), Not(HasSubstr("verl")));
}

}  // namespace
}  // namespace ponder
