// A deterministic fuzz test: mutations of a valid file either parse to a header that is true of the
// bytes or are refused as bad data. Meant to run under the sanitizers as well.
#include <gtest/gtest.h>

#include <algorithm>
#include <cinttypes>
#include <cstdio>

#include "core/base/error.h"
#include "core/base/philox.h"
#include "core/weights/safetensors.h"

namespace ponder {
namespace {

constexpr uint64_t kNumMutations = 100'000;

std::string ValidFile() {
  static const std::string kData(64, 'x');
  return SerializeSafetensors({{{.name = "w.0", .dtype = DType::kF32, .shape = {2, 3}},
                                std::string_view(kData).substr(0, 24)},
                               {{.name = "w.1", .dtype = DType::kBF16, .shape = {5}},
                                std::string_view(kData).substr(0, 10)},
                               {{.name = "none", .dtype = DType::kI64, .shape = {0}}, ""},
                               {{.name = "flag", .dtype = DType::kBool, .shape = {}},
                                std::string_view(kData).substr(0, 1)}},
                              {{"note", "caf\u00e9"}});
}

// Moves the whole range of one tensor: its size stays right, its place does not.
std::string MoveRange(const std::string& file, uint64_t which, uint64_t delta) {
  constexpr std::string_view kKey = "\"data_offsets\":[";
  size_t at = 0;
  for (uint64_t index = 0; index <= which; ++index) {
    at = file.find(kKey, at);
    if (at == std::string::npos) return file;
    at += kKey.size();
  }
  uint64_t begin = 0;
  uint64_t end = 0;
  if (std::sscanf(file.c_str() + at, "%" SCNu64 ",%" SCNu64, &begin, &end) != 2) return file;
  const size_t close = file.find(']', at);
  if (close == std::string::npos) return file;
  std::string range = std::to_string(begin + delta) + "," + std::to_string(end + delta);
  // The header keeps its length: the padding gives way.
  range.resize(std::max(range.size(), close - at), ' ');
  const size_t longer = range.size() - (close - at);
  std::string moved = file;
  moved.replace(at, close - at, range);
  const size_t padding = moved.find("}}");
  if (padding != std::string::npos) moved.erase(padding + 2, longer);
  return moved;
}

// One to four edits; half of the edited bytes come from JSON's own alphabet, so that many mutants
// get past the parser.
std::string Mutate(const std::string& file, const RandomStream& random) {
  static constexpr std::string_view kAlphabet = "{}[]\",:0123456789-+.eE\\u \tabFU";
  std::string mutant = file;
  uint32_t position = 0;
  const uint64_t num_edits = 1 + random.Below(position++, 4);
  for (uint64_t edit = 0; edit < num_edits && !mutant.empty(); ++edit) {
    const uint64_t at = random.Below(position++, mutant.size());
    const auto byte = static_cast<char>(random.Below(position++, 2) == 0
                                            ? kAlphabet[random.Below(position++, kAlphabet.size())]
                                            : static_cast<char>(random.Below(position++, 256)));
    switch (random.Below(position++, 7)) {
      case 0:
        mutant[at] = byte;
        break;
      case 1:
        mutant[at] = static_cast<char>(mutant[at] ^ (1 << random.Below(position++, 8)));
        break;
      case 2:
        mutant.insert(at, 1, byte);
        break;
      case 3:
        mutant.erase(at, 1 + random.Below(position++, 8));
        break;
      case 4:
        mutant.resize(at);
        break;
      case 5: {
        const uint64_t which = random.Below(position++, 4);
        mutant = MoveRange(mutant, which, 1 + random.Below(position++, 40));
        break;
      }
      default: {
        const std::string piece = mutant.substr(at, 1 + random.Below(position++, 40));
        mutant.insert(random.Below(position++, mutant.size()), piece);
        break;
      }
    }
  }
  return mutant;
}

// What a parsed header promises about the bytes.
void ExpectConsistent(const std::string& file, const SafetensorsHeader& header) {
  ASSERT_LE(header.data_begin, file.size());
  uint64_t end = 0;
  for (const TensorSpec& tensor : header.tensors) {
    ASSERT_TRUE(IsSafeTensorName(tensor.name));
    ASSERT_EQ(tensor.offset, end);
    end += tensor.num_bytes();
  }
  ASSERT_EQ(end, file.size() - header.data_begin);
}

TEST(SafetensorsFuzz, MutantsParseConsistentlyOrAreRefused) {
  const std::string valid = ValidFile();
  uint64_t num_parsed = 0;
  uint64_t num_refused = 0;
  for (uint64_t trial = 0; trial < kNumMutations; ++trial) {
    const std::string mutant =
        Mutate(valid, RandomStream(/*seed=*/69, RandomPurpose::kTest, trial, /*sample=*/0));
    try {
      ExpectConsistent(mutant, ParseSafetensors(mutant, "mutant"));
      ++num_parsed;
    } catch (const Error& error) {
      ASSERT_EQ(error.condition(), Condition::kBadData)
          << "trial " << trial << ": " << error.what();
      ++num_refused;
    }
    if (HasFatalFailure()) FAIL() << "trial " << trial;
  }
  std::printf(
      "%llu mutants: %llu parsed, %llu refused\n", static_cast<unsigned long long>(kNumMutations),
      static_cast<unsigned long long>(num_parsed), static_cast<unsigned long long>(num_refused));
  // Both ways must be exercised, or the mutations are too tame or too wild to show anything.
  EXPECT_GT(num_parsed, kNumMutations / 100);
  EXPECT_GT(num_refused, kNumMutations / 2);
}

}  // namespace
}  // namespace ponder
