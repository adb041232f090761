#include "tests/trainer/services/rank0_fixture.h"

#include <thread>
#include <utility>

#include "core/base/file.h"
#include "core/base/philox.h"
#include "core/base/wire.h"

namespace ponder::testing {
namespace {

Prompt PromptOf(uint64_t ordinal) {
  Prompt prompt;
  prompt.ordinal = ordinal;
  prompt.task = "chain";
  prompt.token_ids = {1, 2, 3};
  prompt.reference_answer = "7";
  return prompt;
}

}  // namespace

uint64_t OrdinalOf(uint64_t index, uint16_t stream) { return Ordinal{stream, 0, index}.Pack(); }

std::vector<uint64_t> OrdinalsOf(const v1::AcquirePromptsReply& reply) {
  std::vector<uint64_t> ordinals;
  for (const v1::PromptLease& lease : reply.leases()) ordinals.push_back(lease.prompt().ordinal());
  return ordinals;
}

std::vector<v1::Trajectory> GoodTrajectories(const v1::PromptLease& lease) {
  std::vector<v1::Trajectory> trajectories;
  for (uint32_t sample = 0; sample < kNumSamples; ++sample) {
    Trajectory trajectory;
    trajectory.ordinal = lease.prompt().ordinal();
    trajectory.sample_index = sample;
    trajectory.token_ids = {1, 2, 3, 4, 5};
    trajectory.segments = {{0, SegmentKind::kPrompt, lease.model().version()},
                           {3, SegmentKind::kSampled, lease.model().version()}};
    trajectory.behavior_logprobs = {0, 0, 0, -0.5F, -0.25F};
    trajectory.rewards = {{.source = "answer",
                           .verdict = VerdictKind::kScored,
                           .value = 1,
                           .weight = 1,
                           .rule = "equal",
                           .step_values = {},
                           .token_values = {}}};
    trajectories.push_back(ToWire(trajectory));
  }
  return trajectories;
}

v1::SubmitGroupHeader GoodHeader(const std::string& session, const v1::PromptLease& lease) {
  v1::SubmitGroupHeader header;
  header.set_session(session);
  header.set_lease_id(lease.lease_id());
  header.set_try_number(lease.try_number());
  header.set_num_trajectories(kNumSamples);
  header.set_outcome(v1::VERDICT_KIND_SCORED);
  return header;
}

void SetTestDeadline(grpc::ClientContext* context) {
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(60));
}

TestPeer::TestPeer(int port, std::string session, std::string name)
    : session_(std::move(session)), name_(std::move(name)) {
  channel_ =
      grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials());
  experience_ = v1::Experience::NewStub(channel_);
  model_ = v1::Model::NewStub(channel_);
}

v1::RegisterRequest TestPeer::WorkerRequest() const {
  v1::RegisterRequest request;
  request.set_role(v1::ROLE_WORKER);
  request.set_session(session_);
  request.set_name(name_);
  request.add_kernel_paths("aten_f32");
  request.set_format_version(1);
  return request;
}

grpc::Status TestPeer::RegisterAsWorker(v1::RegisterReply* reply) {
  v1::RegisterReply unused;
  return Register(WorkerRequest(), reply == nullptr ? &unused : reply);
}

grpc::Status TestPeer::RegisterAsReward(const std::string& address) {
  v1::RegisterRequest request;
  request.set_role(v1::ROLE_REWARD);
  request.set_session(session_);
  request.set_name(name_);
  request.set_address(address);
  v1::RegisterReply reply;
  return Register(request, &reply);
}

grpc::Status TestPeer::Register(const v1::RegisterRequest& request, v1::RegisterReply* reply) {
  grpc::ClientContext context;
  SetTestDeadline(&context);
  return experience_->Register(&context, request, reply);
}

grpc::Status TestPeer::Acquire(uint64_t seq, uint32_t max_groups, v1::AcquirePromptsReply* reply,
                               uint64_t peers_version, grpc::ClientContext* context) {
  grpc::ClientContext own;
  if (context == nullptr) {
    SetTestDeadline(&own);
    context = &own;
  }
  v1::AcquirePromptsRequest request;
  request.set_session(session_);
  request.set_seq(seq);
  request.set_max_groups(max_groups);
  request.set_peers_version(peers_version);
  return experience_->AcquirePrompts(context, request, reply);
}

grpc::Status TestPeer::Renew(const std::vector<uint64_t>& lease_ids, v1::RenewLeasesReply* reply) {
  grpc::ClientContext context;
  SetTestDeadline(&context);
  v1::RenewLeasesRequest request;
  request.set_session(session_);
  for (const uint64_t lease_id : lease_ids) request.add_lease_ids(lease_id);
  return experience_->RenewLeases(&context, request, reply);
}

grpc::Status TestPeer::Submit(const v1::PromptLease& lease, v1::SubmitGroupReply* reply) {
  std::vector<v1::SubmitGroupRequest> messages(1);
  *messages[0].mutable_header() = GoodHeader(session_, lease);
  for (const v1::Trajectory& trajectory : GoodTrajectories(lease)) {
    *messages.emplace_back().mutable_trajectory() = trajectory;
  }
  return SubmitRaw(messages, reply);
}

grpc::Status TestPeer::SubmitRaw(const std::vector<v1::SubmitGroupRequest>& messages,
                                 v1::SubmitGroupReply* reply) {
  grpc::ClientContext context;
  SetTestDeadline(&context);
  const auto writer = experience_->SubmitGroup(&context, reply);
  for (const v1::SubmitGroupRequest& message : messages) {
    if (!writer->Write(message)) break;
  }
  writer->WritesDone();
  return writer->Finish();
}

grpc::Status TestPeer::GetWeights(const ModelIdentity& identity, uint64_t have,
                                  std::vector<v1::WeightChunk>* chunks) {
  grpc::ClientContext context;
  SetTestDeadline(&context);
  v1::GetWeightsRequest request;
  request.set_session(session_);
  *request.mutable_identity() = ToWire(identity);
  request.set_have(have);
  const auto reader = model_->GetWeights(&context, request);
  v1::WeightChunk chunk;
  while (reader->Read(&chunk)) chunks->push_back(chunk);
  return reader->Finish();
}

Rank0Test::Rank0Test() { StartServer(DefaultOptions()); }

Rank0Options Rank0Test::DefaultOptions() {
  Rank0Options options;
  options.run_id = kRunId;
  options.attempt = kAttempt;
  options.experiment_yaml = "config_version: 1\n";
  options.reward_sets = {{"stage/reason", {{"answer", 1}}},
                         {"evaluation/heldout", {{"answer", 1}}}};
  options.vocab_size = kVocabSize;
  options.experience.lease_time = std::chrono::seconds(30);
  options.experience.max_tries = 3;
  options.versions_kept = 2;
  return options;
}

void Rank0Test::StartServer(const Rank0Options& options) {
  server_ = std::make_unique<Rank0Server>(options, PromptOf, clock_, log_);
}

SnapshotPtr Rank0Test::MakeSnapshot(uint64_t version, size_t num_floats) const {
  auto snapshot = std::make_shared<WeightSnapshot>();
  snapshot->layout = FlatLayout::FromTensors(
      {{.name = "weight", .dtype = DType::kF32, .shape = {num_floats}, .offset = 0}});
  snapshot->bytes.resize(snapshot->layout.total_bytes());
  for (size_t i = 0; i < snapshot->bytes.size(); ++i) {
    snapshot->bytes[i] = static_cast<char>((i * 31 + version) % 251);
  }
  snapshot->config_json = "{}";
  snapshot->kernel_path = "aten_f32";
  snapshot->identity = {.run_id = kRunId,
                        .attempt = kAttempt,
                        .model = "policy",
                        .version = version,
                        .digest = Sha256Hex({snapshot->bytes.data(), snapshot->bytes.size()})};
  return snapshot;
}

void Rank0Test::BeginStage(int64_t num_steps, int64_t slots) {
  server_->Publish(MakeSnapshot(1));
  SampledStage stage;
  stage.name = "reason";
  stage.stream = kStream;
  stage.model = "policy";
  stage.reward_set = "stage/reason";
  stage.sampling.num_samples = kNumSamples;
  stage.num_steps = num_steps;
  stage.slots_per_step = slots;
  stage.first_version = 1;
  server_->BeginStage(stage, {});
}

void Rank0Test::WaitUntilParked(size_t num_polls) const {
  const std::string expected = "; " + std::to_string(num_polls) + " of ";
  while (server_->DescribeWaiting().find(expected) == std::string::npos) {
    std::this_thread::yield();
  }
}

TestPeer Rank0Test::Worker(const std::string& session, const std::string& name) {
  return TestPeer(server_->port(), session, name);
}

TestPeer Rank0Test::Join(const std::string& session, const std::string& name) {
  TestPeer peer = Worker(session, name);
  const grpc::Status status = peer.RegisterAsWorker();
  EXPECT_TRUE(status.ok()) << status.error_message();
  return peer;
}

}  // namespace ponder::testing
