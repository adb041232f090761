#include "core/base/program.h"

#include <google/protobuf/stubs/common.h>
#include <grpc/grpc.h>
#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <climits>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>

#include "core/base/error.h"

namespace ponder {

int RunMain(const std::string& role, int argc, char** argv,
            const std::function<int(int, char**)>& body) {
  setenv("GRPC_ENABLE_FORK_SUPPORT", "0", /*overwrite=*/1);
  // gRPC's own lines repeat, less clearly, what comes back as a status; a caller may ask for them.
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);
  std::signal(SIGPIPE, SIG_IGN);
  {
    // gRPC's threads inherit the mask of this moment: a signal that the program watches for must
    // not be delivered to one of them.
    sigset_t watched;
    sigset_t before;
    sigemptyset(&watched);
    for (const int number : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&watched, number);
    pthread_sigmask(SIG_BLOCK, &watched, &before);
    // Never matched by grpc_shutdown: the last shutdown can stall for ten seconds in this version.
    grpc_init();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  try {
    return body(argc, argv);
  } catch (const Error& error) {
    std::fprintf(stderr, "%s: error: %s\n", role.c_str(), error.what());
    return error.exit_code();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: internal error: %s\n", role.c_str(), error.what());
    return RowOf(Condition::kInternal).exit_code;
  }
}

std::chrono::milliseconds Milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<int64_t>(seconds * 1000));
}

std::string RandomId() {
  std::ifstream stream("/proc/sys/kernel/random/uuid");
  std::string id;
  stream >> id;
  PONDER_CHECK(!id.empty()) << "the system gave no random id";
  return id;
}

std::string UniqueProcessName() {
  constexpr size_t kNumDigits = 4;
  char host[HOST_NAME_MAX + 1] = {};
  if (gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  return (host[0] == '\0' ? std::string("host") : std::string(host)) + "-" +
         std::to_string(getpid()) + "-" + RandomId().substr(0, kNumDigits);
}

std::string VersionText(const std::string& program) {
  return program + " " + PONDER_VERSION + " (gRPC " + grpc::Version() + ", protobuf " +
         google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION) + ", " +
#ifdef PONDER_FAILPOINTS
         "with failpoints, " +
#endif
         "compiler " + __VERSION__ + ")";
}

}  // namespace ponder
