// A headless browser for tests, driven over pipes by the DevTools protocol.
#pragma once

#include <sys/types.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace ponder::report {

// Path of a Chromium on PATH; empty when there is none.
std::string FindChromium();

// One browser with one page and no network: every host name fails to resolve. Every wait ends after
// 60 seconds with a std::runtime_error. Used by one thread.
class Browser {
 public:
  // `profile`: an empty folder for its files.
  Browser(const std::string& chromium, const std::string& profile);
  ~Browser();
  Browser(const Browser&) = delete;
  Browser& operator=(const Browser&) = delete;

  // Width in CSS pixels, and which colours the page is asked for.
  void Show(int width, bool dark);
  // Opens a file and waits until it is loaded.
  void Open(const std::string& path);
  // Value of a JavaScript expression.
  nlohmann::json Evaluate(const std::string& expression);
  // Moves the pointer over the page.
  void MovePointer(double x, double y);

  // URLs of all requests that the page made.
  const std::vector<std::string>& requests() const { return requests_; }
  // Console messages, exceptions and violations of the page's policy.
  const std::vector<std::string>& complaints() const { return complaints_; }

 private:
  nlohmann::json Call(const std::string& method, const nlohmann::json& parameters);
  nlohmann::json Receive();
  void Note(const nlohmann::json& event);

  pid_t pid_ = -1;
  int to_browser_ = -1;
  int from_browser_ = -1;
  std::string buffer_;
  std::string session_;
  int last_id_ = 0;
  bool loaded_ = false;
  std::vector<std::string> requests_;
  std::vector<std::string> complaints_;
};

}  // namespace ponder::report
