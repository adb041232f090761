#include "cli/report/transcripts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "cli/report/scale.h"
#include "cli/report/stage_panels.h"
#include "cli/report/svg.h"

namespace ponder::report {
namespace {

constexpr int kRewardLevels = 5;

struct RewardRange {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();
  // 1 for the worst reward of the page to kRewardLevels for the best.
  int LevelOf(double reward) const {
    if (!(high > low)) return kRewardLevels;
    const double share = (reward - low) / (high - low);
    return 1 + std::clamp(static_cast<int>(share * kRewardLevels), 0, kRewardLevels - 1);
  }
};

RewardRange RangeOf(const std::vector<RunData>& runs) {
  RewardRange range;
  for (const RunData& run : runs) {
    for (const Transcript& transcript : run.transcripts) {
      range.low = std::min(range.low, transcript.reward);
      range.high = std::max(range.high, transcript.reward);
    }
  }
  return range;
}

std::string TokenHtml(const TranscriptToken& token) {
  const std::string text = Escaped(token.text);
  if (!token.logprob) return "<u>" + text + "</u>";
  constexpr double kCertain = 0.995;
  const double probability = std::exp(*token.logprob);
  const int level = ProbabilityLevel(*token.logprob);
  std::string attributes = level > 0 ? fmt::format(" class=\"p{}\"", level) : "";
  if (probability < kCertain) attributes += fmt::format(" title=\"p = {:.2g}\"", probability);
  return "<i" + attributes + ">" + text + "</i>";
}

std::string TokensHtml(const Transcript& transcript) {
  // Tokens of a vocabulary of words carry no spaces of their own.
  const bool are_words = std::none_of(
      transcript.tokens.begin(), transcript.tokens.end(),
      [](const TranscriptToken& token) { return token.text.find(' ') != std::string::npos; });
  std::string html;
  for (size_t i = 0; i < transcript.tokens.size(); ++i) {
    if (transcript.cut_tokens > 0 && i == transcript.cut_after) {
      html += fmt::format("<em> [{} tokens left out] </em>", transcript.cut_tokens);
    }
    if (are_words && i > 0) html += ' ';
    html += TokenHtml(transcript.tokens[i]);
  }
  return html;
}

std::string SampleHtml(const Transcript& transcript, const RewardRange& range) {
  std::string facts = "reward " + ShortNumber(transcript.reward);
  if (!transcript.rewards.empty()) facts += ": " + transcript.rewards;
  if (transcript.greedy) facts += "; greedy";
  if (transcript.ran_out) facts += "; ran out of tokens";
  const char* mark =
      transcript.correct ? "<b class=\"ok\">\u2713 right</b>" : "<b class=\"no\">\u2717 wrong</b>";
  return fmt::format(
      R"(<div class="sample r{}"><p class="facts">{} {}</p><p class="tokens">{}</p></div>)",
      range.LevelOf(transcript.reward), mark, Escaped(facts), TokensHtml(transcript));
}

std::string GroupTitle(const Transcript& transcript) {
  if (transcript.set.empty()) {
    return fmt::format("{}, step {}: training samples", transcript.stage, transcript.stage_step);
  }
  return fmt::format("{}, step {}: evaluation {}", transcript.stage, transcript.stage_step,
                     transcript.set);
}

// The transcripts of a run, folded by where they come from and headed by their prompts.
std::string RunHtml(const RunData& run, const RewardRange& range) {
  std::string html;
  std::string group;
  const Transcript* before = nullptr;
  for (const Transcript& transcript : run.transcripts) {
    const std::string title = GroupTitle(transcript);
    if (before == nullptr || title != group) {
      if (before != nullptr) html += "</div></details>";
      // What the run ended with lies open.
      const bool last_stage = transcript.stage == run.stages.back().name;
      html += fmt::format("<details{}><summary>{}</summary><div class=\"group\">",
                          last_stage ? " open" : "", Escaped(title));
      group = title;
      before = nullptr;
    }
    if (before == nullptr || before->ordinal != transcript.ordinal) {
      html += fmt::format(R"(<p class="prompt">{} <span>expected {}</span></p>)",
                          Escaped(transcript.prompt), Escaped(transcript.reference));
    }
    html += SampleHtml(transcript, range);
    before = &transcript;
  }
  return html.empty() ? html : html + "</div></details>";
}

}  // namespace

int ProbabilityLevel(double logprob) {
  constexpr std::array<double, 6> kBounds{0.95, 0.8, 0.6, 0.4, 0.2, 0.05};
  const double probability = std::exp(logprob);
  int level = 0;
  for (const double bound : kBounds) level += probability < bound ? 1 : 0;
  return level;
}

std::string TranscriptsHtml(const std::vector<RunData>& runs) {
  const RewardRange range = RangeOf(runs);
  const std::vector<std::string> labels = RunLabels(runs);
  std::string body;
  for (size_t run = 0; run < runs.size(); ++run) {
    const std::string html = RunHtml(runs[run], range);
    if (html.empty()) continue;
    if (runs.size() > 1) body += "<h3>" + Escaped(labels[run]) + "</h3>";
    body += html;
  }
  if (body.empty()) return body;
  return R"(<input type="radio" name="colour" id="by-probability" checked>)"
         R"(<label for="by-probability">by token probability</label>)"
         R"(<input type="radio" name="colour" id="by-reward"><label for="by-reward">by reward</label>)"
         R"(<input type="radio" name="colour" id="by-nothing"><label for="by-nothing">plain</label>)"
         R"(<p class="key probability">probability <i class="p6">below .05</i> <i class="p5">.2</i> )"
         R"(<i class="p4">.4</i> <i class="p3">.6</i> <i class="p2">.8</i> <i class="p1">.95</i> )"
         R"(<i>above</i>. Underlined tokens were not sampled.</p>)" +
         fmt::format(
             R"(<p class="key reward">reward <i class="k1">{}</i> <i class="k2">&#8239;</i> )"
             R"(<i class="k3">&#8239;</i> <i class="k4">&#8239;</i> <i class="k5">{}</i></p>)",
             Escaped(ShortNumber(range.low)), Escaped(ShortNumber(range.high))) +
         "<div class=\"transcripts\">" + body + "</div>";
}

}  // namespace ponder::report
