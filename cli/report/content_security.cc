#include "cli/report/content_security.h"

#include <openssl/evp.h>

#include <array>

#include "core/base/error.h"

namespace ponder::report {
namespace {

// 'sha256-BASE64' of the text between the tags.
std::string HashSource(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  PONDER_CHECK(EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) ==
               1)
      << "SHA-256 of " << text.size() << " bytes failed";
  std::array<unsigned char, 2 * EVP_MAX_MD_SIZE> base64{};
  const int length = EVP_EncodeBlock(base64.data(), digest.data(), static_cast<int>(size));
  return "'sha256-" + std::string(base64.begin(), base64.begin() + length) + "'";
}

}  // namespace

std::string ContentSecurityPolicy(std::string_view style, std::string_view script) {
  return "default-src 'none'; style-src " + HashSource(style) + "; script-src " +
         HashSource(script) + "; base-uri 'none'; form-action 'none'";
}

}  // namespace ponder::report
