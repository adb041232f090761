#include <algorithm>

#include "core/base/error.h"
#include "core/text/tokenizer.h"

namespace ponder {

SymbolTokenizer::SymbolTokenizer(std::vector<std::string> symbols,
                                 const std::vector<std::string>& special, const std::string& eos)
    : symbols_(std::move(symbols)), is_special_(symbols_.size(), false) {
  for (const std::string& symbol : special) symbols_.push_back(symbol);
  is_special_.resize(symbols_.size(), true);
  bool has_eos = false;
  for (uint32_t id = 0; id < symbols_.size(); ++id) {
    const std::string& symbol = symbols_[id];
    PONDER_CHECK(!symbol.empty() && symbol.find(' ') == std::string::npos)
        << "symbol " << id << " must be a non-empty word, got '" << symbol << "'";
    PONDER_CHECK(ids_.emplace(symbol, id).second) << "symbol '" << symbol << "' appears twice";
    if (symbol == eos && is_special_[id]) {
      eos_id_ = id;
      has_eos = true;
    }
  }
  PONDER_CHECK(has_eos) << "the end token '" << eos << "' is not among the special symbols";
}

Encoding SymbolTokenizer::EncodeWithSpans(std::string_view text,
                                          const EncodeOptions& options) const {
  Encoding encoding;
  const auto is_trusted = [&](const ByteSpan& span) {
    return std::any_of(options.trusted.begin(), options.trusted.end(), [&](const ByteSpan& range) {
      return range.begin <= span.begin && span.end <= range.end;
    });
  };
  size_t begin = 0;
  while (begin < text.size()) {
    if (text[begin] == ' ') {
      ++begin;
      continue;
    }
    const size_t end = std::min(text.find(' ', begin), text.size());
    const ByteSpan span{static_cast<uint32_t>(begin), static_cast<uint32_t>(end)};
    const std::string_view symbol = text.substr(begin, end - begin);
    const auto found = ids_.find(symbol);
    if (found == ids_.end() || (is_special_[found->second] && !is_trusted(span))) {
      throw Error(Condition::kBadData,
                  "encoding text: expected a symbol of the vocabulary at byte " +
                      std::to_string(begin) + ", got '" + std::string(symbol.substr(0, 40)) + "'");
    }
    encoding.ids.push_back(found->second);
    encoding.spans.push_back(span);
    begin = end;
  }
  return encoding;
}

std::string SymbolTokenizer::Decode(std::span<const uint32_t> ids) const {
  std::string text;
  for (const uint32_t id : ids) {
    const std::string symbol = TokenText(id);
    if (is_special_[id]) continue;
    if (!text.empty()) text += ' ';
    text += symbol;
  }
  return text;
}

std::string SymbolTokenizer::TokenText(uint32_t id) const {
  if (id >= symbols_.size()) {
    throw Error(Condition::kBadData, "decoding tokens: expected an id below " +
                                         std::to_string(symbols_.size()) + ", got " +
                                         std::to_string(id));
  }
  return symbols_[id];
}

}  // namespace ponder
