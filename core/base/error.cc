#include "core/base/error.h"

#include <array>

namespace ponder {
namespace {

// gRPC status codes by number, as fixed by the gRPC specification.
enum GrpcCode {
  kCancelled = 1,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kInternalCode = 13,
  kUnavailableCode = 14,
  kDataLoss = 15,
};

constexpr std::array<ConditionRow, 14> kTable{{
    {Condition::kUsage, "usage", kInvalidArgument, false, 2},
    {Condition::kConfig, "config", kInvalidArgument, false, 2},
    {Condition::kBadData, "bad data", kDataLoss, false, 65},
    {Condition::kProtocol, "protocol", kInvalidArgument, false, 70},
    {Condition::kUnknownSession, "unknown session", kFailedPrecondition, false, 75},
    {Condition::kUnavailable, "unavailable", kUnavailableCode, true, 75},
    {Condition::kDeadline, "deadline exceeded", kDeadlineExceeded, true, 75},
    {Condition::kExhausted, "resource exhausted", kResourceExhausted, true, 75},
    {Condition::kIo, "input/output", kInternalCode, false, 74},
    {Condition::kComm, "collective", kAborted, false, 75},
    {Condition::kPreempted, "pre-empted", kUnavailableCode, true, 75},
    {Condition::kDiverged, "diverged", kInternalCode, false, 76},
    {Condition::kInterrupted, "interrupted", kCancelled, false, 130},
    {Condition::kInternal, "internal", kInternalCode, false, 70},
}};

}  // namespace

const ConditionRow& RowOf(Condition condition) {
  for (const ConditionRow& row : kTable) {
    if (row.condition == condition) return row;
  }
  return kTable.back();
}

Condition ConditionOfGrpcCode(int grpc_code) {
  if (grpc_code == kInvalidArgument) return Condition::kProtocol;
  if (grpc_code == kInternalCode) return Condition::kInternal;
  for (const ConditionRow& row : kTable) {
    if (row.grpc_code == grpc_code) return row.condition;
  }
  return Condition::kInternal;
}

namespace internal {

CheckFailure::CheckFailure(const char* file, int line, const char* expression) {
  stream_ << file << ":" << line << ": internal check failed: " << expression << ": ";
}

CheckFailure::~CheckFailure() noexcept(false) { throw Error(Condition::kInternal, stream_.str()); }

}  // namespace internal
}  // namespace ponder
