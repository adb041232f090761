// An HTTP endpoint that answers as a test says, one request a connection.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/mutex.h"
#include "core/base/unique_fd.h"

namespace ponder::testing {

struct FakeHttpReply {
  int status = 200;
  std::string body{};
  std::string header{};  // one more, "Name: value"
  int delay_ms = 0;      // before it is sent
};

// A chat-completions body with `content`.
std::string ChatBody(const std::string& content, int total_tokens = 10,
                     const std::string& finish_reason = "stop");

// Listens on a free port of the loopback interface while it lives. Thread safe.
class FakeHttpJudge {
 public:
  // `answer` gets the body of a request and is called by several threads.
  explicit FakeHttpJudge(std::function<FakeHttpReply(const std::string& body)> answer);
  ~FakeHttpJudge();

  std::string url() const;
  int num_requests() const { return num_requests_; }
  // Requests that were answered at the same moment, at most.
  int max_parallel() const { return max_parallel_; }
  // Headers and body of the last request.
  std::string last_request() const EXCLUDES(mutex_);

 private:
  void Listen();
  void Serve(UniqueFd connection);

  const std::function<FakeHttpReply(const std::string&)> answer_;
  UniqueFd listener_;
  int port_ = 0;
  std::atomic<bool> ending_{false};
  std::atomic<int> num_requests_{0};
  std::atomic<int> num_parallel_{0};
  std::atomic<int> max_parallel_{0};
  mutable Mutex mutex_;
  std::string last_request_ GUARDED_BY(mutex_);
  std::vector<std::thread> connections_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace ponder::testing
