// Everything that is wrong with an experiment file, collected and told at once.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "core/config/yaml_node.h"

namespace ponder {

// Not thread safe.
class Problems {
 public:
  // `path` and `overrides` name the places in the text.
  Problems(std::string path, std::vector<std::string> overrides)
      : path_(std::move(path)), overrides_(std::move(overrides)) {}

  // "configs/x.yaml:12:5: TEXT" or "--set a.b: TEXT", without what a.b was set to: it may be long,
  // or a secret in the wrong place.
  void Add(const YamlPlace& place, std::string text);
  // The same with "KEY: TEXT", unless the override names that key already; remembers that `key`
  // ("stages[2].clip") is not to be trusted.
  void AddAt(const YamlPlace& place, const std::string& key, const std::string& text);
  // Marks a key whose value says less than its writer meant, for a reason that is told elsewhere.
  void Distrust(const std::string& key) { keys_.insert(key); }
  // "configs/x.yaml: TEXT": the file as a whole. Comes first.
  void AddToFile(std::string text);

  bool empty() const { return problems_.empty(); }
  // Whether AddAt or Distrust was called with this key: checks that build on it would tell more
  // than is wrong.
  bool Has(const std::string& key) const { return keys_.contains(key); }

  // One problem a line, the file's first and by line, then the overrides' in their order; the first
  // hundred, and how many there are beyond.
  std::string Text() const;
  // Throws ConfigError(Text()) unless empty.
  void ThrowIfAny() const;

 private:
  struct Problem {
    YamlPlace place;
    std::string text;
  };

  std::string path_;
  std::vector<std::string> overrides_;
  std::vector<Problem> problems_;
  std::set<std::string> keys_;
};

}  // namespace ponder
