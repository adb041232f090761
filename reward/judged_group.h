// What judges see of a group.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/types.h"

namespace ponder {

// One completion as judges see it. Borrowed views of a request.
struct JudgedCompletion {
  std::string_view text;  // what the policy wrote; never the prompt
  FinishReason finish_reason = FinishReason::kStop;
};

// The completions of one prompt. Borrowed views of a request.
struct JudgedGroup {
  const Prompt& prompt;
  std::vector<JudgedCompletion> completions;  // one or more
};

}  // namespace ponder
