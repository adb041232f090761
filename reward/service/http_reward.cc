// A language model behind an OpenAI-compatible chat-completions endpoint as a source of reward: one
// conversation per response that differs, several at a time.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "core/base/file.h"
#include "core/base/json.h"
#include "core/base/mutex.h"
#include "reward/external/chat_reply.h"
#include "reward/external/group_scores.h"
#include "reward/external/http_client.h"
#include "reward/external/idle_pool.h"
#include "reward/external/judge_prompt.h"
#include "reward/external/judge_store.h"
#include "reward/service/reward_source.h"

namespace ponder {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kFirstBackoff{500};
constexpr milliseconds kMaxBackoff{10'000};
constexpr milliseconds kSlice{20};
constexpr size_t kMaxKeyBytes = 4096;

milliseconds Milliseconds(double seconds) {
  return std::chrono::duration_cast<milliseconds>(std::chrono::duration<double>(seconds));
}

// The key from where `config` says; empty when it says nowhere. It goes nowhere but into a header.
std::string ReadApiKey(const RewardConfig& config) {
  std::string key;
  std::string source;
  if (!config.api_key_env.empty()) {
    source = "the environment variable " + config.api_key_env;
    const char* value = std::getenv(config.api_key_env.c_str());
    if (value != nullptr) key = value;
  } else if (!config.api_key_file.empty()) {
    source = "the first line of " + config.api_key_file;
    std::ifstream stream(config.api_key_file);
    std::getline(stream, key);
  } else {
    return {};
  }
  while (!key.empty() && std::isspace(static_cast<unsigned char>(key.back())) != 0) key.pop_back();
  const bool is_text =
      std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (key.empty() || key.size() > kMaxKeyBytes || !is_text) {
    throw ConfigError(fmt::format("reward '{}': expected an API key in {}, got {}", config.name,
                                  source, key.empty() ? "nothing" : "something else"));
  }
  return key;
}

// The first failure among the threads that judge one group.
class FirstFailure {
 public:
  void Set(std::exception_ptr failure) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (!failure_) failure_ = std::move(failure);
    is_set_ = true;
  }
  bool is_set() const { return is_set_; }
  void RethrowIfSet() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  Mutex mutex_;
  std::exception_ptr failure_ GUARDED_BY(mutex_);
  std::atomic<bool> is_set_{false};
};

class HttpReward : public RewardSource {
 public:
  HttpReward(const RewardConfig& config, const RewardContext& context)
      : config_(config),
        context_(context),
        account_(context.run_id + "/" + config.name),
        api_key_(ReadApiKey(config)),
        headers_{"Content-Type: application/json", "Expect:"},
        store_(config.cache) {
    if (!api_key_.empty()) headers_.push_back("Authorization: Bearer " + api_key_);
    if (config.url.starts_with("http://") && !IsLoopback(HostOfUrl(config.url))) {
      context.log.Warning(fmt::format(
          "reward '{}': the connection to {} is not encrypted: prompts, answers{} can be read on "
          "the way (https:// in the url encrypts it)",
          config.name, HostOfUrl(config.url), api_key_.empty() ? "" : " and the API key"));
    }
  }

  std::vector<SourceReward> Judge(const JudgedGroup& group) override {
    const auto deadline = steady_clock::now() + Milliseconds(config_.timeout_s);
    const std::vector<Question> questions = QuestionsAbout(group);
    GroupScores scores;
    scores.values.resize(group.completions.size());
    std::atomic<size_t> next{0};
    FirstFailure failure;
    const auto work = [&] {
      try {
        std::unique_ptr<HttpClient> client = clients_.Take();
        if (client == nullptr) client = std::make_unique<HttpClient>();
        for (size_t i = next++; i < questions.size(); i = next++) {
          const double score = ScoreOf(questions[i].body, *client, deadline,
                                       [&] { return failure.is_set() || context_.stop(); });
          for (const size_t row : questions[i].rows) scores.values[row] = score;
        }
        clients_.PutBack(std::move(client));
      } catch (...) {
        failure.Set(std::current_exception());
      }
    };
    std::vector<std::jthread> threads;  // joins
    const size_t num_threads = std::min(questions.size(), static_cast<size_t>(config_.concurrency));
    for (size_t i = 0; i < num_threads; ++i) threads.emplace_back(work);
    threads.clear();
    failure.RethrowIfSet();
    return RewardsOf(scores, group.completions.size(), config_.range);
  }

 private:
  struct Question {
    std::string body;          // of the request
    std::vector<size_t> rows;  // the completions that it is about
  };

  // Equal completions make one question: it is paid for once and has one answer.
  std::vector<Question> QuestionsAbout(const JudgedGroup& group) const {
    std::vector<Question> questions;
    std::map<std::string, size_t> known;  // index by body
    for (size_t row = 0; row < group.completions.size(); ++row) {
      const std::string body = BodyFor(group, row);
      const auto [place, is_new] = known.emplace(body, questions.size());
      if (is_new) questions.push_back({.body = body, .rows = {}});
      questions[place->second].rows.push_back(row);
    }
    return questions;
  }

  std::string BodyFor(const JudgedGroup& group, size_t index) const {
    json body;
    body["model"] = config_.model;
    body["temperature"] = 0;
    body["max_tokens"] = config_.max_reply_tokens;
    body["messages"] = {
        {{"role", "user"},
         {"content", FillTemplate(config_.prompt_template, PromptText(group.prompt),
                                  group.completions[index].text, group.prompt.reference_answer)}}};
    return body.dump(/*indent=*/-1, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace);
  }

  double ScoreOf(const std::string& body, HttpClient& client, steady_clock::time_point deadline,
                 const std::function<bool()>& stop) {
    const std::string key = Sha256Hex(config_.url + '\n' + config_.score_field + '\n' + body);
    if (const std::optional<double> kept = store_.Find(key)) return *kept;
    const ChatReply reply = ParseChatReply(Ask(body, client, deadline, stop), api_key_);
    store_.SpendTokens(account_, reply.num_tokens);
    const double score = ScoreInReply(reply.content, config_.score_field, api_key_);
    // One out of range is an error of the judge, which may do better the next time.
    const bool is_good = config_.range.min <= score && score <= config_.range.max;
    return is_good ? store_.Keep(key, score) : score;
  }

  // The body of the first good reply. Tries again what may pass by itself.
  std::string Ask(const std::string& body, HttpClient& client, steady_clock::time_point deadline,
                  const std::function<bool()>& stop) {
    milliseconds backoff = kFirstBackoff;
    for (int tries = 1;; ++tries) {
      if (stop()) throw Error(Condition::kInterrupted, "the group is given up");
      if (!store_.SpendRequest(account_, config_.budget)) {
        throw Error(Condition::kExhausted,
                    fmt::format("the run's budget is spent (budget: requests {}, tokens {})",
                                config_.budget.requests, config_.budget.tokens));
      }
      const auto left = std::chrono::duration_cast<milliseconds>(deadline - steady_clock::now());
      const HttpReply reply =
          client.Post(config_.url, headers_, body,
                      std::clamp(Milliseconds(config_.request_timeout_s), milliseconds(1),
                                 std::max(left, milliseconds(1))),
                      stop);
      if (reply.status == 200) return reply.body;
      const std::string text = DescribeFailure(reply, api_key_);
      if (!MayPass(reply) || tries >= config_.max_tries) {
        throw Error(Condition::kUnavailable, fmt::format("{} (try {})", text, tries));
      }
      const uint64_t seed = std::hash<std::string>{}(body);
      const milliseconds wait =
          std::max<milliseconds>(Jittered(backoff, seed, tries), reply.retry_after);
      const auto again = steady_clock::now() + wait;
      if (again >= deadline) {
        throw Error(Condition::kDeadline,
                    fmt::format("{} (try {}; another one, in {:.1f} s, would come after timeout_s, "
                                "{:.3g} s)",
                                text, tries, std::chrono::duration<double>(wait).count(),
                                config_.timeout_s));
      }
      while (steady_clock::now() < again && !stop()) std::this_thread::sleep_for(kSlice);
      backoff = std::min(2 * backoff, kMaxBackoff);
    }
  }

  const RewardConfig config_;
  const RewardContext context_;
  const std::string account_;
  const std::string api_key_;  // empty: none
  std::vector<std::string> headers_;
  JudgeStore store_;
  const HttpLibrary library_;
  IdlePool<HttpClient> clients_;
};

}  // namespace

std::unique_ptr<RewardSource> MakeHttpReward(const RewardConfig& config, const Task& /*task*/,
                                             const RewardContext& context) {
  return std::make_unique<HttpReward>(config, context);
}

}  // namespace ponder
