// What safetensors files hold: one file, or a Hugging Face folder with its shards.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/inspect/tensor_statistics.h"
#include "core/base/file.h"
#include "core/weights/flat_layout.h"

namespace ponder {

// What to read of the tensors besides the header.
struct ContentsWanted {
  bool digests = false;
  bool statistics = false;
  bool any() const { return digests || statistics; }
};

struct TensorFacts {
  TensorSpec spec;  // offset: from the beginning of the file's data
  // When wanted.
  std::optional<std::string> sha256{};
  std::optional<TensorStatistics> statistics{};
};

struct WeightsFile {
  std::string name{};  // within the folder
  uint64_t size = 0;
  std::map<std::string, std::string> metadata{};
  std::vector<TensorFacts> tensors{};  // in the order of the file
  std::string problem{};               // empty: the header is sound and fits the file
};

struct WeightsFacts {
  std::string path;
  std::vector<std::pair<std::string, std::string>> architecture;  // keys of config.json
  std::vector<WeightsFile> files;
  std::vector<std::string> problems;  // of the folder as a whole: index, shards, config.json

  bool IsSound() const;
  uint64_t num_tensors() const;
  uint64_t num_elements() const;
};

// One safetensors file. Never throws for what is in the file; throws Error(kIo) when it is not
// there.
WeightsFacts SurveyWeightsFile(FileSystem& files, const std::string& path, ContentsWanted wanted);

// A folder as transformers writes it: config.json and model.safetensors, or
// model.safetensors.index.json and its shards. An index that names files
// elsewhere is a problem. Throws Error(kIo) when the folder cannot be listed.
WeightsFacts SurveyModelFolder(FileSystem& files, const std::string& folder, ContentsWanted wanted);

// True when the folder has an index or at least one safetensors file.
bool IsModelFolder(FileSystem& files, const std::string& folder);

}  // namespace ponder
