#include "tests/reward/fake_http_judge.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

namespace ponder::testing {
namespace {

constexpr int kPollMs = 20;

// Headers and body of one request; what came when the peer goes away.
std::string ReadRequest(int fd) {
  std::string text;
  std::array<char, 4096> chunk{};
  while (true) {
    const size_t end = text.find("\r\n\r\n");
    if (end != std::string::npos) {
      const size_t length = text.find("Content-Length: ");
      const size_t size = length < end ? std::stoul(text.substr(length + 16)) : 0;
      if (text.size() >= end + 4 + size) return text;
    }
    const ssize_t n = recv(fd, chunk.data(), chunk.size(), 0);
    if (n <= 0) return text;
    text.append(chunk.data(), static_cast<size_t>(n));
  }
}

}  // namespace

std::string ChatBody(const std::string& content, int total_tokens,
                     const std::string& finish_reason) {
  return nlohmann::json{
      {"choices", {{{"message", {{"content", content}}}, {"finish_reason", finish_reason}}}},
      {"usage", {{"total_tokens", total_tokens}}}}
      .dump();
}

FakeHttpJudge::FakeHttpJudge(std::function<FakeHttpReply(const std::string&)> answer)
    : answer_(std::move(answer)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size);
  listen(listener_.get(), 64);
  getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Listen(); });
}

FakeHttpJudge::~FakeHttpJudge() {
  ending_ = true;
  thread_.join();
  std::vector<std::thread> connections;
  {
    MutexLock lock(mutex_);
    connections.swap(connections_);
  }
  for (std::thread& connection : connections) connection.join();
}

std::string FakeHttpJudge::url() const {
  return "http://127.0.0.1:" + std::to_string(port_) + "/v1/chat/completions";
}

std::string FakeHttpJudge::last_request() const {
  MutexLock lock(mutex_);
  return last_request_;
}

void FakeHttpJudge::Listen() {
  while (!ending_) {
    pollfd watched{listener_.get(), POLLIN, 0};
    if (poll(&watched, 1, kPollMs) <= 0) continue;
    UniqueFd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    MutexLock lock(mutex_);
    connections_.emplace_back(
        [this, fd = std::move(connection)]() mutable { Serve(std::move(fd)); });
  }
}

void FakeHttpJudge::Serve(UniqueFd connection) {
  const std::string request = ReadRequest(connection.get());
  if (request.find("\r\n\r\n") == std::string::npos) return;  // hung up before it asked
  ++num_requests_;
  const int parallel = ++num_parallel_;
  for (int seen = max_parallel_; seen < parallel;) {
    if (max_parallel_.compare_exchange_weak(seen, parallel)) break;
  }
  {
    MutexLock lock(mutex_);
    last_request_ = request;
  }
  const FakeHttpReply reply = answer_(request.substr(request.find("\r\n\r\n") + 4));
  for (int waited = 0; waited < reply.delay_ms && !ending_; waited += kPollMs) {
    std::this_thread::sleep_for(std::chrono::milliseconds(std::min(kPollMs, reply.delay_ms)));
  }
  --num_parallel_;
  const std::string text =
      "HTTP/1.1 " + std::to_string(reply.status) +
      " -\r\nContent-Length: " + std::to_string(reply.body.size()) + "\r\nConnection: close\r\n" +
      (reply.header.empty() ? "" : reply.header + "\r\n") + "\r\n" + reply.body;
  for (size_t sent = 0; sent < text.size();) {
    const ssize_t n = send(connection.get(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;
    sent += static_cast<size_t>(n);
  }
}

}  // namespace ponder::testing
