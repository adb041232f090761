// Errors: exceptions inside the program, a status at the wire, a code at exit. One table joins
// them.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

namespace ponder {

// What went wrong, by what the caller can do about it. The table in error.cc gives each condition
// its name, its gRPC code, whether a caller retries it, and the exit code of a program that ends
// with it.
enum class Condition {
  kUsage,           // bad command line
  kConfig,          // bad experiment file
  kBadData,         // unreadable or corrupt data or checkpoint
  kProtocol,        // a message that breaks the contract: never retried
  kUnknownSession,  // the peer does not know this session: register again
  kUnavailable,     // the peer cannot be reached or is going away
  kDeadline,        // no answer in time
  kExhausted,       // the peer is overloaded, or a resource limit was met
  kIo,              // file or disk trouble
  kComm,            // a collective failed: the job must restart
  kPreempted,       // asked to stop; state is saved, restart goes on
  kDiverged,        // non-finite loss or gradient beyond the permitted count
  kInterrupted,     // stopped by the user
  kInternal,        // a bug
};

struct ConditionRow {
  Condition condition;
  std::string_view name;  // as printed in messages and sent as error detail
  int grpc_code;          // grpc::StatusCode as int, so that this header needs no gRPC
  bool retried;           // may a client send the same request again?
  int exit_code;          // of a program that ends because of it
};

// The row of `condition`. Never fails. Thread safe.
const ConditionRow& RowOf(Condition condition);

// The condition that a gRPC status code stands for (the first row that carries the code).
Condition ConditionOfGrpcCode(int grpc_code);

// Base of all exceptions that Ponder throws. The text reads: what was done, expected X, got Y,
// hint.
class Error : public std::runtime_error {
 public:
  Error(Condition condition, const std::string& what)
      : std::runtime_error(what), condition_(condition) {}
  Condition condition() const { return condition_; }
  int exit_code() const { return RowOf(condition_).exit_code; }

 private:
  Condition condition_;
};

// Problems of an experiment file, all of them, one a line.
class ConfigError : public Error {
 public:
  explicit ConfigError(const std::string& what) : Error(Condition::kConfig, what) {}
};

// A message or a file that lies about itself.
class ProtocolError : public Error {
 public:
  explicit ProtocolError(const std::string& what) : Error(Condition::kProtocol, what) {}
};

// A collective that failed; the text names rank, operation and cause.
class CommError : public Error {
 public:
  explicit CommError(const std::string& what) : Error(Condition::kComm, what) {}
};

// A checkpoint that cannot be written or read.
class CheckpointError : public Error {
 public:
  CheckpointError(Condition condition, const std::string& what) : Error(condition, what) {}
};

// A failed call; the text names method and peer.
class RpcError : public Error {
 public:
  RpcError(Condition condition, const std::string& what) : Error(condition, what) {}
};

namespace internal {

// Collects the text of a failed PONDER_CHECK and throws in its destructor.
class CheckFailure {
 public:
  CheckFailure(const char* file, int line, const char* expression);
  ~CheckFailure() noexcept(false);
  CheckFailure(const CheckFailure&) = delete;
  CheckFailure& operator=(const CheckFailure&) = delete;
  std::ostream& stream() { return stream_; }

 private:
  std::ostringstream stream_;
};

// Gives the conditional operator in PONDER_CHECK a void right-hand side.
struct Voidify {
  void operator&(std::ostream&) const {}
};

}  // namespace internal

// Throws Error(kInternal) with file and line when `condition` is false. For bugs only, never for
// input.
#define PONDER_CHECK(condition)                 \
  (condition) ? (void)0                         \
              : ::ponder::internal::Voidify() & \
                    ::ponder::internal::CheckFailure(__FILE__, __LINE__, #condition).stream()

}  // namespace ponder
