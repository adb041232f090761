#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/text/tokenizer.h"

namespace ponder {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

SymbolTokenizer Letters() { return SymbolTokenizer({"a", "b", "10"}, {"<pad>", "<eos>"}, "<eos>"); }

TEST(SymbolTokenizer, NumbersSymbolsInOrderAndSpecialsAfterThem) {
  const SymbolTokenizer tokenizer = Letters();
  EXPECT_EQ(tokenizer.vocab_size(), 5U);
  EXPECT_EQ(tokenizer.eos_id(), 4U);
  EXPECT_THAT(tokenizer.Encode("a b 10"), ElementsAre(0, 1, 2));
  EXPECT_EQ(tokenizer.TokenText(3), "<pad>");
}

TEST(SymbolTokenizer, DecodesWhatItEncoded) {
  const SymbolTokenizer tokenizer = Letters();
  const std::string text = "10 a a b";
  EXPECT_EQ(tokenizer.Decode(tokenizer.Encode(text)), text);
}

TEST(SymbolTokenizer, IgnoresExtraSpacesAndNothingElse) {
  const SymbolTokenizer tokenizer = Letters();
  EXPECT_THAT(tokenizer.Encode("  a   b "), ElementsAre(0, 1));
  EXPECT_THAT(tokenizer.Encode(""), ElementsAre());
  EXPECT_THROW(tokenizer.Encode("a\tb"), Error);
}

TEST(SymbolTokenizer, LeavesSpecialTokensOutOfText) {
  const SymbolTokenizer tokenizer = Letters();
  const std::vector<uint32_t> ids{3, 0, 4, 1, 4};
  EXPECT_EQ(tokenizer.Decode(ids), "a b");
}

TEST(SymbolTokenizer, RefusesTextThatForgesASpecialToken) {
  EXPECT_THROW(Letters().Encode("a <eos>"), Error);
}

TEST(SymbolTokenizer, RecognisesASpecialTokenInTrustedTextAlone) {
  const SymbolTokenizer tokenizer = Letters();
  const std::string text = "a <eos> b";
  const std::vector<ByteSpan> whole{{0, 9}};
  const std::vector<ByteSpan> part{{0, 4}};
  EXPECT_EQ(tokenizer.EncodeWithSpans(text, {.trusted = whole}).ids,
            (std::vector<uint32_t>{0, 4, 1}));
  EXPECT_THROW(tokenizer.EncodeWithSpans(text, {.trusted = part}), Error);
}

TEST(SymbolTokenizer, GivesTheBytesOfEveryToken) {
  const std::vector<ByteSpan> expected{{0, 1}, {2, 4}, {5, 6}};
  EXPECT_EQ(Letters().EncodeWithSpans("a 10 b", {}).spans, expected);
}

TEST(SymbolTokenizer, NamesTheUnknownSymbolAndItsPlace) {
  try {
    Letters().Encode("a b  9");
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_EQ(error.condition(), Condition::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("byte 5"));
    EXPECT_THAT(error.what(), HasSubstr("'9'"));
  }
}

TEST(SymbolTokenizer, RefusesIdsBeyondTheVocabulary) {
  const std::vector<uint32_t> ids{0, 5};
  EXPECT_THROW(Letters().Decode(ids), Error);
}

TEST(SymbolTokenizer, RefusesAVocabularyThatIsAmbiguous) {
  EXPECT_THROW(SymbolTokenizer({"a", "a"}, {"<eos>"}, "<eos>"), Error);
  EXPECT_THROW(SymbolTokenizer({"a", "<eos>"}, {"<eos>"}, "<eos>"), Error);
  EXPECT_THROW(SymbolTokenizer({"a b"}, {"<eos>"}, "<eos>"), Error);
  EXPECT_THROW(SymbolTokenizer({""}, {"<eos>"}, "<eos>"), Error);
  EXPECT_THROW(SymbolTokenizer({"a"}, {"<pad>"}, "<eos>"), Error);
}

}  // namespace
}  // namespace ponder
