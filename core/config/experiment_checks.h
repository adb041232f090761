// What a single key cannot say about itself: references, and keys that must agree.
#pragma once

#include <string>

#include "core/config/experiment.h"
#include "core/config/problems.h"
#include "core/config/yaml_node.h"

namespace ponder {

// Adds every problem, placed at the key in `root` that it is about, or at the nearest section that
// holds it. Keys that `problems` already knows are not looked at again.
void CheckExperiment(const ExperimentConfig& config, const YamlNode& root, Problems* problems);

// What is wrong with the prompt of a language model that judges: no {response}, or a misspelled
// placeholder. Empty: nothing.
std::string ProblemOfTemplate(const std::string& text);

// The steps of an sft stage whose length is data.num_epochs. The last step is filled up from the
// next epoch, so that a stage with more epochs has the same beginning.
int64_t StepsOfEpochs(const StageConfig& stage);

// Where `key` ("stages[2].clip.low") was written, or what comes nearest to it.
YamlPlace PlaceOfKey(const YamlNode& root, const std::string& key);

}  // namespace ponder
