#include "trainer/group_exchange.h"

#include "trainer/checkpoint/group_file.h"

namespace ponder {

void BroadcastString(Communicator& comm, std::string* text, bool patient, int root) {
  uint64_t size = text->size();
  const CommBuffer header{&size, 1, DType::kU64, nullptr};
  if (patient) {
    comm.PatientBroadcast(header, root);
  } else {
    comm.Broadcast(header, root);
  }
  text->resize(size);
  if (size > 0) comm.Broadcast({text->data(), size, DType::kU8, nullptr}, root);
}

std::vector<TrajectoryGroup> BroadcastGroups(Communicator& comm,
                                             std::vector<TrajectoryGroup> groups) {
  std::string bytes;
  if (comm.rank() == 0) bytes = SerializeGroups(groups);
  BroadcastString(comm, &bytes, /*patient=*/false);
  std::vector<TrajectoryGroup> exchanged = ParseGroups(bytes, "groups from rank 0");
  if (comm.rank() == 0) {
    for (size_t index = 0; index < groups.size(); ++index) {
      exchanged[index].generate_s = groups[index].generate_s;
      exchanged[index].score_s = groups[index].score_s;
    }
  }
  return exchanged;
}

}  // namespace ponder
