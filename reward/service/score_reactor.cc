#include "reward/service/score_reactor.h"

#include "core/base/failpoint.h"
#include "core/base/rpc.h"

namespace ponder {

void ScoreReactor::Run(const JudgedRun& run) {
  Finish(HandleRpc([&] {
    if (is_cancelled_) {
      throw Error(Condition::kDeadline, "scoring a group: the caller gave up before it began");
    }
    if (run.score == nullptr) {
      throw Error(Condition::kUnavailable,
                  "scoring a group: this service is registering with the trainer");
    }
    if (request_.run_id() != run.run_id || request_.attempt() != run.attempt) {
      throw Error(Condition::kUnavailable, "scoring a group: expected run " + run.run_id +
                                               ", attempt " + std::to_string(run.attempt) +
                                               ", got run " + request_.run_id() + ", attempt " +
                                               std::to_string(request_.attempt()));
    }
    PONDER_FAILPOINT("reward.score");
    *reply_ = run.score(request_);
    PONDER_FAILPOINT("reward.reply");
  }));
}

void ScoreReactor::Refuse(const Error& error) { Finish(StatusOf(error)); }

}  // namespace ponder
