#include "core/base/json.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include "core/base/error.h"

namespace ponder {
namespace {

using ::testing::HasSubstr;

constexpr size_t kMaxBytes = 4096;
constexpr int kMaxDepth = 64;

std::string Repeated(const std::string& text, int count) {
  std::string result;
  for (int i = 0; i < count; ++i) result += text;
  return result;
}

std::string NestedArrays(int depth) { return Repeated("[", depth) + Repeated("]", depth); }

std::string NestedObjects(int depth) {
  return Repeated("{\"a\":", depth) + "1" + Repeated("}", depth);
}

TEST(ParseJsonStrict, ReadsOrdinaryJson) {
  const nlohmann::json value = ParseJsonStrict(
      R"( {"shape": [2, 3], "dtype": "F32", "scale": -1.5e3, "tied": true, "none": null} )", "f",
      kMaxBytes);
  EXPECT_EQ(value.at("shape").at(1), 3);
  EXPECT_EQ(value.at("dtype"), "F32");
  EXPECT_EQ(value.at("scale"), -1500.0);
  EXPECT_EQ(value.at("tied"), true);
  EXPECT_TRUE(value.at("none").is_null());
}

TEST(ParseJsonStrict, AcceptsTheSameKeyInDifferentObjects) {
  EXPECT_NO_THROW(ParseJsonStrict(R"({"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]})", "f", kMaxBytes));
  EXPECT_NO_THROW(ParseJsonStrict(R"({"a": {"b": 1}, "b": 2})", "f", kMaxBytes));
}

TEST(ParseJsonStrict, AcceptsTheDeepestNestingThatItAllows) {
  EXPECT_NO_THROW(ParseJsonStrict(NestedArrays(kMaxDepth), "f", kMaxBytes));
  EXPECT_NO_THROW(ParseJsonStrict(NestedObjects(kMaxDepth), "f", kMaxBytes));
}

struct Hostile {
  const char* name;
  std::string text;
  const char* message;
};

TEST(ParseJsonStrict, RefusesHostileText) {
  const Hostile kHostile[] = {
      {"empty", "", "not valid JSON"},
      {"only blanks", " \n", "not valid JSON"},
      {"unfinished", R"({"a": )", "not valid JSON"},
      {"text after the value", "{} {}", "not valid JSON"},
      {"zero byte after the value", std::string("{}\0garbage", 10), "zero byte at byte 2"},
      {"zero byte in a string", std::string("\"a\0b\"", 5), "zero byte at byte 2"},
      {"comment", "/* x */ {}", "not valid JSON"},
      {"comma before the end", "[1,]", "not valid JSON"},
      {"single quotes", "{'a': 1}", "not valid JSON"},
      {"NaN", "[NaN]", "not valid JSON"},
      {"hexadecimal", "[0x10]", "not valid JSON"},
      {"leading zero", "[01]", "not valid JSON"},
      {"number beyond a double", "[1e400]", "not valid JSON"},
      {"line break in a string", "\"a\nb\"", "not valid JSON"},
      {"invalid UTF-8", "\"\xff\xfe\"", "not valid JSON"},
      {"overlong UTF-8", "\"\xc0\xaf\"", "not valid JSON"},
      {"surrogate as UTF-8", "\"\xed\xa0\x80\"", "not valid JSON"},
      {"half a surrogate pair", R"("\ud800")", "not valid JSON"},
      {"duplicate key", R"({"a": 1, "b": 2, "a": 3})", "duplicate key \"a\""},
      {"duplicate key after an object", R"({"a": {"b": 1}, "a": 2})", "duplicate key \"a\""},
      {"duplicate key below", R"([{"x": {"a": 1, "a": 1}}])", "duplicate key \"a\""},
      {"duplicate key by escape", R"({"a": 1, "\u0061": 2})", "duplicate key \"a\""},
      {"duplicate key with a line break", R"({"a\nb": 1, "a\nb": 2})", "duplicate key \"a\\nb\""},
      {"arrays too deep", NestedArrays(kMaxDepth + 1), "at most 64 levels"},
      {"objects too deep", NestedObjects(kMaxDepth + 1), "at most 64 levels"},
      {"brackets without end", Repeated("[", 4000), "at most 64 levels"},
      {"too long", "\"" + Repeated("a", kMaxBytes) + "\"", "expected at most 4096"},
  };
  for (const Hostile& hostile : kHostile) {
    try {
      ParseJsonStrict(hostile.text, "runs/x/state.json", kMaxBytes);
      ADD_FAILURE() << hostile.name << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.condition(), Condition::kBadData) << hostile.name;
      EXPECT_THAT(error.what(), HasSubstr("runs/x/state.json: ")) << hostile.name;
      EXPECT_THAT(error.what(), HasSubstr(hostile.message)) << hostile.name;
    }
  }
}

RC_GTEST_PROP(ParseJsonStrict, EitherParsesOrThrowsBadData, (const std::string& noise)) {
  // A valid text with noise somewhere inside.
  std::string text = R"({"a": [1, -2.5e3, "b\u00e9"], "c": {"d": null, "e": [true, false]}})";
  const auto at = *rc::gen::inRange<size_t>(0, text.size());
  text.replace(at, *rc::gen::inRange<size_t>(0, 4), noise);
  try {
    ParseJsonStrict(text, "f", kMaxBytes);
  } catch (const Error& error) {
    RC_ASSERT(error.condition() == Condition::kBadData);
  }
}

RC_GTEST_PROP(ParseJsonStrict, ReadsBackWhatWasWritten, (const std::map<std::string, double>& in)) {
  nlohmann::json written = nlohmann::json::object();
  for (const auto& [key, value] : in) {
    // Names of printable characters; the values are any finite doubles.
    std::string name;
    for (const char c : key) name += static_cast<char>('!' + static_cast<unsigned char>(c) % 90);
    written[name] = value;
  }
  RC_ASSERT(ParseJsonStrict(written.dump(), "f", 1 << 20) == written);
}

}  // namespace
}  // namespace ponder
