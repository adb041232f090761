// Text to token ids and back.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ponder {

// Bytes [begin, end) of a text.
struct ByteSpan {
  uint32_t begin = 0;
  uint32_t end = 0;
  bool operator==(const ByteSpan&) const = default;
};

// Tokens and, for each, the bytes of the text that it stands for; an empty span for tokens that no
// text stands behind. Spans ascend; they overlap only where a character is split over tokens.
struct Encoding {
  std::vector<uint32_t> ids;
  std::vector<ByteSpan> spans;
};

struct EncodeOptions {
  // Where special tokens are recognised, ascending and disjoint. Elsewhere text that looks like a
  // special token stays text: untrusted text cannot forge them.
  std::span<const ByteSpan> trusted = {};
  // Also what the tokenizer puts around every text, such as a token that begins it.
  bool add_special_tokens = false;
};

// Immutable; thread safe.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  virtual uint32_t vocab_size() const = 0;
  // The token that ends an answer.
  virtual uint32_t eos_id() const = 0;
  // Throws Error(kBadData) that names what cannot be encoded and its place.
  virtual Encoding EncodeWithSpans(std::string_view text, const EncodeOptions& options) const = 0;
  // The ids of untrusted text.
  std::vector<uint32_t> Encode(std::string_view text) const {
    return EncodeWithSpans(text, {}).ids;
  }
  // Ids at or above vocab_size throw Error(kBadData). Special tokens are left out.
  virtual std::string Decode(std::span<const uint32_t> ids) const = 0;
  // The text of one token, special tokens included, for display.
  virtual std::string TokenText(uint32_t id) const = 0;
};

// One token per symbol; text is symbols separated by single spaces. Ids follow the order of
// `symbols`; those in `special` are never decoded, and encoded from trusted text alone. Nothing is
// put around a text.
class SymbolTokenizer : public Tokenizer {
 public:
  SymbolTokenizer(std::vector<std::string> symbols, const std::vector<std::string>& special,
                  const std::string& eos);
  uint32_t vocab_size() const override { return static_cast<uint32_t>(symbols_.size()); }
  uint32_t eos_id() const override { return eos_id_; }
  Encoding EncodeWithSpans(std::string_view text, const EncodeOptions& options) const override;
  std::string Decode(std::span<const uint32_t> ids) const override;
  std::string TokenText(uint32_t id) const override;

 private:
  std::vector<std::string> symbols_;
  std::vector<bool> is_special_;
  std::map<std::string, uint32_t, std::less<>> ids_;
  uint32_t eos_id_ = 0;
};

}  // namespace ponder
