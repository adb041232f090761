// Which streams of ordinals (core/base/philox.h) belong to whom.
#pragma once

#include <cstdint>

namespace ponder {

// Stage i of an experiment draws from stream 1 + i, evaluation j from kEvaluationStreams + j, what
// belongs to none of them from 0.
inline constexpr uint16_t kEvaluationStreams = 0x8000;

}  // namespace ponder
