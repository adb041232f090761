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

// Immutable; thread safe.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  virtual uint32_t vocab_size() const = 0;
  // The token that ends an answer.
  virtual uint32_t eos_id() const = 0;
  // Throws Error(kBadData) that names the unknown symbol and its place. Special tokens inside
  // `text` are not recognised: untrusted text cannot forge them.
  virtual std::vector<uint32_t> Encode(std::string_view text) const = 0;
  // Ids at or above vocab_size throw Error(kBadData). Special tokens are left out.
  virtual std::string Decode(std::span<const uint32_t> ids) const = 0;
  // The text of one token, special tokens included, for display.
  virtual std::string TokenText(uint32_t id) const = 0;
};

// One token per symbol; text is symbols separated by single spaces. Ids follow the order of
// `symbols`; those in `special` are never encoded from text and never decoded.
class SymbolTokenizer : public Tokenizer {
 public:
  SymbolTokenizer(std::vector<std::string> symbols, const std::vector<std::string>& special,
                  const std::string& eos);
  uint32_t vocab_size() const override { return static_cast<uint32_t>(symbols_.size()); }
  uint32_t eos_id() const override { return eos_id_; }
  std::vector<uint32_t> Encode(std::string_view text) const override;
  std::string Decode(std::span<const uint32_t> ids) const override;
  std::string TokenText(uint32_t id) const override;

 private:
  std::vector<std::string> symbols_;
  std::vector<bool> is_special_;
  std::map<std::string, uint32_t, std::less<>> ids_;
  uint32_t eos_id_ = 0;
};

}  // namespace ponder
