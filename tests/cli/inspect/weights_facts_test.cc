// Weights as they are, and as nobody should have written them.
#include "cli/inspect/weights_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "cli/inspect/render.h"
#include "core/base/error.h"
#include "core/base/fakes/crash_file_system.h"
#include "core/base/philox.h"
#include "core/weights/safetensors.h"

namespace ponder {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string FloatBytes(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::string OneTensor(const std::string& name, const std::vector<float>& values) {
  const std::string bytes = FloatBytes(values);
  return SerializeSafetensors(
      {{{.name = name, .dtype = DType::kF32, .shape = {values.size()}}, bytes}}, {});
}

class WeightsFactsTest : public ::testing::Test {
 protected:
  WeightsFactsTest() { files_.MakeDirectories("model"); }
  void Write(const std::string& name, const std::string& bytes) {
    files_.Create("model/" + name)->Append(bytes);
  }
  WeightsFacts Folder() { return SurveyModelFolder(files_, "model", {}); }
  WeightsFacts File(const std::string& name, ContentsWanted wanted = {}) {
    return SurveyWeightsFile(files_, "model/" + name, wanted);
  }

  CrashFileSystem files_;
};

TEST_F(WeightsFactsTest, TellsTensorsStatisticsAndDigests) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values{1, -3, nan, 5, -infinity};
  Write("a.safetensors", OneTensor("w", values));
  const WeightsFacts facts = File("a.safetensors", {.digests = true, .statistics = true});
  EXPECT_TRUE(facts.IsSound());
  ASSERT_EQ(facts.num_tensors(), 1u);
  EXPECT_EQ(facts.num_elements(), 5u);
  const TensorFacts& tensor = facts.files[0].tensors[0];
  EXPECT_EQ(tensor.sha256, Sha256Hex(FloatBytes(values)));
  EXPECT_EQ(tensor.statistics->min, -3);
  EXPECT_EQ(tensor.statistics->max, 5);
  EXPECT_EQ(tensor.statistics->mean, 1);
  EXPECT_EQ(tensor.statistics->num_nan, 1u);
  EXPECT_EQ(tensor.statistics->num_infinite, 1u);
  EXPECT_FALSE(File("a.safetensors").files[0].tensors[0].sha256.has_value()) << "not asked for";
}

TEST_F(WeightsFactsTest, ATruncatedFileIsDamagedAndToldSo) {
  const std::string whole = OneTensor("w", {1, 2, 3, 4});
  for (size_t size = 0; size < whole.size(); ++size) {
    Write("a.safetensors", whole.substr(0, size));
    const WeightsFacts facts = File("a.safetensors", {.digests = true});
    ASSERT_FALSE(facts.IsSound()) << size;
    ASSERT_THAT(TextOf(facts, {}), HasSubstr("DAMAGED")) << size;
  }
}

TEST_F(WeightsFactsTest, NamesFromTheFileCannotSteerTheTerminal) {
  Write("a.safetensors", OneTensor("w\033[2J\n\xe2\x80\xaex", {1}));
  const WeightsFacts facts = File("a.safetensors");
  ASSERT_TRUE(facts.IsSound());
  const std::string text = TextOf(facts, {});
  EXPECT_EQ(text.find('\033'), std::string::npos);
  EXPECT_THAT(text, HasSubstr("w\\x1b[2J\\x0a\\xe2\\x80\\xaex"));
}

TEST_F(WeightsFactsTest, JoinsTheShardsOfAnIndex) {
  Write("config.json", R"({"model_type": "qwen2", "hidden_size": 64, "layers": [1]})");
  Write("model-1.safetensors", OneTensor("a", {1, 2}));
  Write("model-2.safetensors", OneTensor("b", {3}));
  Write("model.safetensors.index.json",
        R"({"metadata": {"total_size": 12}, "weight_map": {"a": "model-1.safetensors",
           "b": "model-2.safetensors"}})");
  const WeightsFacts facts = Folder();
  EXPECT_TRUE(facts.IsSound()) << TextOf(facts, {});
  EXPECT_EQ(facts.num_tensors(), 2u);
  EXPECT_THAT(facts.architecture,
              Contains(std::pair<std::string, std::string>("hidden_size", "64")));
}

TEST_F(WeightsFactsTest, TellsEveryWayInWhichAnIndexLies) {
  Write("config.json", "{}");
  Write("model-1.safetensors", OneTensor("a", {1}));
  Write("model-2.safetensors", OneTensor("a", {1}));
  const auto problems_with = [this](const std::string& index) {
    Write("model.safetensors.index.json", index);
    std::string all;
    const WeightsFacts facts = Folder();
    for (const std::string& problem : facts.problems) all += problem + "\n";
    for (const WeightsFile& file : facts.files) all += file.problem + "\n";
    return all;
  };
  EXPECT_THAT(problems_with(R"({"weight_map": {"a": "model-1.safetensors"}})"),
              HasSubstr("in two shards"));
  files_.RemoveFile("model/model-2.safetensors");
  EXPECT_THAT(problems_with(R"({"weight_map": {"a": "model-3.safetensors"}})"),
              HasSubstr("model-3.safetensors: the shard is missing"));
  EXPECT_THAT(problems_with(R"({"weight_map": {"a": "model-1.safetensors",
                                               "c": "model-1.safetensors"}})"),
              HasSubstr("tensor 'c': the index has it in model-1.safetensors, no shard has it"));
  EXPECT_THAT(problems_with(R"({"weight_map": {}})"),
              HasSubstr("'a' of model-1.safetensors is not"));
  EXPECT_THAT(problems_with(R"({"metadata": {"total_size": 5},
                                "weight_map": {"a": "model-1.safetensors"}})"),
              HasSubstr("expected the tensors' 4 bytes, got 5"));
  for (const char* outside : {"../x.safetensors", "/etc/x.safetensors", "sub/x.safetensors", ""}) {
    EXPECT_THAT(problems_with(std::string(R"({"weight_map": {"a": ")") + outside + "\"}}"),
                HasSubstr("expected a safetensors file of this folder"));
  }
  for (const char* broken :
       {"", "[]", "{", R"({"weight_map": 1})", R"({"weight_map": {"a": 1}})"}) {
    EXPECT_FALSE(problems_with(broken).empty()) << broken;
  }
}

// As safetensors_fuzz_test, one layer up: nothing that a file holds may end the program.
TEST_F(WeightsFactsTest, AnyBytesGiveAPageAndJson) {
  const std::string valid = OneTensor("w.0", {1, 2, 3});
  int num_sound = 0;
  for (uint64_t trial = 0; trial < 3000; ++trial) {
    const RandomStream random(/*seed=*/5, RandomPurpose::kTest, trial, /*sample=*/0);
    std::string mutant = valid;
    for (uint32_t edit = 0; edit < 1 + random.Below(0, 4); ++edit) {
      mutant[random.Below(2 * edit + 1, mutant.size())] =
          static_cast<char>(random.Below(2 * edit + 2, 256));
    }
    Write("a.safetensors", mutant);
    const WeightsFacts facts = File("a.safetensors", {.digests = true, .statistics = true});
    num_sound += facts.IsSound();
    ASSERT_EQ(TextOf(facts, {}).find('\033'), std::string::npos) << trial;
    ASSERT_FALSE(
        JsonOf(facts).dump(2, ' ', true, nlohmann::json::error_handler_t::replace).empty());
  }
  EXPECT_GT(num_sound, 30) << "mutations of the data alone leave the file sound";
  EXPECT_LT(num_sound, 2000);
}

TEST(ElementValueTest, DecodesEveryDtype) {
  const auto value = [](DType dtype, const std::vector<unsigned char>& bytes) {
    return ElementValue(dtype, reinterpret_cast<const char*>(bytes.data()));
  };
  EXPECT_EQ(value(DType::kBool, {1}), 1);
  EXPECT_EQ(value(DType::kU8, {255}), 255);
  EXPECT_EQ(value(DType::kI8, {255}), -1);
  EXPECT_EQ(value(DType::kI16, {0xfe, 0xff}), -2);
  EXPECT_EQ(value(DType::kU16, {0xfe, 0xff}), 65534);
  EXPECT_EQ(value(DType::kI32, {0, 0, 0, 0x80}), -2147483648.0);
  EXPECT_EQ(value(DType::kU32, {0, 0, 0, 0x80}), 2147483648.0);
  EXPECT_EQ(value(DType::kI64, {1, 0, 0, 0, 0, 0, 0, 0}), 1);
  EXPECT_EQ(value(DType::kU64, {0, 0, 0, 0, 1, 0, 0, 0}), 4294967296.0);
  EXPECT_EQ(value(DType::kF16, {0x00, 0x3c}), 1);
  EXPECT_EQ(value(DType::kF16, {0x01, 0x00}), std::ldexp(1, -24)) << "the least subnormal";
  EXPECT_EQ(value(DType::kF16, {0xff, 0x7b}), 65504);
  EXPECT_EQ(value(DType::kF16, {0x00, 0xfc}), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(value(DType::kBF16, {0x80, 0x3f}), 1);
  EXPECT_EQ(value(DType::kBF16, {0x49, 0xc0}), -3.140625);
  EXPECT_TRUE(std::isnan(value(DType::kBF16, {0xc0, 0x7f})));
  EXPECT_EQ(value(DType::kF8E5M2, {0x3c}), 1);
  EXPECT_EQ(value(DType::kF8E5M2, {0x7b}), 57344);
  EXPECT_EQ(value(DType::kF8E5M2, {0x7c}), std::numeric_limits<double>::infinity());
  EXPECT_EQ(value(DType::kF8E4M3, {0x38}), 1);
  EXPECT_EQ(value(DType::kF8E4M3, {0x7e}), 448) << "the largest exponent holds numbers, too";
  EXPECT_TRUE(std::isnan(value(DType::kF8E4M3, {0x7f})));
  EXPECT_EQ(value(DType::kF32, {0, 0, 0x80, 0xbf}), -1);
  EXPECT_EQ(value(DType::kF64, {0, 0, 0, 0, 0, 0, 0xf0, 0x3f}), 1);
}

}  // namespace
}  // namespace ponder
