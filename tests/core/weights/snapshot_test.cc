#include "core/weights/snapshot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/philox.h"

namespace ponder {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kNumTrials = 100'000;
constexpr uint64_t kChunkBytes = 128;
constexpr uint64_t kMaxBytes = 1 << 20;

struct Chunk {
  uint64_t offset = 0;
  std::string data;
  uint32_t crc32c = 0;
};

// 10 chunks of a model of 1,280 bytes.
class SnapshotTest : public ::testing::Test {
 protected:
  SnapshotTest()
      : layout_(FlatLayout::FromTensors({{.name = "w", .dtype = DType::kF32, .shape = {300}},
                                         {.name = "b", .dtype = DType::kF32, .shape = {5}}})) {
    const RandomStream random(/*seed=*/1, RandomPurpose::kTest, /*ordinal=*/0, /*sample=*/0);
    for (uint32_t index = 0; index < layout_.total_bytes(); ++index) {
      bytes_.push_back(static_cast<char>(random.Below(index, 256)));
    }
    identity_ = {.run_id = "r", .attempt = 1, .model = "policy", .version = 7, .digest = ""};
    identity_.digest = Sha256Hex(bytes_);
    for (uint64_t offset = 0; offset < bytes_.size(); offset += kChunkBytes) {
      const std::string data = bytes_.substr(offset, kChunkBytes);
      chunks_.push_back({offset, data, Crc32c(data)});
    }
  }

  SnapshotAssembler MakeAssembler() const {
    return SnapshotAssembler(identity_, "{}", layout_, "path", bytes_.size(), kMaxBytes);
  }

  // The snapshot, or nothing when any chunk or the whole is refused.
  std::optional<SnapshotPtr> Assemble(const std::vector<Chunk>& chunks) const {
    SnapshotAssembler assembler = MakeAssembler();
    try {
      for (const Chunk& chunk : chunks) assembler.Add(chunk.offset, chunk.data, chunk.crc32c);
      return assembler.Finish();
    } catch (const ProtocolError&) {
      return std::nullopt;
    }
  }

  const FlatLayout layout_;
  std::string bytes_;
  ModelIdentity identity_;
  std::vector<Chunk> chunks_;
};

TEST_F(SnapshotTest, YieldsExactlyWhatWasSent) {
  const std::optional<SnapshotPtr> snapshot = Assemble(chunks_);
  ASSERT_TRUE(snapshot.has_value());
  EXPECT_EQ((*snapshot)->identity, identity_);
  EXPECT_EQ((*snapshot)->layout, layout_);
  EXPECT_EQ(std::string((*snapshot)->bytes.begin(), (*snapshot)->bytes.end()), bytes_);
}

TEST_F(SnapshotTest, GoesOnAfterARefusedChunk) {
  SnapshotAssembler assembler = MakeAssembler();
  for (const Chunk& chunk : chunks_) {
    EXPECT_THROW(assembler.Add(chunk.offset, chunk.data, chunk.crc32c ^ 1), ProtocolError);
    EXPECT_EQ(assembler.bytes_received(), chunk.offset);
    assembler.Add(chunk.offset, chunk.data, chunk.crc32c);
  }
  EXPECT_NE(assembler.Finish(), nullptr);
}

TEST_F(SnapshotTest, StartsFromZeroWhenTheWholeHasAnotherDigest) {
  std::vector<Chunk> wrong = chunks_;
  wrong[3].data[5] = static_cast<char>(wrong[3].data[5] ^ 4);
  wrong[3].crc32c = Crc32c(wrong[3].data);
  SnapshotAssembler assembler = MakeAssembler();
  for (const Chunk& chunk : wrong) assembler.Add(chunk.offset, chunk.data, chunk.crc32c);
  EXPECT_THROW(assembler.Finish(), ProtocolError);
  EXPECT_EQ(assembler.bytes_received(), 0u);
  for (const Chunk& chunk : chunks_) assembler.Add(chunk.offset, chunk.data, chunk.crc32c);
  EXPECT_NE(assembler.Finish(), nullptr);
}

TEST_F(SnapshotTest, RefusesToFinishEarlyAndNamesTheModel) {
  SnapshotAssembler assembler = MakeAssembler();
  assembler.Add(chunks_[0].offset, chunks_[0].data, chunks_[0].crc32c);
  try {
    assembler.Finish();
    FAIL() << "expected a refusal";
  } catch (const ProtocolError& error) {
    EXPECT_THAT(error.what(), HasSubstr("policy version 7"));
    EXPECT_THAT(error.what(), HasSubstr("expected 1280 bytes, got 128"));
  }
}

TEST_F(SnapshotTest, RefusesAnnouncementsThatDoNotFit) {
  const auto announce = [this](uint64_t total, uint64_t limit) {
    SnapshotAssembler(identity_, "{}", layout_, "path", total, limit);
  };
  EXPECT_NO_THROW(announce(bytes_.size(), bytes_.size()));
  EXPECT_THROW(announce(bytes_.size() + 64, kMaxBytes), ProtocolError);
  EXPECT_THROW(announce(bytes_.size(), bytes_.size() - 1), ProtocolError);
}

TEST_F(SnapshotTest, NeverAcceptsATransferThatChangedOnTheWay) {
  uint64_t num_unchanged = 0;
  for (uint64_t trial = 0; trial < kNumTrials; ++trial) {
    const RandomStream random(/*seed=*/14, RandomPurpose::kTest, trial, /*sample=*/0);
    uint32_t position = 0;
    const auto below = [&](uint64_t bound) { return random.Below(position++, bound); };
    std::vector<Chunk> chunks = chunks_;
    const uint64_t first = below(chunks.size());
    const uint64_t second = below(chunks.size());
    const auto first_at = chunks.begin() + static_cast<ptrdiff_t>(first);
    // The last kinds also fix the checksum up, as a wrong sender would: only the digest is left.
    switch (below(9)) {
      case 0: {
        char& byte = chunks[first].data[below(chunks[first].data.size())];
        byte = static_cast<char>(byte ^ (1 << below(8)));
        break;
      }
      case 1:
        chunks[first].crc32c ^= 1u << below(32);
        break;
      case 2:
        chunks[first].offset ^= uint64_t{1} << below(64);
        break;
      case 3:
        chunks.erase(first_at);
        break;
      case 4:
        std::swap(chunks[first], chunks[second]);
        break;
      case 5: {
        const Chunk copy = chunks[second];
        chunks.insert(first_at, copy);
        break;
      }
      case 6:
        chunks[first].data.resize(below(chunks[first].data.size()));
        chunks[first].crc32c = Crc32c(chunks[first].data);
        break;
      case 7:
        chunks.resize(first);
        break;
      default: {
        char& byte = chunks[first].data[below(chunks[first].data.size())];
        byte = static_cast<char>(byte ^ (1 << below(8)));
        chunks[first].crc32c = Crc32c(chunks[first].data);
        std::swap(chunks[second].data, chunks[first].data);
        std::swap(chunks[second].crc32c, chunks[first].crc32c);
        break;
      }
    }
    const bool unchanged =
        std::equal(chunks.begin(), chunks.end(), chunks_.begin(), chunks_.end(),
                   [](const Chunk& a, const Chunk& b) {
                     return a.offset == b.offset && a.data == b.data && a.crc32c == b.crc32c;
                   });
    num_unchanged += unchanged ? 1 : 0;  // a chunk swapped with itself
    ASSERT_EQ(Assemble(chunks).has_value(), unchanged) << "trial " << trial;
  }
  std::printf("%llu transfers changed on the way: 0 accepted\n",
              static_cast<unsigned long long>(kNumTrials - num_unchanged));
  EXPECT_LT(num_unchanged, kNumTrials / 20);
}

}  // namespace
}  // namespace ponder
