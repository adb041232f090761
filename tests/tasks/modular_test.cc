#include "tasks/modular.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace ponder {
namespace {

constexpr int64_t kModulus = 11;

TEST(Modular, EveryOperationIsABijectionOfTheLeftOperandButTimesZero) {
  for (int op = 0; op < kNumModularOps; ++op) {
    const auto which = static_cast<ModularOp>(op);
    for (int64_t b = which == ModularOp::kMultiply ? 1 : 0; b < kModulus; ++b) {
      std::set<int64_t> images;
      for (int64_t a = 0; a < kModulus; ++a) images.insert(ApplyModularOp(which, a, b, kModulus));
      EXPECT_EQ(images.size(), static_cast<size_t>(kModulus)) << "operation " << op << ", " << b;
      EXPECT_EQ(*images.begin(), 0);
      EXPECT_EQ(*images.rbegin(), kModulus - 1);
    }
  }
}

TEST(Modular, ReducesToTheSmallestNonNegativeResidue) {
  EXPECT_EQ(ApplyModularOp(ModularOp::kAdd, 8, 9, kModulus), 6);
  EXPECT_EQ(ApplyModularOp(ModularOp::kSubtract, 3, 9, kModulus), 5);
  EXPECT_EQ(ApplyModularOp(ModularOp::kMultiply, 8, 9, kModulus), 6);
}

TEST(Modular, ReadsTheOperationsThatItWrites) {
  for (int op = 0; op < kNumModularOps; ++op) {
    const auto which = static_cast<ModularOp>(op);
    EXPECT_EQ(OpOf(SymbolOf(which)), which);
  }
  for (const char* word : {"", "/", "++", "=", "1"}) EXPECT_EQ(OpOf(word), std::nullopt) << word;
}

TEST(Modular, ReadsNumbersBelowTheModulusWrittenTheOneWay) {
  EXPECT_EQ(NumberOf("0", kModulus), 0);
  EXPECT_EQ(NumberOf("10", kModulus), 10);
  for (const char* word :
       {"", "11", "-1", "-0", "01", "+1", "1.0", "1 ", "0x1", "x", "1e0", "99999999999999999999"}) {
    EXPECT_EQ(NumberOf(word, kModulus), -1) << "'" << word << "'";
  }
}

TEST(Modular, ListsNumbersThenOperationsThenOtherSymbols) {
  EXPECT_THAT(ModularSymbols(3, {">", "?"}),
              ::testing::ElementsAre("0", "1", "2", "+", "-", "*", ">", "?"));
}

}  // namespace
}  // namespace ponder
