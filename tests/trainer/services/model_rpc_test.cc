// The model service over real RPCs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/file.h"
#include "core/base/rpc.h"
#include "core/base/wire.h"
#include "tests/trainer/services/rank0_fixture.h"

namespace ponder::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ModelRpcTest : public Rank0Test {
 protected:
  TestPeer worker_ = Join("s1", "w1");
};

// 2.5 MiB and a little: three chunks.
constexpr size_t kManyFloats = (5 << 20) / 8 + 3;

SnapshotPtr Assemble(const WeightSnapshot& announced, const std::vector<v1::WeightChunk>& first,
                     const std::vector<v1::WeightChunk>& second) {
  SnapshotAssembler assembler(announced.identity, announced.config_json, announced.layout,
                              announced.kernel_path, announced.layout.total_bytes(),
                              /*max_bytes=*/1 << 30);
  for (const auto* chunks : {&first, &second}) {
    for (const v1::WeightChunk& chunk : *chunks) {
      assembler.Add(chunk.offset(), chunk.data(), chunk.crc32c());
    }
  }
  return assembler.Finish();
}

TEST_F(ModelRpcTest, WeightsArriveWholeInBoundedChunks) {
  const SnapshotPtr snapshot = MakeSnapshot(1, kManyFloats);
  server_->Publish(snapshot);
  std::vector<v1::WeightChunk> chunks;
  const grpc::Status status = worker_.GetWeights(snapshot->identity, 0, &chunks);
  ASSERT_TRUE(status.ok()) << status.error_message();
  ASSERT_THAT(chunks, SizeIs(3));
  for (const v1::WeightChunk& chunk : chunks) EXPECT_LE(chunk.data().size(), kWeightChunkBytes);
  EXPECT_EQ(Assemble(*snapshot, chunks, {})->bytes, snapshot->bytes);
}

TEST_F(ModelRpcTest, TransferGoesOnWhereItBroke) {
  const SnapshotPtr snapshot = MakeSnapshot(1, kManyFloats);
  server_->Publish(snapshot);
  std::vector<v1::WeightChunk> first;
  ASSERT_TRUE(worker_.GetWeights(snapshot->identity, 0, &first).ok());
  first.resize(1);
  std::vector<v1::WeightChunk> rest;
  ASSERT_TRUE(worker_.GetWeights(snapshot->identity, first[0].data().size(), &rest).ok());
  EXPECT_THAT(rest, SizeIs(2));
  EXPECT_EQ(Assemble(*snapshot, first, rest)->bytes, snapshot->bytes);

  std::vector<v1::WeightChunk> nothing;
  EXPECT_TRUE(worker_.GetWeights(snapshot->identity, snapshot->bytes.size(), &nothing).ok());
  EXPECT_THAT(nothing, IsEmpty());
}

TEST_F(ModelRpcTest, OtherStatesAreRefusedWithTheReason) {
  server_->Publish(MakeSnapshot(1));
  server_->Publish(MakeSnapshot(2));
  server_->Publish(MakeSnapshot(3));  // two are kept
  struct Case {
    const char* what;
    std::function<void(ModelIdentity*)> change;
    uint64_t have;
    grpc::StatusCode code;
    const char* text;
  };
  const Case cases[] = {
      {"another attempt", [](ModelIdentity* id) { id->attempt = kAttempt - 1; }, 0,
       grpc::StatusCode::FAILED_PRECONDITION, "attempt 4, got run 'run-1', attempt 3"},
      {"another run", [](ModelIdentity* id) { id->run_id = "run-0"; }, 0,
       grpc::StatusCode::FAILED_PRECONDITION, "got run 'run-0'"},
      {"a version that is gone", [](ModelIdentity* id) { id->version = 1; }, 0,
       grpc::StatusCode::NOT_FOUND, "version 1 of 'policy'"},
      {"a model that does not exist", [](ModelIdentity* id) { id->model = "critic"; }, 0,
       grpc::StatusCode::NOT_FOUND, "'critic'"},
      {"another digest", [](ModelIdentity* id) { id->digest = std::string(64, '0'); }, 0,
       grpc::StatusCode::INVALID_ARGUMENT, "digest"},
      {"more than there is", [](ModelIdentity*) {}, 1 << 20, grpc::StatusCode::INVALID_ARGUMENT,
       "have"},
  };
  for (const Case& wrong : cases) {
    ModelIdentity identity = MakeSnapshot(3)->identity;
    wrong.change(&identity);
    std::vector<v1::WeightChunk> chunks;
    const grpc::Status status = worker_.GetWeights(identity, wrong.have, &chunks);
    EXPECT_EQ(status.error_code(), wrong.code) << wrong.what;
    EXPECT_THAT(status.error_message(), HasSubstr(wrong.text)) << wrong.what;
    EXPECT_THAT(chunks, IsEmpty()) << wrong.what;
  }
}

TEST_F(ModelRpcTest, WatchGivesWhatIsThereThenEveryPublishAndEndsWithTheRun) {
  server_->Publish(MakeSnapshot(1));
  server_->Publish(MakeSnapshot(2));
  server_->Publish(MakeSnapshot(3));
  grpc::ClientContext context;
  SetTestDeadline(&context);
  v1::WatchRequest request;
  request.set_session(worker_.session());
  request.set_model("policy");
  const auto reader = worker_.model().Watch(&context, request);
  v1::ModelInfo info;
  for (const uint64_t version : {2, 3}) {
    ASSERT_TRUE(reader->Read(&info));
    EXPECT_EQ(info.identity().version(), version);
  }
  const SnapshotPtr fourth = MakeSnapshot(4);
  server_->Publish(fourth);
  ASSERT_TRUE(reader->Read(&info));
  EXPECT_EQ(FromWire(info.identity()), fourth->identity);
  EXPECT_EQ(info.total_bytes(), fourth->bytes.size());
  EXPECT_EQ(FlatLayout::FromJson(info.layout_json()), fourth->layout);
  EXPECT_EQ(info.config_json(), "{}");
  EXPECT_EQ(info.kernel_path(), "aten_f32");
  server_->EndRun();
  EXPECT_FALSE(reader->Read(&info));
  const grpc::Status status = reader->Finish();
  EXPECT_TRUE(status.ok()) << status.error_message();
  v1::RenewLeasesReply told;  // or the server would wait for this worker to hear of the end
  EXPECT_TRUE(worker_.Renew({}, &told).ok());
}

TEST_F(ModelRpcTest, WatchNeedsASession) {
  grpc::ClientContext context;
  SetTestDeadline(&context);
  v1::WatchRequest request;
  request.set_session("stranger");
  request.set_model("policy");
  const auto reader = worker_.model().Watch(&context, request);
  v1::ModelInfo info;
  EXPECT_FALSE(reader->Read(&info));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::FAILED_PRECONDITION);
}

TEST_F(ModelRpcTest, CancelledStreamsDoNotHoldUpPublishing) {
  const SnapshotPtr snapshot = MakeSnapshot(1, kManyFloats);
  server_->Publish(snapshot);
  grpc::ClientContext watching;
  SetTestDeadline(&watching);
  v1::WatchRequest watch;
  watch.set_session(worker_.session());
  watch.set_model("policy");
  const auto watcher = worker_.model().Watch(&watching, watch);
  v1::ModelInfo info;
  ASSERT_TRUE(watcher->Read(&info));
  grpc::ClientContext fetching;
  SetTestDeadline(&fetching);
  v1::GetWeightsRequest fetch;
  fetch.set_session(worker_.session());
  *fetch.mutable_identity() = ToWire(snapshot->identity);
  const auto fetcher = worker_.model().GetWeights(&fetching, fetch);
  v1::WeightChunk chunk;
  ASSERT_TRUE(fetcher->Read(&chunk));
  watching.TryCancel();
  fetching.TryCancel();
  for (uint64_t version = 2; version < 10; ++version) server_->Publish(MakeSnapshot(version));
  EXPECT_EQ(watcher->Finish().error_code(), grpc::StatusCode::CANCELLED);
  EXPECT_EQ(fetcher->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

}  // namespace
}  // namespace ponder::testing
