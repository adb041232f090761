#include "reward/external/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/base/error.h"
#include "core/base/rpc.h"

namespace ponder {
namespace {

// A reply that grows beyond its bound ends the transfer.
size_t OnBody(char* data, size_t size, size_t count, void* body) {
  auto* text = static_cast<std::string*>(body);
  if (text->size() + size * count > HttpClient::kMaxReplyBytes) return 0;
  text->append(data, size * count);
  return size * count;
}

// Not 0 ends the transfer.
int OnProgress(void* stop, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return (*static_cast<const std::function<bool()>*>(stop))() ? 1 : 0;
}

std::string FailureText(CURLcode code, const char* detail, const HttpReply& reply) {
  if (code == CURLE_WRITE_ERROR && !reply.body.empty()) {
    return fmt::format("expected a reply of at most {} bytes, got a longer one",
                       HttpClient::kMaxReplyBytes);
  }
  return *detail != '\0' ? detail : curl_easy_strerror(code);
}

}  // namespace

HttpLibrary::HttpLibrary() {
  const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (code != CURLE_OK) {
    throw Error(Condition::kInternal, std::string("start of libcurl: ") + curl_easy_strerror(code));
  }
}

HttpLibrary::~HttpLibrary() { curl_global_cleanup(); }

struct HttpClient::Handle {
  CURL* curl = nullptr;
};

HttpClient::HttpClient() : handle_(std::make_unique<Handle>()) {
  handle_->curl = curl_easy_init();
  if (handle_->curl == nullptr) {
    throw Error(Condition::kInternal, "start of libcurl: curl_easy_init failed");
  }
}

HttpClient::~HttpClient() { curl_easy_cleanup(handle_->curl); }

HttpReply HttpClient::Post(const std::string& url, const std::vector<std::string>& headers,
                           const std::string& body, std::chrono::milliseconds timeout,
                           const std::function<bool()>& stop) {
  CURL* curl = handle_->curl;
  HttpReply reply;
  std::array<char, CURL_ERROR_SIZE> detail{};
  curl_slist* list = nullptr;
  for (const std::string& header : headers) list = curl_slist_append(list, header.c_str());
  curl_easy_reset(curl);  // the options; connections stay
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, list);
  curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, std::max<long>(1, timeout.count()));
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply.body);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, const_cast<std::function<bool()>*>(&stop));
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail.data());
  if (IsLoopback(HostOfUrl(url))) curl_easy_setopt(curl, CURLOPT_PROXY, "");
  const CURLcode code = curl_easy_perform(curl);
  curl_slist_free_all(list);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, nullptr);
  if (code != CURLE_OK) {
    reply.failure = FailureText(code, detail.data(), reply);
    return reply;
  }
  long status = 0;
  curl_off_t retry_after = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &retry_after);
  reply.status = static_cast<int>(status);
  reply.retry_after = std::chrono::seconds(retry_after);
  return reply;
}

std::string HostOfUrl(const std::string& url) {
  const size_t begin = url.find("://");
  if (begin == std::string::npos) return {};
  const std::string rest = url.substr(begin + 3);
  const std::string authority = rest.substr(0, rest.find_first_of("/?#"));
  return authority.substr(authority.rfind('@') + 1);
}

}  // namespace ponder
