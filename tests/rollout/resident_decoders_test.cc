#include "rollout/resident_decoders.h"

#include <gtest/gtest.h>

#include "core/base/error.h"
#include "tests/rollout/tiny_model.h"

namespace ponder::testing {
namespace {

PromptLease LeaseOn(uint64_t version) {
  PromptLease lease;
  lease.model = TinySnapshot(version)->identity;
  return lease;
}

class ResidentDecodersTest : public ::testing::Test {
 protected:
  const Decoder* Find(uint64_t version) { return decoders_.Find(TinySnapshot(version)->identity); }
  void Add(uint64_t version, const std::vector<PromptLease>& held = {}) {
    decoders_.Add(*TinySnapshot(version), held);
    EXPECT_LE(decoders_.size(), ResidentDecoders::kMaxResident);
  }

  ResidentDecoders decoders_;
};

TEST_F(ResidentDecodersTest, HoldsExactlyTheStatesThatWereAdded) {
  EXPECT_EQ(Find(1), nullptr);
  Add(1);
  EXPECT_NE(Find(1), nullptr);
  ModelIdentity other = TinySnapshot(1)->identity;
  other.attempt += 1;
  EXPECT_EQ(decoders_.Find(other), nullptr) << "another attempt's version is another state";
}

TEST_F(ResidentDecodersTest, TheLeastRecentlyUsedGoesFirst) {
  Add(1);
  Add(2);
  ASSERT_NE(Find(1), nullptr);
  Add(3);
  EXPECT_EQ(Find(2), nullptr);
  EXPECT_NE(Find(1), nullptr);
  EXPECT_NE(Find(3), nullptr);
}

TEST_F(ResidentDecodersTest, WhatALeaseAtHandNeedsStays) {
  Add(1);
  Add(2);
  Add(3, {LeaseOn(3), LeaseOn(1)});
  EXPECT_NE(Find(1), nullptr);
  EXPECT_EQ(Find(2), nullptr);
  Add(4, {LeaseOn(4), LeaseOn(1), LeaseOn(3)});
  EXPECT_EQ(decoders_.size(), 2U) << "when all are needed the bound still holds";
  EXPECT_NE(Find(4), nullptr);
}

TEST_F(ResidentDecodersTest, ALayoutThatDoesNotFitTheConfigurationIsRefused) {
  Add(1);
  Add(2);
  WeightSnapshot wrong = *TinySnapshot(3);
  wrong.layout = FlatLayout::FromTensors(
      {{.name = "weight", .dtype = DType::kF32, .shape = {8}, .offset = 0}});
  EXPECT_THROW(decoders_.Add(wrong, {}), ProtocolError);
  EXPECT_NE(Find(1), nullptr);
  EXPECT_NE(Find(2), nullptr);
}

}  // namespace
}  // namespace ponder::testing
