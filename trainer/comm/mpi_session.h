// MPI's own lifetime in this process.
#pragma once

#include <mpi.h>

#include <string>

namespace ponder {

// The launcher's environment against what MPI sees: empty when they agree, else one line that says
// what to do. Arguments: the values of OMPI_COMM_WORLD_SIZE and PMI_SIZE, null when unset, and
// MPI's own size.
std::string WorldSizeProblem(const char* open_mpi_size, const char* pmi_size, int world_size);

// Starts MPI and owns a private copy of the world communicator whose errors come back as codes. At
// most one per process, ever: MPI cannot be started twice. Main thread only.
class MpiSession {
 public:
  // Throws CommError when MPI does not start or lacks MPI_THREAD_FUNNELED, Error(kConfig) by
  // WorldSizeProblem.
  MpiSession();
  // Finalizes, unless MarkFailed was called.
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  MPI_Comm comm() const { return comm_; }
  int rank() const { return rank_; }
  int size() const { return size_; }
  // Peers can no longer be waited for: the destructor leaves MPI as it is.
  void MarkFailed() { failed_ = true; }

 private:
  MPI_Comm comm_ = MPI_COMM_NULL;
  int rank_ = 0;
  int size_ = 1;
  bool failed_ = false;
};

}  // namespace ponder
