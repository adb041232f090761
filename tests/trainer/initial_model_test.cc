#include "trainer/initial_model.h"

#include <gtest/gtest.h>

namespace ponder {
namespace {

ExperimentConfig WithTinyPreset(int64_t num_layers) {
  ExperimentConfig config;
  config.models.emplace_back();
  config.models.front().init.preset = "tiny";
  config.models.front().init.num_layers = num_layers;
  return config;
}

TEST(InitialModel, IsThePreset) {
  const auto files = MakeRealFileSystem();
  const DecoderConfig decoder = InitialDecoder(*files, WithTinyPreset(0), 21);
  EXPECT_EQ(decoder, DecoderConfig::Preset("tiny", 21));
  EXPECT_EQ(decoder.num_parameters(), 114'688);
}

TEST(InitialModel, HasTheNumberOfLayersThatIsAskedForAndElseThePresetsShape) {
  const auto files = MakeRealFileSystem();
  const DecoderConfig decoder = InitialDecoder(*files, WithTinyPreset(3), 15);
  DecoderConfig expected = DecoderConfig::Preset("tiny", 15);
  expected.num_layers = 3;
  EXPECT_EQ(decoder, expected);
  EXPECT_EQ(decoder.num_parameters(), 170'944);
}

}  // namespace
}  // namespace ponder
