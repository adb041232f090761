// Epochs over a fixed set of demonstrations, and validation, through a real kill.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/integration/process_run.h"

namespace ponder {
namespace {

constexpr const char* kConfig = "tiny_smoke.yaml";
constexpr int kLimitS = 120;

// 30 steps of 32 over 100 demonstrations: 9.6 epochs, validated every 5 steps.
const std::vector<std::string> kOverrides = {
    "stages.pretrain.num_steps=30",
    "stages.pretrain.data.num_demonstrations=100",
    "stages.pretrain.validation.every_steps=5",
    "stages.pretrain.validation.num_demonstrations=20",
    "stages.reason.num_steps=1",
};

TEST(EpochsTest, AKilledRunGoesOnInTheSameOrderAndValidatesTheSame) {
  const UpRun undisturbed("epochs_undisturbed", kConfig);
  const ProcessRun first = undisturbed.Start(kOverrides, "", kLimitS);
  ASSERT_EQ(first.exit_code, 0) << first.output;
  EXPECT_THAT(first.output, ::testing::HasSubstr("validation: loss"));

  std::ifstream metrics(undisturbed.folder() + "/metrics.jsonl");
  std::vector<double> losses;
  double epochs = 0;
  for (std::string text; std::getline(metrics, text);) {
    const nlohmann::json line = nlohmann::json::parse(text);
    if (line.value("stage", "") != "pretrain" || line.value("kind", "") != "step") continue;
    EXPECT_EQ(line.contains("val/loss"), line.at("step").get<int>() % 5 == 0);
    if (line.contains("val/loss")) losses.push_back(line.at("val/loss").get<double>());
    epochs = line.at("train/epoch").get<double>();
  }
  EXPECT_EQ(epochs, 9.6);
  ASSERT_EQ(losses.size(), 6U);
  EXPECT_LT(losses.back(), losses.front());

  const UpRun killed("epochs_killed", kConfig);
  const ProcessRun second = killed.Start(
      kOverrides, "trainer.backward=kill@18,role=trainer,rank=1,once=" + killed.Marker("kill"),
      kLimitS);
  ASSERT_EQ(second.exit_code, 0) << second.output;
  EXPECT_THAT(second.output, ::testing::HasSubstr("resuming at"));
  EXPECT_EQ(killed.Digests(), undisturbed.Digests());
}

}  // namespace
}  // namespace ponder
