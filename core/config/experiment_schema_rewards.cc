// Sources of reward: what judges, and how a judge outside is reached.
#include "core/config/experiment_schema.h"

namespace ponder {
namespace {

const TextRule kName{};
const TextRule kPath{.form = TextRule::Form::kPath, .choices = {}};
const TextRule kText{.form = TextRule::Form::kText, .choices = {}};

constexpr double kMaxSeconds = 86400;
const RealLimits kSeconds{.min = 0, .max = kMaxSeconds, .min_open = true};

const Section& RangeSection() {
  static const Section kSection = [] {
    const RealLimits scores{.min = -1e6, .max = 1e6};
    Section section;
    section.Real(&RealRange::min, {.name = "min", .help = "the lowest score"}, scores);
    section.Real(&RealRange::max, {.name = "max", .help = "the highest score"}, scores);
    return section;
  }();
  return kSection;
}

const Section& BudgetSection() {
  static const Section kSection = [] {
    const IntLimits count{.min = 0, .max = 1'000'000'000'000};
    Section section;
    section.Int(&JudgeBudget::requests,
                {.name = "requests",
                 .help = "most HTTP requests, tries included; 0: no bound",
                 .unit = "requests",
                 .key_class = KeyClass::kFree},
                count);
    section.Int(&JudgeBudget::tokens,
                {.name = "tokens",
                 .help = "no request is made once prompts and replies had so many; 0: no bound",
                 .unit = "tokens",
                 .key_class = KeyClass::kFree},
                count);
    return section;
  }();
  return kSection;
}

// What a judge is asked, and how.
void AddHttpKeys(Section* section) {
  section->Text(&RewardConfig::url,
                {.name = "url",
                 .help = "the chat-completions endpoint, e.g. "
                         "https://HOST/v1/chat/completions; http:// is not encrypted",
                 .key_class = KeyClass::kSoft,
                 .required = true},
                kText);
  section->Text(
      &RewardConfig::model,
      {.name = "model", .help = "the model's name, as the endpoint knows it", .required = true},
      kText);
  section->Text(&RewardConfig::prompt_template,
                {.name = "template",
                 .help = "the judge's prompt; {prompt}, {response} and {reference} are replaced",
                 .omit_default = true},
                kText);
  section->Text(&RewardConfig::prompt_template_file,
                {.name = "template_file",
                 .help = "instead of template: a file that holds it, read once, at the start",
                 .omit_default = true},
                kPath);
  section->Text(
      &RewardConfig::score_field,
      {.name = "score_field",
       .help = "the field of the last JSON object in the reply that holds the score; none "
               "given: the last number in the reply",
       .omit_default = true},
      kName);
  section->Int(&RewardConfig::max_reply_tokens,
               {.name = "max_reply_tokens",
                .help = "most tokens of a reply; one that is cut off is no verdict",
                .unit = "tokens"},
               {.min = 1});
  section->Text(&RewardConfig::api_key_env,
                {.name = "api_key_env",
                 .help = "the environment variable of the reward service that holds the API key",
                 .key_class = KeyClass::kFree,
                 .omit_default = true},
                kName);
  section->Text(&RewardConfig::api_key_file,
                {.name = "api_key_file",
                 .help = "instead of api_key_env: a file whose first line is the API key",
                 .key_class = KeyClass::kFree,
                 .omit_default = true},
                kPath);
  section->Real(&RewardConfig::request_timeout_s,
                {.name = "request_timeout_s",
                 .help = "a request that takes longer is tried again",
                 .unit = "s",
                 .key_class = KeyClass::kFree},
                kSeconds);
  section->Int(&RewardConfig::max_tries,
               {.name = "max_tries",
                .help = "of one request, when no reply comes or the endpoint is overloaded",
                .unit = "tries",
                .key_class = KeyClass::kFree},
               {.min = 1, .max = 100});
  section->Int(&RewardConfig::concurrency,
               {.name = "concurrency",
                .help = "requests at a time, of each scoring thread",
                .unit = "requests",
                .key_class = KeyClass::kFree},
               {.min = 1, .max = 256});
  section->Nested(&RewardConfig::budget,
                  {.name = "budget", .help = "what the run may spend on this judge"},
                  BudgetSection());
  section->Text(
      &RewardConfig::cache,
      {.name = "cache",
       .help = "an SQLite file that keeps the scores and the spending over restarts; none "
               "given: each reward service keeps them in memory",
       .key_class = KeyClass::kFree,
       .omit_default = true},
      kPath);
  section->Foreign("api_key",
                   "a key is never written here: api_key_env or api_key_file says where");
}

}  // namespace

const Section& RewardSection() {
  static const Section kSection = [] {
    Section section;
    section.Text(&RewardConfig::name,
                 {.name = "name", .help = "the source's name in metrics", .required = true}, kName);
    section.Text(&RewardConfig::type, {.name = "type", .help = "what judges", .required = true},
                 {.form = TextRule::Form::kChoice, .choices = NamesOf(RewardKinds())});
    section.Real(&RewardConfig::weight,
                 {.name = "weight", .help = "factor of its score in the sum"},
                 {.min = -1e6, .max = 1e6});
    section.Nested(&RewardConfig::range,
                   {.name = "range", .help = "a score outside is a failure of the judge"},
                   RangeSection());
    section.Real(&RewardConfig::timeout_s,
                 {.name = "timeout_s",
                  .help = "deadline for the judgment of one group, all tries included",
                  .unit = "s",
                  .key_class = KeyClass::kFree},
                 kSeconds);
    section.CommandLine(&RewardConfig::command,
                        {.name = "command",
                         .help = "the program and its arguments, started in the reward service's "
                                 "folder; one text is given to /bin/sh",
                         .required = true});
    section.Text(&RewardConfig::address,
                 {.name = "address",
                  .help = "host:port of a server of ponder.v1.UserReward",
                  .key_class = KeyClass::kSoft,
                  .required = true},
                 kText);
    AddHttpKeys(&section);
    section.SelectBy("type", RewardKinds());
    return section;
  }();
  return kSection;
}

}  // namespace ponder
