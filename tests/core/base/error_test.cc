#include "core/base/error.h"

#include <gmock/gmock.h>
#include <grpcpp/support/status_code_enum.h>

#include <map>
#include <set>

#include "core/base/exit_codes.h"

namespace ponder {
namespace {

using ::testing::HasSubstr;

struct Expected {
  Condition condition;
  int grpc_code;
  bool retried;
  int exit_code;
};

// The table as users and operators rely on it.
const Expected kExpected[] = {
    {Condition::kUsage, grpc::INVALID_ARGUMENT, false, 2},
    {Condition::kConfig, grpc::INVALID_ARGUMENT, false, 2},
    {Condition::kBadData, grpc::DATA_LOSS, false, 65},
    {Condition::kProtocol, grpc::INVALID_ARGUMENT, false, 70},
    {Condition::kUnknownSession, grpc::FAILED_PRECONDITION, false, 75},
    {Condition::kUnavailable, grpc::UNAVAILABLE, true, 75},
    {Condition::kDeadline, grpc::DEADLINE_EXCEEDED, true, 75},
    {Condition::kExhausted, grpc::RESOURCE_EXHAUSTED, true, 75},
    {Condition::kIo, grpc::INTERNAL, false, 74},
    {Condition::kComm, grpc::ABORTED, false, 75},
    {Condition::kPreempted, grpc::UNAVAILABLE, true, 75},
    {Condition::kDiverged, grpc::INTERNAL, false, 76},
    {Condition::kInterrupted, grpc::CANCELLED, false, 130},
    {Condition::kInternal, grpc::INTERNAL, false, 70},
};

constexpr int kNumConditions = static_cast<int>(Condition::kInternal) + 1;

TEST(ErrorTable, HasEveryConditionOnce) {
  EXPECT_EQ(std::size(kExpected), static_cast<size_t>(kNumConditions));
  std::set<std::string_view> names;
  for (int value = 0; value < kNumConditions; ++value) {
    const auto condition = static_cast<Condition>(value);
    EXPECT_EQ(RowOf(condition).condition, condition) << "no row for condition " << value;
    names.insert(RowOf(condition).name);
  }
  EXPECT_EQ(names.size(), static_cast<size_t>(kNumConditions)) << "two conditions share a name";
}

TEST(ErrorTable, GivesCodeRetryAndExitCodeOfEachCondition) {
  for (const Expected& expected : kExpected) {
    const ConditionRow& row = RowOf(expected.condition);
    EXPECT_EQ(row.grpc_code, expected.grpc_code) << row.name;
    EXPECT_EQ(row.retried, expected.retried) << row.name;
    EXPECT_EQ(row.exit_code, expected.exit_code) << row.name;
  }
}

TEST(ErrorTable, NeverRetriesAnInvalidArgument) {
  for (const Expected& expected : kExpected) {
    if (expected.grpc_code == grpc::INVALID_ARGUMENT) {
      EXPECT_FALSE(RowOf(expected.condition).retried) << RowOf(expected.condition).name;
    }
  }
}

TEST(ErrorTable, FindsAConditionForEveryGrpcCode) {
  const std::map<int, Condition> expected{
      {grpc::CANCELLED, Condition::kInterrupted},
      {grpc::UNKNOWN, Condition::kInternal},
      {grpc::INVALID_ARGUMENT, Condition::kProtocol},
      {grpc::DEADLINE_EXCEEDED, Condition::kDeadline},
      {grpc::NOT_FOUND, Condition::kInternal},
      {grpc::PERMISSION_DENIED, Condition::kInternal},
      {grpc::RESOURCE_EXHAUSTED, Condition::kExhausted},
      {grpc::FAILED_PRECONDITION, Condition::kUnknownSession},
      {grpc::ABORTED, Condition::kComm},
      {grpc::UNIMPLEMENTED, Condition::kInternal},
      {grpc::INTERNAL, Condition::kInternal},
      {grpc::UNAVAILABLE, Condition::kUnavailable},
      {grpc::DATA_LOSS, Condition::kBadData},
      {99, Condition::kInternal},
  };
  for (const auto& [code, condition] : expected) {
    EXPECT_EQ(ConditionOfGrpcCode(code), condition) << "code " << code;
  }
}

TEST(Error, CarriesItsConditionAndExitCode) {
  const CheckpointError error(Condition::kBadData, "reading x: expected 4 bytes, got 3");
  EXPECT_EQ(error.condition(), Condition::kBadData);
  EXPECT_EQ(error.exit_code(), 65);
  EXPECT_STREQ(error.what(), "reading x: expected 4 bytes, got 3");
  EXPECT_EQ(ConfigError("").condition(), Condition::kConfig);
  EXPECT_EQ(ProtocolError("").condition(), Condition::kProtocol);
  EXPECT_EQ(CommError("").condition(), Condition::kComm);
}

TEST(PonderCheck, ThrowsWithPlaceExpressionAndText) {
  const int rows = 3;
  try {
    PONDER_CHECK(rows == 4) << "rows: expected 4, got " << rows;
    FAIL() << "the check did not throw";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kInternal);
    EXPECT_THAT(error.what(), HasSubstr("error_test.cc:"));
    EXPECT_THAT(error.what(), HasSubstr("rows == 4"));
    EXPECT_THAT(error.what(), HasSubstr("rows: expected 4, got 3"));
  }
}

TEST(PonderCheck, DoesNotBuildTheTextOfACheckThatHolds) {
  int num_texts = 0;
  const auto text = [&] { return ++num_texts; };
  PONDER_CHECK(true) << text();
  EXPECT_EQ(num_texts, 0);
}

TEST(ExitCodes, AreExactlySuccessAndThoseOfTheConditionsAscending) {
  std::set<int> of_conditions{0};
  for (int i = 0; i <= static_cast<int>(Condition::kInternal); ++i) {
    of_conditions.insert(RowOf(static_cast<Condition>(i)).exit_code);
  }
  std::vector<int> documented;
  for (const ExitCodeRow& row : ExitCodes()) {
    documented.push_back(row.code);
    EXPECT_FALSE(row.meaning.empty()) << row.code;
    EXPECT_FALSE(row.advice.empty()) << row.code;
  }
  EXPECT_EQ(documented, std::vector<int>(of_conditions.begin(), of_conditions.end()));
}

}  // namespace
}  // namespace ponder
