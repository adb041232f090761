// Tensors of one file, as every page and every JSON shows them.
#pragma once

#include <nlohmann/json.hpp>
#include <vector>

#include "cli/inspect/weights_facts.h"
#include "cli/text_page.h"

namespace ponder {

// dtype, shape, size and name; below them statistics and digests where there are any.
void AddTensors(const std::vector<TensorFacts>& tensors, TextPage* page);

nlohmann::ordered_json TensorsJson(const std::vector<TensorFacts>& tensors);

}  // namespace ponder
