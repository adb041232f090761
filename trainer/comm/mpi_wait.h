// Waiting for MPI without burning a core and without waiting forever.
#pragma once

#include <mpi.h>

#include <string>
#include <vector>

#include "trainer/comm/pacer.h"

namespace ponder {

// Tests `requests` until all are complete, pausing in between. Returns the empty string, or the
// cause of the failure, after which requests may still be active. `statuses` gets one entry per
// request.
std::string WaitForAll(std::vector<MPI_Request>& requests, const WaitLimits& limits,
                       std::vector<MPI_Status>* statuses);

// MPI's own text for an error code.
std::string MpiErrorText(int code);

}  // namespace ponder
