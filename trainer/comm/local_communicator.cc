// The backend of one rank: the shared code with nobody to exchange with.
#include <cstring>

#include "core/base/error.h"
#include "trainer/comm/exchange_communicator.h"

namespace ponder {
namespace {

class LocalCommunicator final : public ExchangeCommunicator {
 public:
  LocalCommunicator() : ExchangeCommunicator(uint64_t{1} << 22) {}

  int rank() const override { return 0; }
  int size() const override { return 1; }
  std::string_view backend() const override { return "local"; }
  void Barrier() override {}
  void SetTimeout(std::chrono::milliseconds /*timeout*/) override {}
  [[noreturn]] void Abort(const std::string& reason, int exit_code) override {
    throw CommError("the run ends with exit code " + std::to_string(exit_code) + ": " + reason);
  }

 protected:
  void Exchange(std::span<const Transfer> sends, std::span<const Transfer> receives,
                const Operation& operation) override {
    PONDER_CHECK(sends.empty() && receives.empty()) << operation.name << " with one rank";
  }
  void BroadcastBytes(const Operation& /*operation*/, int /*root*/, bool /*patient*/) override {}
  void Fold(std::span<const void* const> pieces, uint64_t count, FoldKind kind, void* out,
            const Operation& operation) override {
    FoldInRankOrder(pieces, count, operation.buffer.dtype, kind, out);
  }
  void Copy(void* to, const void* from, uint64_t bytes, const Operation& /*operation*/) override {
    std::memcpy(to, from, bytes);
  }
  void* Scratch(uint64_t /*bytes*/) override { return nullptr; }
};

}  // namespace

std::unique_ptr<Communicator> MakeLocalCommunicator() {
  return std::make_unique<LocalCommunicator>();
}

}  // namespace ponder
