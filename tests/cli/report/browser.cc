#include "tests/cli/report/browser.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <sstream>
#include <stdexcept>

namespace ponder::report {
namespace {

using nlohmann::json;

constexpr int kDeadlineMs = 60000;
// The protocol reads commands from descriptor 3 and writes to 4.
constexpr int kCommands = 3;
constexpr int kEvents = 4;

[[noreturn]] void RunBrowser(const std::string& chromium, const std::string& profile, int commands,
                             int events) {
  // Out of the way of each other first.
  const int commands_copy = fcntl(commands, F_DUPFD, 10);
  const int events_copy = fcntl(events, F_DUPFD, 10);
  dup2(commands_copy, kCommands);
  dup2(events_copy, kEvents);
  const int nowhere = open("/dev/null", O_RDWR);
  dup2(nowhere, STDOUT_FILENO);
  dup2(nowhere, STDERR_FILENO);
  const std::string profile_option = "--user-data-dir=" + profile;
  // No sandbox: tests run as root in containers, and the page is our own.
  execl(chromium.c_str(), chromium.c_str(), "--headless=new", "--no-sandbox", "--disable-gpu",
        "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND",
        "--remote-debugging-pipe", profile_option.c_str(), static_cast<char*>(nullptr));
  _exit(127);
}

}  // namespace

std::string FindChromium() {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  std::string folder;
  while (std::getline(folders, folder, ':')) {
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"}) {
      const std::string candidate = folder + "/" + name;
      if (access(candidate.c_str(), X_OK) == 0) return candidate;
    }
  }
  return {};
}

Browser::Browser(const std::string& chromium, const std::string& profile) {
  int commands[2];
  int events[2];
  if (pipe2(commands, O_CLOEXEC) != 0 || pipe2(events, O_CLOEXEC) != 0) {
    throw std::runtime_error("making pipes for the browser failed");
  }
  pid_ = fork();
  if (pid_ == 0) {
    setpgid(0, 0);
    RunBrowser(chromium, profile, commands[0], events[1]);
  }
  setpgid(pid_, pid_);
  close(commands[0]);
  close(events[1]);
  to_browser_ = commands[1];
  from_browser_ = events[0];
  const std::string target = Call("Target.createTarget", {{"url", "about:blank"}})["targetId"];
  session_ = Call("Target.attachToTarget", {{"targetId", target}, {"flatten", true}})["sessionId"];
  for (const char* domain : {"Page", "Network", "Log", "Runtime"}) {
    Call(std::string(domain) + ".enable", json::object());
  }
}

Browser::~Browser() {
  close(to_browser_);
  close(from_browser_);
  kill(-pid_, SIGKILL);  // the browser and its helpers: a group of their own
  waitpid(pid_, nullptr, 0);
}

void Browser::Show(int width, bool dark) {
  constexpr int kHeight = 900;
  Call("Emulation.setDeviceMetricsOverride",
       {{"width", width}, {"height", kHeight}, {"deviceScaleFactor", 1}, {"mobile", false}});
  Call("Emulation.setEmulatedMedia",
       {{"features",
         json::array({{{"name", "prefers-color-scheme"}, {"value", dark ? "dark" : "light"}}})}});
}

void Browser::Open(const std::string& path) {
  loaded_ = false;
  Call("Page.navigate", {{"url", "file://" + std::filesystem::absolute(path).string()}});
  while (!loaded_) Note(Receive());
}

json Browser::Evaluate(const std::string& expression) {
  const json result =
      Call("Runtime.evaluate", {{"expression", expression}, {"returnByValue", true}});
  return result.at("result").value("value", json());
}

void Browser::MovePointer(double x, double y) {
  Call("Input.dispatchMouseEvent", {{"type", "mouseMoved"}, {"x", x}, {"y", y}});
}

json Browser::Call(const std::string& method, const json& parameters) {
  json command{{"id", ++last_id_}, {"method", method}, {"params", parameters}};
  if (!session_.empty()) command["sessionId"] = session_;
  const std::string text = command.dump() + '\0';
  if (write(to_browser_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    throw std::runtime_error("sending " + method + " to the browser failed");
  }
  while (true) {
    const json message = Receive();
    if (message.value("id", 0) != last_id_) {
      Note(message);
      continue;
    }
    if (message.contains("error"))
      throw std::runtime_error(method + ": " + message["error"].dump());
    return message.at("result");
  }
}

json Browser::Receive() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kDeadlineMs);
  size_t end = 0;
  while ((end = buffer_.find('\0')) == std::string::npos) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    pollfd waiting{from_browser_, POLLIN, 0};
    char bytes[1 << 16];
    if (left.count() <= 0 || poll(&waiting, 1, static_cast<int>(left.count())) <= 0) {
      throw std::runtime_error("the browser said nothing for 60 s");
    }
    const ssize_t count = read(from_browser_, bytes, sizeof bytes);
    if (count <= 0) throw std::runtime_error("the browser ended");
    buffer_.append(bytes, static_cast<size_t>(count));
  }
  const json message = json::parse(buffer_.substr(0, end));
  buffer_.erase(0, end + 1);
  return message;
}

void Browser::Note(const json& event) {
  const std::string method = event.value("method", "");
  if (method == "Page.loadEventFired") loaded_ = true;
  if (method == "Network.requestWillBeSent") {
    requests_.push_back(event["params"]["request"].value("url", ""));
  }
  if (method == "Log.entryAdded" || method == "Runtime.consoleAPICalled" ||
      method == "Runtime.exceptionThrown") {
    complaints_.push_back(event["params"].dump());
  }
}

}  // namespace ponder::report
