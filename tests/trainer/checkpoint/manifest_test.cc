#include "trainer/checkpoint/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/trainer/checkpoint/sample_checkpoint.h"

namespace ponder {
namespace {

using ::testing::HasSubstr;

Manifest Sample() {
  Manifest manifest = SampleManifest(/*step=*/120);
  for (const auto& [path, bytes] : SampleFiles(120)) {
    manifest.files.push_back(RecordOf(path, bytes));
  }
  return manifest;
}

// Why the text is refused; empty when it is not.
std::string Refusal(const std::string& text) {
  try {
    ParseManifest(text, "MANIFEST.json");
    return "";
  } catch (const CheckpointError& error) {
    EXPECT_EQ(error.condition(), Condition::kBadData);
    return error.what();
  }
}

TEST(Manifest, ReadsBackWhatItWrote) {
  EXPECT_EQ(ParseManifest(Sample().ToJson(), "m"), Sample());
  EXPECT_EQ(Sample().total_bytes(), 5000u + 20u + 2100u + 1024u + 0u + 18u);
}

TEST(Manifest, SaysTheSameStateWhoeverWroteIt) {
  Manifest later = Sample();
  later.attempt = 9;
  later.world_size = 3;
  later.config_digest = std::string(64, 'e');
  EXPECT_TRUE(Sample().SameStateAs(later));
  later.files[2].crc32c ^= 1;
  EXPECT_FALSE(Sample().SameStateAs(later));
  later = Sample();
  later.versions["policy"] = 7;
  EXPECT_FALSE(Sample().SameStateAs(later));
  later = Sample();
  ++later.step;
  EXPECT_FALSE(Sample().SameStateAs(later));
}

TEST(Manifest, NoticesEveryChangedByte) {
  const std::string text = Sample().ToJson();
  for (size_t at = 0; at < text.size(); ++at) {
    for (const int bit : {0, 1, 2, 3, 4, 5, 6, 7}) {
      std::string changed = text;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      ASSERT_NE(Refusal(changed), "") << "byte " << at << " bit " << bit;
    }
  }
}

TEST(Manifest, NoticesEveryTruncationAndAnythingAppended) {
  const std::string text = Sample().ToJson();
  for (size_t size = 0; size < text.size(); ++size) {
    ASSERT_NE(Refusal(text.substr(0, size)), "") << size;
  }
  EXPECT_NE(Refusal(text + "\n"), "");
  EXPECT_NE(Refusal(text + "{}"), "");
}

TEST(Manifest, NamesTheFormatVersionItCannotRead) {
  Manifest manifest = Sample();
  manifest.format_version = 2;
  EXPECT_THAT(Refusal(manifest.ToJson()), HasSubstr("expected format_version 1, got 2"));
  manifest.format_version = 0;
  EXPECT_THAT(Refusal(manifest.ToJson()), HasSubstr("expected format_version 1, got 0"));
}

TEST(Manifest, RefusesPathsThatLeaveTheFolder) {
  for (const char* path : {"../x", "a/../../x", "/etc/passwd", "a//b", "a/", "./a", "a/.", "", "..",
                           "a\\b", "MANIFEST.json"}) {
    EXPECT_FALSE(IsSafeRelativePath(path)) << path;
    Manifest manifest = SampleManifest(1);
    manifest.files.push_back(RecordOf("good", "bytes"));
    manifest.files[0].path = path;
    EXPECT_THAT(Refusal(manifest.ToJson()), HasSubstr("inside the folder")) << path;
  }
  EXPECT_FALSE(IsSafeRelativePath(std::string_view("a\0b", 3)));
  EXPECT_TRUE(IsSafeRelativePath("policy/model-00001-of-00002.safetensors"));
  EXPECT_TRUE(IsSafeRelativePath("a..b/c"));
  EXPECT_TRUE(IsSafeRelativePath("policy/MANIFEST.json"));
}

TEST(Manifest, RefusesRepeatedAndUnsortedFiles) {
  Manifest manifest = SampleManifest(1);
  manifest.files = {RecordOf("a", "1"), RecordOf("a", "1")};
  EXPECT_THAT(Refusal(manifest.ToJson()), HasSubstr("each once"));
  manifest.files = {RecordOf("b", "1"), RecordOf("a", "1")};
  EXPECT_THAT(Refusal(manifest.ToJson()), HasSubstr("sorted by path"));
}

TEST(FileRecord, TravelsAsJson) {
  const FileRecord record = RecordOf("optimizer/rank_00001.safetensors", "123456789");
  EXPECT_EQ(record.size, 9u);
  EXPECT_EQ(record.crc32c, 0xe3069283u) << "the check value of CRC-32C";
  EXPECT_EQ(record.sha256, "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225");
  EXPECT_EQ(FileRecord::FromJson(record.ToJson(), "rank 1"), record);
  EXPECT_THROW(FileRecord::FromJson("{}", "rank 1"), CheckpointError);
  EXPECT_THROW(FileRecord::FromJson("[]", "rank 1"), CheckpointError);
  EXPECT_THROW(FileRecord::FromJson("", "rank 1"), CheckpointError);
}

}  // namespace
}  // namespace ponder
