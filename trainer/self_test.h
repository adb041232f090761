// What `ponder doctor` and `ponder inspect` ask the trainer, because only this program has
// LibTorch, MPI, NCCL and the CUDA runtime.
#pragma once

#include <string>

#include "core/base/file.h"
#include "core/config/experiment.h"
#include "trainer/comm/communicator.h"

namespace ponder {

// Tries what a run needs of this process and of its peers: a sum over all ranks, a call over gRPC
// on the loopback interface, the CUDA driver. Collective. Returns, on rank 0, one line of JSON:
// loaded libraries, versions, backend, ranks, devices. A part that fails is an "error" in its
// place. Throws CommError.
std::string SelfTestJson(Communicator& comm);

// {"policy": {"num_parameters": ..., "vocab_size": ..., "max_positions": ...}}: the models of an
// experiment, as one line of JSON. Throws as InitialDecoder does.
std::string DescribeModels(FileSystem& files, const ExperimentConfig& config);

}  // namespace ponder
