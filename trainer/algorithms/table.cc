// The table of algorithms.
#include <array>

#include "core/base/error.h"
#include "trainer/algorithms/algorithm.h"
#include "trainer/algorithms/evaluate.h"
#include "trainer/algorithms/grpo.h"
#include "trainer/algorithms/sft.h"

namespace ponder {
namespace {

struct Row {
  std::string_view name;
  std::unique_ptr<Algorithm> (*make)(const AlgorithmContext& context);
};

constexpr std::array kAlgorithms = {
    Row{"evaluate", &MakeEvaluate},
    Row{"grpo", &MakeGrpo},
    Row{"sft", &MakeSft},
};

}  // namespace

std::unique_ptr<Algorithm> MakeAlgorithm(const AlgorithmContext& context) {
  std::string names;
  for (const Row& row : kAlgorithms) {
    if (row.name == context.stage.algorithm) return row.make(context);
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  }
  throw ConfigError("making stage '" + context.stage.name + "': expected an algorithm (" + names +
                    "), got '" + context.stage.algorithm + "'");
}

}  // namespace ponder
