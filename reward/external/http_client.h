// POST over HTTP by libcurl.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace ponder {

struct HttpReply {
  int status = 0;  // 0: there was no reply, `failure` says why
  std::string failure;
  std::string body;
  std::chrono::seconds retry_after{0};  // what the server asked for; 0: nothing
};

// libcurl's own setup, while this lives. Make one before threads use clients.
class HttpLibrary {
 public:
  // Throws Error(kInternal).
  HttpLibrary();
  ~HttpLibrary();
  HttpLibrary(const HttpLibrary&) = delete;
  HttpLibrary& operator=(const HttpLibrary&) = delete;
};

// Keeps its connection between calls. Used by one thread at a time. TLS certificates are verified,
// redirects are not followed, and no proxy stands between this process and its own machine.
class HttpClient {
 public:
  static constexpr size_t kMaxReplyBytes = size_t{1} << 20;

  // Throws Error(kInternal) when libcurl cannot be used.
  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Blocks for at most `timeout`, or until `stop` is true. `headers`: "Name: value". Never throws
  // on what the network or the server does, and no text of a failure holds a header.
  HttpReply Post(const std::string& url, const std::vector<std::string>& headers,
                 const std::string& body, std::chrono::milliseconds timeout,
                 const std::function<bool()>& stop);

 private:
  struct Handle;
  const std::unique_ptr<Handle> handle_;
};

// The host of an http:// or https:// URL, with its port when it has one.
std::string HostOfUrl(const std::string& url);

}  // namespace ponder
