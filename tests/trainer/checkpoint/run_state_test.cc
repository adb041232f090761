#include "trainer/checkpoint/run_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/fakes/crash_file_system.h"

namespace ponder {
namespace {

using ::testing::HasSubstr;

RunState Sample() {
  RunState state;
  state.run_step = 1920;
  state.stage_index = 2;
  state.stage_step = 20;
  state.stage_complete = true;
  state.evaluations_due = true;
  state.run_updates = 1940;
  state.version = 21;
  state.weights_changed = true;
  state.nonfinite_steps = 1;
  state.frontier = 647;
  state.metrics_bytes = 9;
  state.metrics_sha256 = Sha256Hex("123456789");
  state.timing_bytes = 54321;
  state.attempt = 3;
  state.best = {"heldout val/sampled max", 0.1 + 0.2, 1900};
  return state;
}

TEST(RunState, ReadsBackEveryField) {
  EXPECT_EQ(RunState::FromJson(Sample().ToJson(), "state.json"), Sample());
  EXPECT_EQ(RunState::FromJson(RunState().ToJson(), "state.json"), RunState());
}

TEST(RunState, KeepsTheBestValueToTheBit) {
  for (const double value : {5e-324, 1.0 / 3, 1.7976931348623157e308, -0.0}) {
    RunState state;
    state.best = {"heldout val/sampled max", value, 20};
    const RunState read = RunState::FromJson(state.ToJson(), "state.json");
    EXPECT_EQ(read, state);
    EXPECT_EQ(std::signbit(read.best->value), std::signbit(value));
  }
}

TEST(RunState, IsStrictAboutEveryKey) {
  const nlohmann::json good = nlohmann::json::parse(Sample().ToJson());
  ASSERT_NO_THROW(RunState::FromJson(good.dump(), "state.json"));
  for (const auto& [key, value] : good.items()) {
    nlohmann::json changed = good;
    changed.erase(key);
    EXPECT_THROW(RunState::FromJson(changed.dump(), "state.json"), CheckpointError)
        << "without " << key;
    if (key != "best") {  // there may be none
      changed[key] = nullptr;
      EXPECT_THROW(RunState::FromJson(changed.dump(), "state.json"), CheckpointError)
          << "null for " << key;
    }
    changed[key] = value.is_string() ? nlohmann::json(-1) : nlohmann::json("text");
    EXPECT_THROW(RunState::FromJson(changed.dump(), "state.json"), CheckpointError)
        << "another type for " << key;
  }
  nlohmann::json more = good;
  more["stage_stepp"] = 1;
  EXPECT_THROW(RunState::FromJson(more.dump(), "state.json"), CheckpointError);
  for (const auto& [key, value] : good.at("best").items()) {
    nlohmann::json changed = good;
    changed["best"].erase(key);
    EXPECT_THROW(RunState::FromJson(changed.dump(), "state.json"), CheckpointError)
        << "without best." << key;
  }
  nlohmann::json negative = good;
  negative["run_step"] = -1;
  EXPECT_THROW(RunState::FromJson(negative.dump(), "state.json"), CheckpointError);
  negative["run_step"] = uint64_t{1} << 63;
  EXPECT_THROW(RunState::FromJson(negative.dump(), "state.json"), CheckpointError);
}

// As the release before `best` wrote it.
constexpr const char* kVersion1 = R"({
  "attempt": 3,
  "evaluations": {
    "heldout/val/sampled/best": 0.5,
    "heldout/val/sampled/last": "nan"
  },
  "evaluations_due": true,
  "format_version": 1,
  "frontier": 647,
  "metrics_bytes": 9,
  "metrics_sha256": "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
  "nonfinite_steps": 1,
  "run_step": 1920,
  "run_updates": 1940,
  "stage_complete": true,
  "stage_index": 2,
  "stage_step": 20,
  "timing_bytes": 54321,
  "version": 21,
  "weights_changed": true
}
)";

TEST(RunState, ReadsWhatTheReleaseBeforeWrote) {
  RunState expected = Sample();
  expected.best.reset();
  EXPECT_EQ(RunState::FromJson(kVersion1, "state.json"), expected);
}

TEST(RunState, IsAsStrictAboutTheFormerVersion) {
  const nlohmann::json good = nlohmann::json::parse(kVersion1);
  for (const auto& [key, value] : good.items()) {
    nlohmann::json changed = good;
    changed.erase(key);
    EXPECT_THROW(RunState::FromJson(changed.dump(), "state.json"), CheckpointError)
        << "without " << key;
  }
  nlohmann::json more = good;
  more["best"] = nullptr;
  EXPECT_THROW(RunState::FromJson(more.dump(), "state.json"), CheckpointError)
      << "version 1 had no best";
}

TEST(RunState, RefusesVersionsThatItDoesNotKnow) {
  nlohmann::json state = nlohmann::json::parse(Sample().ToJson());
  for (const int version : {0, 3}) {
    state["format_version"] = version;
    try {
      RunState::FromJson(state.dump(), "state.json");
      ADD_FAILURE() << "read version " << version;
    } catch (const CheckpointError& error) {
      EXPECT_THAT(error.what(),
                  HasSubstr("expected format_version 1 or 2, got " + std::to_string(version)));
    }
  }
}

TEST(RunState, NamesSourceKeyAndWhatItGot) {
  try {
    RunState::FromJson("{\"format_version\": 1, \"run_step\": \"x\"}", "step_000120/state.json");
    FAIL() << "expected a refusal";
  } catch (const CheckpointError& error) {
    EXPECT_THAT(error.what(), HasSubstr("step_000120/state.json"));
    EXPECT_THAT(error.what(), HasSubstr("'run_step'"));
    EXPECT_THAT(error.what(), HasSubstr("got \"x\""));
  }
}

TEST(RunState, LeavesOutWhatRestartsDecideForAStageStart) {
  RunState other = Sample();
  other.attempt = 8;
  other.timing_bytes = 1;
  EXPECT_NE(other.ToJson(), Sample().ToJson());
  EXPECT_EQ(other.WithoutAttempt().ToJson(), Sample().WithoutAttempt().ToJson());
}

TEST(RunState, RecognisesItsOwnMetrics) {
  CrashFileSystem files;
  const auto write = [&files](const std::string& text) { files.Create("m")->Append(text); };
  write("123456789");
  EXPECT_NO_THROW(CheckMetricsPrefix(files, "m", Sample()));
  write("123456789 and a torn line");
  EXPECT_NO_THROW(CheckMetricsPrefix(files, "m", Sample()));
  write("12345678");
  EXPECT_THROW(CheckMetricsPrefix(files, "m", Sample()), CheckpointError) << "too short";
  write("123456780");
  EXPECT_THROW(CheckMetricsPrefix(files, "m", Sample()), CheckpointError) << "changed";
  EXPECT_NO_THROW(CheckMetricsPrefix(files, "not there", RunState()));
  EXPECT_EQ(Sha256OfPrefix(files, "not there", 0), Sha256Hex(""));
}

}  // namespace
}  // namespace ponder
