#include "rollout/model_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>

#include "core/base/error.h"
#include "tests/core/base/fake_trainer.h"
#include "tests/rollout/fake_model_service.h"

namespace ponder::testing {
namespace {

using ::testing::AnyOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;
using Fault = FakeModelService::Fault;

// 2.5 MiB: three chunks.
constexpr size_t kManyFloats = (5 << 20) / 8;

class ModelCacheTest : public ::testing::Test {
 protected:
  ModelCacheTest() {
    options_.session = "s1";
    options_.model = "policy";
    options_.kernel_path = "aten_f32";
    options_.fetch = {.max_tries = 3, .first_backoff = std::chrono::milliseconds(1)};
  }

  void Start() { cache_ = std::make_unique<ModelCache>(trainer_.Connect(), options_, log_); }

  SnapshotPtr Get(const SnapshotPtr& published) {
    return cache_->Get(published->identity, [this] { return stop_.load(); });
  }

  // The error that Get ends with.
  template <typename Kind>
  std::string Refusal(const ModelIdentity& identity, Condition condition) {
    try {
      cache_->Get(identity, [] { return false; });
      ADD_FAILURE() << "expected an error";
    } catch (const Kind& error) {
      EXPECT_EQ(error.condition(), condition);
      return error.what();
    }
    return {};
  }

  const Log log_{"test", /*rank=*/-1, LogLevel::kError};
  FakeModelService models_;
  FakeTrainer trainer_{{&models_}};
  ModelCacheOptions options_;
  std::atomic<bool> stop_{false};
  std::unique_ptr<ModelCache> cache_;
};

TEST_F(ModelCacheTest, TheNewestVersionIsFetchedBeforeALeaseNamesIt) {
  Start();
  const SnapshotPtr first = MakeSnapshot(1, kManyFloats);
  models_.Publish(first);
  ASSERT_TRUE(WaitUntil([&] { return models_.Requests(1).size() == 1; }));
  const SnapshotPtr got = Get(first);
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(got->identity, first->identity);
  EXPECT_EQ(got->bytes, first->bytes);
  EXPECT_EQ(got->layout, first->layout);
  EXPECT_THAT(models_.Requests(1), SizeIs(1)) << "the transfer that had begun is the one returned";
}

TEST_F(ModelCacheTest, AWorkerThatJoinsLateGetsEveryVersionThatIsStillThere) {
  std::vector<SnapshotPtr> published;
  for (uint64_t version = 1; version <= 5; ++version) {
    published.push_back(MakeSnapshot(version));
    models_.Publish(published.back());
  }
  Start();
  // Backwards and forwards, more versions than anybody keeps, one of them twice.
  for (const size_t index : {1U, 0U, 4U, 2U, 1U, 3U}) {
    const SnapshotPtr got = Get(published[index]);
    ASSERT_NE(got, nullptr);
    EXPECT_EQ(got->bytes, published[index]->bytes) << "version " << index + 1;
  }
}

TEST_F(ModelCacheTest, HearsOfVersionsAgainAfterTheStreamBroke) {
  Start();
  const SnapshotPtr first = MakeSnapshot(1);
  models_.Publish(first);
  ASSERT_NE(Get(first), nullptr);
  models_.BreakWatches();
  const SnapshotPtr second = MakeSnapshot(2);
  models_.Publish(second);
  EXPECT_NE(Get(second), nullptr);
}

TEST_F(ModelCacheTest, AVersionThatTheTrainerNoLongerHasIsAnErrorNotAWait) {
  const SnapshotPtr old = MakeSnapshot(1);
  models_.Publish(old);
  models_.Publish(MakeSnapshot(2));
  models_.Forget(1);
  Start();
  EXPECT_THAT(Refusal<Error>(old->identity, Condition::kUnavailable),
              HasSubstr("no longer has it"));
}

TEST_F(ModelCacheTest, AVersionThatIsNeverAnnouncedIsAnErrorAfterTheLimit) {
  options_.announce_limit = std::chrono::milliseconds(1);
  Start();
  EXPECT_THAT(Refusal<Error>(MakeSnapshot(7)->identity, Condition::kDeadline),
              HasSubstr("policy version 7: expected its announcement within 1 ms"));
}

TEST_F(ModelCacheTest, AnotherDigestThanTheLeasesIsRefused) {
  const SnapshotPtr published = MakeSnapshot(1);
  models_.Publish(published);
  Start();
  ModelIdentity other = published->identity;
  other.digest = std::string(64, '0');
  const std::string text = Refusal<ProtocolError>(other, Condition::kProtocol);
  EXPECT_THAT(text, HasSubstr(other.digest));
  EXPECT_THAT(text, HasSubstr(published->identity.digest));
}

TEST_F(ModelCacheTest, ATransferGoesOnWhereItBroke) {
  const SnapshotPtr published = MakeSnapshot(1, kManyFloats);
  models_.Spoil(1, Fault::kBreak, /*times=*/1);
  models_.Publish(published);
  Start();
  ASSERT_NE(Get(published), nullptr);
  EXPECT_THAT(models_.Requests(1), ElementsAre(0, kWeightChunkBytes));
}

TEST_F(ModelCacheTest, ADamagedChunkIsAskedForAgain) {
  const SnapshotPtr published = MakeSnapshot(1, kManyFloats);
  models_.Spoil(1, Fault::kDamage, /*times=*/1);
  models_.Publish(published);
  Start();
  const SnapshotPtr got = Get(published);
  ASSERT_NE(got, nullptr);
  EXPECT_EQ(got->bytes, published->bytes);
  EXPECT_THAT(models_.Requests(1), ElementsAre(0, kWeightChunkBytes));
}

TEST_F(ModelCacheTest, BytesThatAreAlwaysDamagedAreAnErrorAfterSomeTries) {
  const SnapshotPtr published = MakeSnapshot(1, kManyFloats);
  models_.Spoil(1, Fault::kDamage, /*times=*/100);  // the second chunk of each try
  models_.Publish(published);
  options_.fetch.max_tries = 2;
  Start();
  EXPECT_THAT(Refusal<Error>(published->identity, Condition::kUnavailable),
              HasSubstr("expected CRC32C"));
  // Once when the fetch ahead was still under way, twice when it had failed already.
  EXPECT_THAT(models_.Requests(1), AnyOf(ElementsAre(0, kWeightChunkBytes),
                                         ElementsAre(0, kWeightChunkBytes, 0, kWeightChunkBytes)));
}

TEST_F(ModelCacheTest, BytesOfAnotherDigestThanAnnouncedNeverComeThrough) {
  auto lying = std::make_shared<WeightSnapshot>(*MakeSnapshot(1));
  lying->bytes[3] ^= 1;
  models_.Publish(lying);
  Start();
  EXPECT_THAT(Refusal<Error>(lying->identity, Condition::kUnavailable),
              HasSubstr("expected SHA-256"));
  EXPECT_THAT(models_.Requests(1), Each(0)) << "each try starts from nothing";
}

TEST_F(ModelCacheTest, AKernelPathThatThisWorkerDoesNotRunIsRefused) {
  auto foreign = std::make_shared<WeightSnapshot>(*MakeSnapshot(1));
  foreign->kernel_path = "exact_bf16";
  models_.Publish(foreign);
  Start();
  EXPECT_THAT(Refusal<ProtocolError>(foreign->identity, Condition::kProtocol),
              HasSubstr("expected kernel path 'aten_f32', got 'exact_bf16'"));
}

TEST_F(ModelCacheTest, AStopEndsTheWaitForATransfer) {
  const SnapshotPtr published = MakeSnapshot(1);
  models_.Spoil(1, Fault::kHold, /*times=*/1);
  models_.Publish(published);
  Start();
  auto waiting = std::async(std::launch::async, [&] { return Get(published); });
  ASSERT_TRUE(WaitUntil([&] { return models_.Requests(1).size() == 1; }));
  stop_ = true;
  EXPECT_EQ(waiting.get(), nullptr);
  cache_.reset();  // and does not wait for the transfer either
}

}  // namespace
}  // namespace ponder::testing
