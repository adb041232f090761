#include "trainer/packer.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <set>

#include "core/base/error.h"

namespace ponder {
namespace {

Example MakeExample(uint64_t ordinal, size_t length, size_t prompt_length) {
  Example example;
  example.ordinal = ordinal;
  example.token_ids.resize(length);
  example.weight.resize(length, 0.0);
  example.advantage.resize(length, 0.0);
  for (size_t t = 0; t < length; ++t) {
    example.token_ids[t] = static_cast<uint32_t>((ordinal * 7 + t) % 11);
    if (t >= prompt_length) example.weight[t] = 0.5;
    example.advantage[t] = static_cast<double>(t);
  }
  return example;
}

Minibatch OfLengths(const std::vector<size_t>& lengths) {
  Minibatch minibatch;
  for (size_t i = 0; i < lengths.size(); ++i) {
    minibatch.push_back({{MakeExample(i, lengths[i], std::min<size_t>(2, lengths[i]))}});
  }
  return minibatch;
}

RC_GTEST_PROP(AssignMicroBatchesTest, EveryUnitRunsExactlyOnceAndNoMicroBatchIsTooLong, ()) {
  const auto lengths =
      *rc::gen::nonEmpty(rc::gen::container<std::vector<size_t>>(rc::gen::inRange<size_t>(1, 60)));
  const int ranks = *rc::gen::inRange(1, 5);
  const int64_t max_tokens = *rc::gen::inRange<int64_t>(1, 200);
  const Minibatch minibatch = OfLengths(lengths);
  const auto assignment = AssignMicroBatches(minibatch, ranks, max_tokens);
  RC_ASSERT(assignment.size() == static_cast<size_t>(ranks));
  std::multiset<size_t> seen;
  for (const auto& batches : assignment) {
    for (const MicroBatch& batch : batches) {
      int64_t tokens = 0;
      for (const size_t unit : batch) tokens += static_cast<int64_t>(lengths[unit]);
      RC_ASSERT(tokens <= max_tokens || batch.size() == 1u);
      RC_ASSERT(std::is_sorted(batch.begin(), batch.end()));
      seen.insert(batch.begin(), batch.end());
    }
  }
  RC_ASSERT(seen.size() == lengths.size());
  RC_ASSERT(std::set<size_t>(seen.begin(), seen.end()).size() == lengths.size());
}

TEST(AssignMicroBatchesTest, BalancesTheLoadOfTwoRanks) {
  const auto assignment = AssignMicroBatches(OfLengths({40, 10, 10, 10, 10}), /*num_ranks=*/2,
                                             /*max_tokens=*/1000);
  EXPECT_EQ(assignment[0], (std::vector<MicroBatch>{{0}}));
  EXPECT_EQ(assignment[1], (std::vector<MicroBatch>{{1, 2, 3, 4}}));
}

TEST(PackTest, TheHiddenStateBeforeATokenPredictsIt) {
  const Minibatch minibatch = OfLengths({4, 3});
  const PackedMicroBatch packed = Pack(minibatch, {0, 1}, at::kDouble);
  // Sequence 0 trains tokens 2 and 3 from rows 1 and 2; sequence 1 begins at row 4.
  EXPECT_TRUE(packed.rows.equal(at::tensor(std::vector<int64_t>{1, 2, 5})));
  const auto& first = minibatch[0].sequences[0].token_ids;
  const auto& second = minibatch[1].sequences[0].token_ids;
  EXPECT_TRUE(
      packed.targets.equal(at::tensor(std::vector<int64_t>{first[2], first[3], second[2]})));
  EXPECT_TRUE(
      packed.streams.advantage.equal(at::tensor(std::vector<double>{2, 3, 2}, at::kDouble)));
  EXPECT_FALSE(packed.streams.old_logprob.defined());
  EXPECT_EQ(packed.tokens.cu_seqlens, (std::vector<int64_t>{0, 4, 7}));
}

TEST(PackTest, RefusesAWeightOnTheFirstToken) {
  Minibatch minibatch = OfLengths({3});
  minibatch[0].sequences[0].weight[0] = 1.0;
  EXPECT_THROW(Pack(minibatch, {0}, at::kDouble), Error);
}

}  // namespace
}  // namespace ponder
