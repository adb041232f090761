#include "core/weights/flat_layout.h"

#include <gtest/gtest.h>

#include "core/base/error.h"

namespace ponder {
namespace {

FlatLayout SmallLayout() {
  return FlatLayout::FromTensors({{.name = "embed", .dtype = DType::kF32, .shape = {3, 5}},
                                  {.name = "empty", .dtype = DType::kF32, .shape = {0, 7}},
                                  {.name = "scalar", .dtype = DType::kBF16, .shape = {}},
                                  {.name = "head", .dtype = DType::kF32, .shape = {16}}});
}

TEST(FlatLayout, PutsEveryTensorAtA64ByteBorderInTheGivenOrder) {
  const FlatLayout layout = SmallLayout();
  ASSERT_EQ(layout.tensors().size(), 4u);
  EXPECT_EQ(layout.tensors()[0].offset, 0u);
  EXPECT_EQ(layout.tensors()[1].offset, 64u) << "60 bytes before it";
  EXPECT_EQ(layout.tensors()[2].offset, 64u) << "an empty tensor takes no room";
  EXPECT_EQ(layout.tensors()[3].offset, 128u) << "2 bytes before it";
  EXPECT_EQ(layout.total_bytes(), 192u);
}

TEST(FlatLayout, FindsTensorsByName) {
  const FlatLayout layout = SmallLayout();
  ASSERT_NE(layout.Find("head"), nullptr);
  EXPECT_EQ(layout.Find("head")->num_bytes(), 64u);
  EXPECT_EQ(layout.Find("tail"), nullptr);
}

TEST(FlatLayout, ReadsBackWhatItWrote) {
  EXPECT_EQ(FlatLayout::FromJson(SmallLayout().ToJson()), SmallLayout());
  EXPECT_EQ(FlatLayout::FromJson(FlatLayout().ToJson()), FlatLayout());
}

TEST(FlatLayout, RefusesWhatDoesNotFitIntoMemory) {
  const auto layout_of = [](std::vector<std::vector<uint64_t>> shapes) {
    std::vector<TensorSpec> tensors;
    for (auto& shape : shapes) {
      tensors.push_back({.name = "t" + std::to_string(tensors.size()),
                         .dtype = DType::kF64,
                         .shape = std::move(shape)});
    }
    return FlatLayout::FromTensors(std::move(tensors));
  };
  const uint64_t huge = uint64_t{1} << 40;
  EXPECT_THROW(layout_of({{huge, huge}}), Error) << "elements overflow";
  EXPECT_THROW(layout_of({{uint64_t{1} << 61}}), Error) << "bytes overflow";
  EXPECT_THROW(layout_of({{uint64_t{1} << 60}, {uint64_t{1} << 60}}), Error) << "sum overflows";
  EXPECT_THROW(layout_of({{~uint64_t{0} / 8}}), Error) << "alignment overflows";
}

TEST(FlatLayout, RefusesRepeatedAndUnsafeNames) {
  const auto layout_of = [](const std::vector<std::string>& names) {
    std::vector<TensorSpec> tensors;
    for (const std::string& name : names) tensors.push_back({.name = name, .shape = {1}});
    return FlatLayout::FromTensors(std::move(tensors));
  };
  EXPECT_THROW(layout_of({"a", "b", "a"}), Error);
  EXPECT_THROW(layout_of({""}), Error);
  EXPECT_THROW(layout_of({"../a"}), Error);
  EXPECT_THROW(layout_of({std::string("a\0b", 3)}), Error);
  EXPECT_NO_THROW(layout_of({"model.layers.0.mlp.up_proj.weight", "b"}));
}

TEST(FlatLayout, RefusesMessagesThatLieAboutIt) {
  const std::string good = SmallLayout().ToJson();
  const auto with = [&good](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
  };
  EXPECT_THROW(FlatLayout::FromJson(with("\"offset\":128", "\"offset\":64")), ProtocolError);
  EXPECT_THROW(FlatLayout::FromJson(with("\"total_bytes\":192", "\"total_bytes\":256")),
               ProtocolError);
  EXPECT_THROW(FlatLayout::FromJson(with("[3,5]", "[3,-5]")), ProtocolError);
  EXPECT_THROW(FlatLayout::FromJson(with("[3,5]", "[3.0,5]")), ProtocolError);
  EXPECT_THROW(FlatLayout::FromJson(with("[3,5]", "7")), ProtocolError);
  EXPECT_THROW(FlatLayout::FromJson(with("[3,5]", "[18446744073709551615,5]")), ProtocolError);
  EXPECT_THROW(FlatLayout::FromJson(with("BF16", "BF17")), ProtocolError);
  EXPECT_THROW(FlatLayout::FromJson(with("scalar", "embed")), ProtocolError);
  EXPECT_THROW(FlatLayout::FromJson("[]"), ProtocolError);
  EXPECT_THROW(FlatLayout::FromJson("{"), ProtocolError);
  EXPECT_THROW(FlatLayout::FromJson(""), ProtocolError);
}

TEST(DType, NamesAndSizesMatchTheFormat) {
  EXPECT_EQ(NameOf(DType::kBF16), "BF16");
  EXPECT_EQ(SizeOf(DType::kBF16), 2u);
  EXPECT_EQ(SizeOf(DType::kF8E4M3), 1u);
  EXPECT_EQ(SizeOf(DType::kU64), 8u);
  for (uint8_t index = 0; index <= static_cast<uint8_t>(DType::kU64); ++index) {
    const auto dtype = static_cast<DType>(index);
    EXPECT_EQ(DTypeOfName(NameOf(dtype)), dtype);
  }
  EXPECT_THROW(DTypeOfName("F31"), Error);
}

}  // namespace
}  // namespace ponder
