#include "cli/inspect/weights_facts.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/weights/safetensors.h"

namespace ponder {
namespace {

constexpr const char* kIndexName = "model.safetensors.index.json";
constexpr std::string_view kExtension = ".safetensors";
constexpr size_t kMaxJsonBytes = 32u << 20;
// What a person asks of an architecture first. Others stay in config.json.
constexpr const char* kArchitectureKeys[] = {"model_type",          "hidden_size",
                                             "num_hidden_layers",   "num_attention_heads",
                                             "num_key_value_heads", "head_dim",
                                             "intermediate_size",   "vocab_size",
                                             "tie_word_embeddings", "max_position_embeddings"};

WeightsFile SurveyOne(FileSystem& files, const std::string& path, const std::string& name,
                      ContentsWanted wanted) {
  WeightsFile file;
  file.name = name;
  file.size = files.FileSize(path);
  try {
    const SafetensorsHeader header = ReadSafetensorsHeader(files, path);
    file.metadata = header.metadata;
    for (const TensorSpec& spec : header.tensors) {
      TensorFacts tensor{spec, {}, {}};
      if (wanted.any()) {
        TensorContents contents =
            ReadTensorContents(files, path, header.data_begin + spec.offset, spec);
        if (wanted.digests) tensor.sha256 = std::move(contents.sha256);
        if (wanted.statistics) tensor.statistics = contents.statistics;
      }
      file.tensors.push_back(std::move(tensor));
    }
  } catch (const Error& error) {
    file.problem = error.what();
  }
  return file;
}

void ReadArchitecture(FileSystem& files, WeightsFacts* facts) {
  const std::string path = facts->path + "/config.json";
  if (!files.Exists(path)) {
    facts->problems.push_back("config.json is missing: the architecture is not known");
    return;
  }
  try {
    const nlohmann::json config =
        ParseJsonStrict(files.ReadFile(path, kMaxJsonBytes), path, kMaxJsonBytes);
    if (!config.is_object()) throw Error(Condition::kBadData, path + ": expected an object");
    for (const char* key : kArchitectureKeys) {
      const auto it = config.find(key);
      if (it == config.end() || it->is_structured()) continue;
      facts->architecture.emplace_back(key, it->is_string() ? it->get<std::string>() : it->dump());
    }
  } catch (const Error& error) {
    facts->problems.emplace_back(error.what());
  }
}

struct Index {
  std::map<std::string, std::string> file_of;  // by tensor
  std::optional<uint64_t> total_size;          // bytes of all tensors
};

Index ParseIndex(FileSystem& files, const std::string& path) {
  const nlohmann::json root =
      ParseJsonStrict(files.ReadFile(path, kMaxJsonBytes), path, kMaxJsonBytes);
  const auto refuse = [&path](const std::string& what) {
    throw Error(Condition::kBadData, "reading " + path + ": " + what);
  };
  if (!root.is_object() || !root.contains("weight_map") || !root["weight_map"].is_object()) {
    refuse("expected an object with a weight_map");
  }
  Index index;
  for (const auto& [tensor, file] : root["weight_map"].items()) {
    if (!file.is_string()) refuse("tensor '" + tensor + "': expected the name of a file");
    const auto name = file.get<std::string>();
    if (name.empty() || name.find('/') != std::string::npos || !name.ends_with(kExtension)) {
      refuse("tensor '" + tensor + "': expected a safetensors file of this folder, got '" + name +
             "'");
    }
    index.file_of.emplace(tensor, name);
  }
  const auto metadata = root.find("metadata");
  if (metadata != root.end() && metadata->is_object() && metadata->contains("total_size") &&
      (*metadata)["total_size"].is_number_unsigned()) {
    index.total_size = (*metadata)["total_size"].get<uint64_t>();
  }
  return index;
}

// Whether index and shards tell the same: each tensor once, where the index has it.
void CompareWithIndex(const Index& index, WeightsFacts* facts) {
  std::map<std::string, std::string> found;
  uint64_t num_bytes = 0;
  bool all_sound = true;
  for (const WeightsFile& file : facts->files) {
    all_sound = all_sound && file.problem.empty();
    for (const TensorFacts& tensor : file.tensors) {
      num_bytes += tensor.spec.num_bytes();
      const auto [it, is_new] = found.emplace(tensor.spec.name, file.name);
      if (!is_new) {
        facts->problems.push_back("tensor '" + tensor.spec.name +
                                  "' is in two shards: " + it->second + " and " + file.name);
      }
    }
  }
  if (!all_sound) return;  // what is missing then has its reason already
  for (const auto& [tensor, file] : index.file_of) {
    const auto it = found.find(tensor);
    if (it == found.end() || it->second != file) {
      facts->problems.push_back(
          "tensor '" + tensor + "': the index has it in " + file +
          (it == found.end() ? ", no shard has it" : ", it is in " + it->second));
    }
  }
  for (const auto& [tensor, file] : found) {
    if (!index.file_of.contains(tensor)) {
      facts->problems.push_back("tensor '" + tensor + "' of " + file + " is not in the index");
    }
  }
  if (index.total_size && *index.total_size != num_bytes) {
    facts->problems.push_back("total_size of the index: expected the tensors' " +
                              std::to_string(num_bytes) + " bytes, got " +
                              std::to_string(*index.total_size));
  }
}

std::set<std::string> SafetensorsNames(FileSystem& files, const std::string& folder) {
  std::set<std::string> names;
  for (const std::string& name : files.List(folder)) {
    if (name.ends_with(kExtension)) names.insert(name);
  }
  return names;
}

}  // namespace

bool WeightsFacts::IsSound() const {
  return problems.empty() && std::all_of(files.begin(), files.end(), [](const WeightsFile& file) {
           return file.problem.empty();
         });
}

uint64_t WeightsFacts::num_tensors() const {
  uint64_t count = 0;
  for (const WeightsFile& file : files) count += file.tensors.size();
  return count;
}

uint64_t WeightsFacts::num_elements() const {
  uint64_t count = 0;
  for (const WeightsFile& file : files) {
    for (const TensorFacts& tensor : file.tensors) count += tensor.spec.num_elements();
  }
  return count;
}

WeightsFacts SurveyWeightsFile(FileSystem& files, const std::string& path, ContentsWanted wanted) {
  WeightsFacts facts;
  facts.path = path;
  facts.files.push_back(SurveyOne(files, path, path.substr(path.rfind('/') + 1), wanted));
  return facts;
}

WeightsFacts SurveyModelFolder(FileSystem& files, const std::string& folder,
                               ContentsWanted wanted) {
  WeightsFacts facts;
  facts.path = folder;
  ReadArchitecture(files, &facts);
  std::set<std::string> names = SafetensorsNames(files, folder);
  std::optional<Index> index;
  if (files.Exists(folder + "/" + kIndexName)) {
    try {
      index = ParseIndex(files, folder + "/" + kIndexName);
      for (const auto& [tensor, file] : index->file_of) names.insert(file);
    } catch (const Error& error) {
      facts.problems.emplace_back(error.what());
    }
  }
  for (const std::string& name : names) {
    const std::string path = folder + "/" + name;
    if (files.Exists(path)) {
      facts.files.push_back(SurveyOne(files, path, name, wanted));
    } else {
      facts.files.push_back({.name = name, .problem = path + ": the shard is missing"});
    }
  }
  if (index) CompareWithIndex(*index, &facts);
  return facts;
}

bool IsModelFolder(FileSystem& files, const std::string& folder) {
  return files.Exists(folder + "/" + kIndexName) || !SafetensorsNames(files, folder).empty();
}

}  // namespace ponder
