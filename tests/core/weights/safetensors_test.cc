#include "core/weights/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

#include "core/base/error.h"

namespace ponder {
namespace {

using ::testing::HasSubstr;

std::string Length(uint64_t length) {
  std::string bytes;
  for (int shift = 0; shift < 64; shift += 8) {
    bytes.push_back(static_cast<char>(length >> shift));
  }
  return bytes;
}

std::string FileOf(const std::string& header, const std::string& data) {
  return Length(header.size()) + header + data;
}

// Why `file` is refused; empty when it is not.
std::string Refusal(const std::string& file) {
  try {
    ParseSafetensors(file, "hostile.safetensors");
    return "";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("hostile.safetensors"));
    return error.what();
  }
}

template <typename T>
std::string BytesOf(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

// What the reference implementation (safetensors 0.8.0, Python) writes for the tensors of
// WritesTheBytesOfTheReferenceImplementation.
std::string ReferenceFile() {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"c":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},)"
      R"("s":{"dtype":"F32","shape":[],"data_offsets":[16,20]},)"
      R"("z":{"dtype":"F32","shape":[0,4],"data_offsets":[20,20]},)"
      R"("h":{"dtype":"F16","shape":[2],"data_offsets":[20,24]},)"
      R"("a":{"dtype":"U8","shape":[1,3],"data_offsets":[24,27]}}       )";
  const char data[] =
      "\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\xc0?\x00\x00\x00\xc0\x00\x00 @\x00<\x00\xbc\x01"
      "\x02\x03";
  return std::string("p\x01\0\0\0\0\0\0", 8) + header + std::string(data, 27);
}

TEST(Safetensors, ReadsTheGoldenEmptyFile) {
  const std::string golden("\x08\0\0\0\0\0\0\0{}      ", 16);
  const SafetensorsHeader header = ParseSafetensors(golden, "empty");
  EXPECT_TRUE(header.tensors.empty());
  EXPECT_TRUE(header.metadata.empty());
  EXPECT_EQ(header.data_begin, 16u);
}

TEST(Safetensors, WritesTheBytesOfTheReferenceImplementation) {
  const std::string a = BytesOf<uint8_t>({1, 2, 3});
  const std::string b = BytesOf<float>({1.5F, -2.0F});
  const std::string c = BytesOf<int64_t>({7});
  const std::string h = BytesOf<uint16_t>({0x3c00, 0xbc00});
  const std::string s = BytesOf<float>({2.5F});
  const std::string file =
      SerializeSafetensors({{{.name = "a", .dtype = DType::kU8, .shape = {1, 3}}, a},
                            {{.name = "b", .dtype = DType::kF32, .shape = {2}}, b},
                            {{.name = "c", .dtype = DType::kI64, .shape = {1}}, c},
                            {{.name = "h", .dtype = DType::kF16, .shape = {2}}, h},
                            {{.name = "s", .dtype = DType::kF32, .shape = {}}, s},
                            {{.name = "z", .dtype = DType::kF32, .shape = {0, 4}}, ""}},
                           {});
  EXPECT_EQ(file, ReferenceFile());
}

TEST(Safetensors, ReadsTheBytesOfTheReferenceImplementation) {
  const SafetensorsHeader header = ParseSafetensors(ReferenceFile(), "reference");
  EXPECT_EQ(header.data_begin, 376u);
  EXPECT_EQ(header.metadata, (std::map<std::string, std::string>{{"format", "pt"}}));
  ASSERT_EQ(header.tensors.size(), 6u);
  EXPECT_EQ(header.tensors[0].name, "c");
  EXPECT_EQ(header.tensors[3].name, "z") << "the empty tensor comes before the one at its offset";
  EXPECT_EQ(header.tensors[5].name, "a");
  EXPECT_EQ(header.tensors[5].offset, 24u);
  EXPECT_EQ(header.tensors[5].shape, (std::vector<uint64_t>{1, 3}));
}

TEST(Safetensors, KeepsMetadataAndNamesThatNeedEscapes) {
  const std::string data = BytesOf<float>({1.0F});
  const std::string file = SerializeSafetensors({{{.name = "w\"\\\n\u00e9", .shape = {1}}, data}},
                                                {{"note", "line\nbreak"}});
  const SafetensorsHeader header = ParseSafetensors(file, "escapes");
  EXPECT_EQ(header.data_begin % 8, 0u);
  EXPECT_EQ(header.tensors.at(0).name, "w\"\\\n\u00e9");
  EXPECT_EQ(header.metadata.at("note"), "line\nbreak");
}

// Every case is a legal file but for one thing.
TEST(Safetensors, RefusesHostileFilesAndSaysWhy) {
  const std::string ok = R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})";
  ASSERT_EQ(Refusal(FileOf(ok, "xy")), "");
  ASSERT_EQ(Refusal(FileOf(ok + "   ", "xy")), "");

  EXPECT_THAT(Refusal(""), HasSubstr("at least 8 bytes"));
  EXPECT_THAT(Refusal("1234567"), HasSubstr("at least 8 bytes"));
  EXPECT_THAT(Refusal(Length(ok.size() + 3) + ok + "xy"), HasSubstr("header length"));
  EXPECT_THAT(Refusal(Length(~uint64_t{0}) + ok + "xy"), HasSubstr("header length"));
  EXPECT_THAT(Refusal(Length(100'000'001) + ok + "xy"), HasSubstr("at most 16777216"));
  EXPECT_THAT(Refusal(FileOf("", "")), HasSubstr("begins with '{'"));
  EXPECT_THAT(Refusal(FileOf(" " + ok, "xy")), HasSubstr("begins with '{'"));
  EXPECT_THAT(Refusal(FileOf("[]", "")), HasSubstr("begins with '{'"));
  EXPECT_THAT(Refusal(FileOf(ok + "\n", "xy")), HasSubstr("ends with '}'"));
  EXPECT_THAT(Refusal(FileOf(ok + "{}", "xy")), HasSubstr("hostile"));
  EXPECT_THAT(Refusal(FileOf(ok + std::string(1, '\0'), "xy")), HasSubstr("ends with '}'"));
  EXPECT_THAT(Refusal(FileOf(R"({"a":{"dtype":"U8")", "")), HasSubstr("ends with '}'"));

  EXPECT_THAT(Refusal(FileOf(ok, "xyz")), HasSubstr("cover the buffer's 3 bytes, got 2"));
  EXPECT_THAT(Refusal(FileOf(ok, "x")), HasSubstr("cover the buffer's 1 bytes, got 2"));
}

TEST(Safetensors, RefusesDuplicateKeysAtEveryLevel) {
  EXPECT_NE(Refusal(FileOf(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                           R"("a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
                           "xy")),
            "");
  EXPECT_NE(Refusal(FileOf(R"({"a":{"dtype":"U8","dtype":"U8","shape":[2],"data_offsets":[0,2]}})",
                           "xy")),
            "");
  EXPECT_NE(Refusal(FileOf(R"({"__metadata__":{"k":"1","k":"2"}})", "")), "");
}

TEST(Safetensors, RefusesRangesThatDoNotCoverTheBufferOnce) {
  const auto two = [](const std::string& first, const std::string& second) {
    return R"({"a":{"dtype":"U8","shape":[2],"data_offsets":)" + first +
           R"(},"b":{"dtype":"U8","shape":[2],"data_offsets":)" + second + "}}";
  };
  ASSERT_EQ(Refusal(FileOf(two("[2,4]", "[0,2]"), "wxyz")), "") << "order in the text is free";
  EXPECT_THAT(Refusal(FileOf(two("[0,2]", "[1,3]"), "wxyz")), HasSubstr("holes or overlaps"));
  EXPECT_THAT(Refusal(FileOf(two("[0,2]", "[0,2]"), "wxyz")), HasSubstr("holes or overlaps"));
  EXPECT_THAT(Refusal(FileOf(two("[0,2]", "[3,5]"), "vwxyz")), HasSubstr("holes or overlaps"));
  EXPECT_THAT(Refusal(FileOf(two("[1,3]", "[3,5]"), "vwxyz")), HasSubstr("holes or overlaps"));
  EXPECT_THAT(Refusal(FileOf(two("[0,2]", "[4,2]"), "wxyz")), HasSubstr("begin <= end"));
  EXPECT_THAT(Refusal(FileOf(two("[0,2]", "[2]"), "wxyz")), HasSubstr("[begin, end]"));
  EXPECT_THAT(Refusal(FileOf(two("[0,2]", "[2,4,6]"), "wxyz")), HasSubstr("[begin, end]"));
  EXPECT_THAT(Refusal(FileOf(two("[0,2]", "[2,3]"), "wxy")), HasSubstr("expected 2 bytes"));
}

TEST(Safetensors, RefusesShapesThatOverflowOrAreNoIntegers) {
  const auto with = [](const std::string& shape) {
    return FileOf(R"({"a":{"dtype":"F32","shape":)" + shape + R"(,"data_offsets":[0,0]}})", "");
  };
  ASSERT_EQ(Refusal(with("[0]")), "");
  ASSERT_EQ(Refusal(with("[3,0,18446744073709551615]")), "") << "zero elements, no overflow";
  EXPECT_THAT(Refusal(with("[4294967296,4294967296]")), HasSubstr("64 bits")) << "wraps to 0";
  EXPECT_THAT(Refusal(with("[4611686018427387904]")), HasSubstr("64 bits")) << "bytes wrap to 0";
  EXPECT_THAT(Refusal(with("[18446744073709551616]")), HasSubstr("expected integers"));
  EXPECT_THAT(Refusal(with("[-1]")), HasSubstr("expected integers"));
  EXPECT_THAT(Refusal(with("[0.0]")), HasSubstr("expected integers"));
  EXPECT_THAT(Refusal(with("[\"0\"]")), HasSubstr("expected integers"));
  EXPECT_THAT(Refusal(with("[[0]]")), HasSubstr("expected integers"));
  EXPECT_THAT(Refusal(with("0")), HasSubstr("expected an array"));
  EXPECT_THAT(Refusal(with("null")), HasSubstr("expected an array"));
}

TEST(Safetensors, RefusesWrongKindsOfEntries) {
  EXPECT_THAT(Refusal(FileOf(R"({"a":{"dtype":"Q4","shape":[],"data_offsets":[0,1]}})", "x")),
              HasSubstr("dtype"));
  EXPECT_THAT(Refusal(FileOf(R"({"a":{"dtype":7,"shape":[],"data_offsets":[0,1]}})", "x")),
              HasSubstr("expected a string"));
  EXPECT_THAT(Refusal(FileOf(R"({"a":{"dtype":"U8","shape":[]}})", "x")),
              HasSubstr("exactly the keys"));
  EXPECT_THAT(Refusal(FileOf(R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1],"x":1}})", "x")),
              HasSubstr("exactly the keys"));
  EXPECT_THAT(Refusal(FileOf(R"({"a":5})", "")), HasSubstr("exactly the keys"));
  EXPECT_THAT(Refusal(FileOf(R"({"__metadata__":{"k":1}})", "")), HasSubstr("expected a string"));
  EXPECT_THAT(Refusal(FileOf(R"({"__metadata__":[]})", "")), HasSubstr("expected an object"));
}

TEST(Safetensors, RefusesUnsafeNamesAndBadText) {
  const auto named = [](const std::string& name) {
    return FileOf("{\"" + name + R"(":{"dtype":"U8","shape":[],"data_offsets":[0,1]}})", "x");
  };
  ASSERT_EQ(Refusal(named("model.norm.weight")), "");
  EXPECT_THAT(Refusal(named("../../etc/passwd")), HasSubstr("'..'"));
  EXPECT_THAT(Refusal(named("a\\u0000b")), HasSubstr("NUL"));
  EXPECT_THAT(Refusal(named("")), HasSubstr("expected a name"));
  EXPECT_NE(Refusal(named("\xff\xfe")), "") << "not UTF-8";
  EXPECT_NE(Refusal(named("\xc0\xaf")), "") << "overlong UTF-8";
  EXPECT_NE(Refusal(named("\xed\xa0\x80")), "") << "a surrogate";
}

TEST(Safetensors, RefusesDeepNestingWithoutRunningOutOfStack) {
  const size_t depth = 1'000'000;
  const std::string deep = "{\"a\":" + std::string(depth, '[') + std::string(depth, ']') + "}";
  EXPECT_NE(Refusal(FileOf(deep, "")), "");
}

TEST(Safetensors, TakesHeadersUpToTheGivenLimitOnly) {
  std::string header = "{}";
  header.append(1000, ' ');
  EXPECT_NO_THROW(ParseSafetensors(FileOf(header, ""), "limit", header.size()));
  EXPECT_THROW(ParseSafetensors(FileOf(header, ""), "limit", header.size() - 1), Error);
}

FlatLayout TwoTensors() {
  return FlatLayout::FromTensors({{.name = "b", .dtype = DType::kF32, .shape = {3}},
                                  {.name = "a", .dtype = DType::kF32, .shape = {2, 1}}});
}

TEST(FlatFromSafetensors, AlignsTensorsAndFillsTheGapsWithZeros) {
  const std::string a = BytesOf<float>({4.0F, 5.0F});
  const std::string b = BytesOf<float>({1.0F, 2.0F, 3.0F});
  const std::string file = SerializeSafetensors(
      {{{.name = "a", .shape = {2, 1}}, a}, {{.name = "b", .shape = {3}}, b}}, {});
  const std::vector<char> flat = FlatFromSafetensors(file, "f", TwoTensors());
  const std::string expected =
      b + std::string(64 - b.size(), '\0') + a + std::string(64 - a.size(), '\0');
  EXPECT_EQ(std::string(flat.begin(), flat.end()), expected);
  EXPECT_EQ(SafetensorsFromFlat(TwoTensors(), expected, {}), file);
}

TEST(FlatFromSafetensors, NamesEveryTensorThatDoesNotFit) {
  const std::string data = BytesOf<float>({1.0F, 2.0F});
  const std::string file = SerializeSafetensors(
      {{{.name = "a", .shape = {1, 2}}, data}, {{.name = "extra", .shape = {2}}, data}}, {});
  try {
    FlatFromSafetensors(file, "model.safetensors", TwoTensors());
    FAIL() << "expected a refusal";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("missing 'b'"));
    EXPECT_THAT(error.what(), HasSubstr("'a': expected F32[2,1], got F32[1,2]"));
    EXPECT_THAT(error.what(), HasSubstr("unexpected 'extra'"));
  }
}

TEST(FlatFromSafetensors, RefusesAnotherDtypeOfTheSameSize) {
  const std::string a = BytesOf<float>({4.0F, 5.0F});
  const std::string b = BytesOf<float>({1.0F, 2.0F, 3.0F});
  const std::string file = SerializeSafetensors(
      {{{.name = "a", .dtype = DType::kI32, .shape = {2, 1}}, a}, {{.name = "b", .shape = {3}}, b}},
      {});
  EXPECT_THROW(FlatFromSafetensors(file, "f", TwoTensors()), Error);
}

}  // namespace
}  // namespace ponder
