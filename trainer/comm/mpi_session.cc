#include "trainer/comm/mpi_session.h"

#include <cstdlib>

#include "core/base/error.h"
#include "trainer/comm/mpi_wait.h"

namespace ponder {
namespace {

void CheckMpi(int code, const std::string& what) {
  if (code != MPI_SUCCESS) throw CommError(what + ": " + MpiErrorText(code));
}

}  // namespace

std::string WorldSizeProblem(const char* open_mpi_size, const char* pmi_size, int world_size) {
  const char* launched = open_mpi_size != nullptr ? open_mpi_size : pmi_size;
  if (launched == nullptr || std::atoi(launched) <= 1 || world_size != 1) return "";
  return std::string("MPI start: the launcher started ") + launched +
         " processes, but each sees a world of 1 (mpirun belongs to another MPI installation than "
         "the one this program was built with: use the mpirun of Open MPI that 'ldd' shows)";
}

MpiSession::MpiSession() {
  int initialized = 0;
  CheckMpi(MPI_Initialized(&initialized), "MPI start");
  if (initialized != 0) {
    throw CommError(
        "MPI start: expected to be the first in this process, but MPI was already "
        "started (it cannot be started twice)");
  }
  int provided = MPI_THREAD_SINGLE;
  CheckMpi(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI start");
  CheckMpi(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI error handler");
  if (provided < MPI_THREAD_FUNNELED) {
    throw CommError("MPI start: expected MPI_THREAD_FUNNELED, got thread level " +
                    std::to_string(provided) + " (this MPI was built without thread support)");
  }
  CheckMpi(MPI_Comm_size(MPI_COMM_WORLD, &size_), "MPI world size");
  CheckMpi(MPI_Comm_rank(MPI_COMM_WORLD, &rank_), "MPI rank");
  const std::string problem =
      WorldSizeProblem(std::getenv("OMPI_COMM_WORLD_SIZE"), std::getenv("PMI_SIZE"), size_);
  if (!problem.empty()) {
    MPI_Finalize();
    throw Error(Condition::kConfig, problem);
  }
  // A copy keeps our messages apart from those of any library that uses the world. It inherits the
  // error handler.
  CheckMpi(MPI_Comm_dup(MPI_COMM_WORLD, &comm_), "MPI communicator");
}

MpiSession::~MpiSession() {
  if (failed_) return;
  MPI_Comm_free(&comm_);
  MPI_Finalize();
}

}  // namespace ponder
