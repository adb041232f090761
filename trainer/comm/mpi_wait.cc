#include "trainer/comm/mpi_wait.h"

#include <array>

namespace ponder {
namespace {

std::string FailureOf(int code, const std::vector<MPI_Status>& statuses) {
  if (code != MPI_ERR_IN_STATUS) return MpiErrorText(code);
  for (const MPI_Status& status : statuses) {
    if (status.MPI_ERROR != MPI_SUCCESS && status.MPI_ERROR != MPI_ERR_PENDING) {
      return MpiErrorText(status.MPI_ERROR) + " (do the ranks agree on operation and counts?)";
    }
  }
  return MpiErrorText(code);
}

}  // namespace

std::string MpiErrorText(int code) {
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  if (MPI_Error_string(code, text.data(), &length) != MPI_SUCCESS) {
    return "MPI error " + std::to_string(code);
  }
  return {text.data(), static_cast<size_t>(length)};
}

std::string WaitForAll(std::vector<MPI_Request>& requests, const WaitLimits& limits,
                       std::vector<MPI_Status>* statuses) {
  statuses->resize(requests.size());
  Pacer pacer(limits);
  while (true) {
    int done = 0;
    const int code =
        MPI_Testall(static_cast<int>(requests.size()), requests.data(), &done, statuses->data());
    if (code != MPI_SUCCESS) return FailureOf(code, *statuses);
    if (done != 0) return "";
    std::string cause = pacer.Pause();
    if (!cause.empty()) return cause;
  }
}

}  // namespace ponder
