// The machinery behind the declarations of keys. A Section binds the keys of one struct to its
// members; each key is declared once, and reading, writing, comparing and documenting all go by
// that declaration.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/config/experiment.h"
#include "core/config/problems.h"
#include "core/config/scalars.h"
#include "core/config/yaml_node.h"

namespace ponder {

// What a declaration says about a key beside its type and range.
struct KeySpec {
  std::string name;
  std::string help;  // one line
  std::string unit = "-";
  KeyClass key_class = KeyClass::kExact;
  bool required = false;
  // Written and documented only when it differs from the default: the default means "not given".
  bool omit_default = false;
  // Documented instead of the default's own text.
  std::string default_text{};
  // The key of the same section without which this one does nothing: alone it is refused, and it
  // is not written.
  std::string needs{};
};

// Keys that only some kinds of a struct take, by the value of its selector ("algorithm", "type"). A
// key that no kind lists is taken by all.
struct Kind {
  std::string name;
  std::vector<std::string> keys;
};

class Section;

// One declared key, with the struct's type erased: `object` is the struct that holds the member.
struct Key {
  KeySpec spec;
  std::string type;   // "whole number", "list of sections" ...
  std::string range;  // "1 or more"; "-" when any value is taken
  // Reads `node` into the member. `path` is the key's own ("stages[2].clip").
  std::function<void(const YamlNode& node, const std::string& path, void* object, Problems*)> read;
  std::function<YamlNode(const void* object)> write;
  std::function<YamlNode()> write_default;
  const Section* child =
      nullptr;  // of sections, and of lists and maps of sections; static lifetime
  // How the path goes on below this key in the documentation: "", "[]" (list) or ".NAME" (map).
  std::string child_suffix{};
};

// Immutable once built. Sections refer to their children by pointer, so those must outlive them:
// they are function-local constants of the files that declare them.
class Section {
 public:
  // A key that reads one scalar. Member types: int64_t, uint64_t, double, bool, std::string.
  template <typename Struct>
  void Int(int64_t Struct::*member, KeySpec spec, IntLimits limits) {
    AddScalar<Struct>(
        member, std::move(spec), "whole number", RangeText(limits),
        [limits](const YamlNode& node, std::string* error) { return ReadInt(node, limits, error); },
        WriteInt);
  }
  // A whole number, or one word that stands for `word_value`, which lies outside the limits.
  template <typename Struct>
  void IntOrWord(int64_t Struct::*member, KeySpec spec, IntLimits limits, const std::string& word,
                 int64_t word_value) {
    AddScalar<Struct>(
        member, std::move(spec), "whole number", RangeText(limits) + ", or " + word,
        [=](const YamlNode& node, std::string* error) {
          return ReadIntOrWord(node, limits, word, word_value, error);
        },
        [=](int64_t value) { return value == word_value ? WriteText(word) : WriteInt(value); });
  }
  template <typename Struct>
  void Unsigned(uint64_t Struct::*member, KeySpec spec) {
    AddScalar<Struct>(member, std::move(spec), "whole number", "below 2^64", ReadUnsigned,
                      WriteUnsigned);
  }
  template <typename Struct>
  void Real(double Struct::*member, KeySpec spec, RealLimits limits) {
    AddScalar<Struct>(
        member, std::move(spec), "number", RangeText(limits),
        [limits](const YamlNode& node, std::string* error) {
          return ReadReal(node, limits, error);
        },
        WriteReal);
  }
  template <typename Struct>
  void Flag(bool Struct::*member, KeySpec spec) {
    AddScalar<Struct>(member, std::move(spec), "truth value", "true or false", ReadFlag, WriteFlag);
  }
  template <typename Struct>
  void Text(std::string Struct::*member, KeySpec spec, const TextRule& rule) {
    const bool choice = rule.form == TextRule::Form::kChoice;
    const std::string range = choice ? RangeText(rule) : "-";
    const std::string type = choice                                 ? "choice"
                             : rule.form == TextRule::Form::kPath   ? "path"
                             : rule.form == TextRule::Form::kText   ? "text"
                             : rule.form == TextRule::Form::kMetric ? "metric"
                                                                    : "name";
    AddScalar<Struct>(
        member, std::move(spec), type, range,
        [rule](const YamlNode& node, std::string* error) { return ReadText(node, rule, error); },
        WriteText);
  }
  // An enumeration by its names.
  template <typename Struct, typename Enum>
  void Choice(Enum Struct::*member, KeySpec spec, std::vector<std::pair<std::string, Enum>> names) {
    TextRule rule{.form = TextRule::Form::kChoice, .choices = {}};
    for (const auto& [name, value] : names) rule.choices.push_back(name);
    AddScalar<Struct>(
        member, std::move(spec), "choice", RangeText(rule),
        [rule, names](const YamlNode& node, std::string* error) {
          std::optional<Enum> result;
          const std::optional<std::string> text = ReadText(node, rule, error);
          if (!text) return result;
          for (const auto& row : names) {
            if (row.first == *text) result = row.second;
          }
          return result;
        },
        [names](Enum value) {
          for (const auto& row : names) {
            if (row.second == value) return WriteText(row.first);
          }
          return YamlNode{};
        });
  }

  // A list of scalars.
  template <typename Struct>
  void RealList(std::vector<double> Struct::*member, KeySpec spec, RealLimits limits) {
    AddScalarList<Struct>(
        member, std::move(spec), "list of numbers", "each " + RangeText(limits),
        [limits](const YamlNode& node, std::string* error) {
          return ReadReal(node, limits, error);
        },
        WriteReal);
  }
  template <typename Struct>
  void NameList(std::vector<std::string> Struct::*member, KeySpec spec) {
    AddScalarList<Struct>(
        member, std::move(spec), "list of names", "-",
        [](const YamlNode& node, std::string* error) { return ReadText(node, {}, error); },
        WriteText);
  }

  // A program with its arguments: one or more texts, or one text that the shell makes words of.
  template <typename Struct>
  void CommandLine(std::vector<std::string> Struct::*member, KeySpec spec) {
    const TextRule rule{.form = TextRule::Form::kText, .choices = {}};
    AddScalarList<Struct>(
        member, std::move(spec), "list of texts", "1 or more entries",
        [rule](const YamlNode& node, std::string* error) { return ReadText(node, rule, error); },
        WriteText);
    Key& key = keys_.back();
    key.read = [read = key.read](const YamlNode& node, const std::string& path, void* object,
                                 Problems* problems) {
      YamlNode words = node;
      if (node.kind == YamlNode::Kind::kScalar) {
        words = YamlNode::OfKind(YamlNode::Kind::kList);
        words.place = node.place;
        words.items = {YamlNode::Scalar("/bin/sh"), YamlNode::Scalar("-c"), node};
      } else if (node.kind == YamlNode::Kind::kList && node.items.empty()) {
        problems->AddAt(node.place, path, "expected a program, got an empty list");
      }
      read(words, path, object, problems);
    };
  }

  // A section below this one.
  template <typename Struct, typename Inner>
  void Nested(Inner Struct::*member, KeySpec spec, const Section& child) {
    Key key = MakeKey(std::move(spec), "section", "-", &child, "");
    key.read = [member, &child](const YamlNode& node, const std::string& path, void* object,
                                Problems* problems) {
      child.Read(node, path, &(static_cast<Struct*>(object)->*member), problems);
    };
    key.write = [member, &child](const void* object) {
      return child.Write(&(static_cast<const Struct*>(object)->*member));
    };
    Push<Struct>(std::move(key));
  }

  // A list of `min_entries` or more sections, each with a `name` that occurs once.
  template <typename Struct, typename Inner>
  void NamedList(std::vector<Inner> Struct::*member, KeySpec spec, size_t min_entries,
                 const Section& child) {
    Key key = MakeKey(std::move(spec), "list of sections",
                      min_entries == 0 ? "-" : std::to_string(min_entries) + " or more entries",
                      &child, "[]");
    key.read = [member, min_entries, &child](const YamlNode& node, const std::string& path,
                                             void* object, Problems* problems) {
      auto& list = static_cast<Struct*>(object)->*member;
      list.resize(CheckedListSize(node, path, min_entries, problems));
      for (size_t i = 0; i < list.size(); ++i) {
        child.Read(node.items[i], path + "[" + std::to_string(i) + "]", &list[i], problems);
      }
      CheckNamesDiffer(node, path, problems);
    };
    key.write = [member, &child](const void* object) {
      YamlNode node = YamlNode::OfKind(YamlNode::Kind::kList);
      for (const Inner& item : static_cast<const Struct*>(object)->*member) {
        node.items.push_back(child.Write(&item));
      }
      return node;
    };
    Push<Struct>(std::move(key));
  }

  // One or more sections by name; the name becomes the member `name` of each.
  template <typename Struct, typename Inner>
  void NamedMap(std::vector<Inner> Struct::*member, KeySpec spec, const Section& child) {
    Key key = MakeKey(std::move(spec), "sections by name", "1 or more entries", &child, ".NAME");
    key.read = [member, &child](const YamlNode& node, const std::string& path, void* object,
                                Problems* problems) {
      auto& list = static_cast<Struct*>(object)->*member;
      list.clear();
      for (const YamlEntry* entry : CheckedNames(node, path, problems)) {
        list.emplace_back();
        list.back().name = entry->key;
        child.Read(entry->value, path + "." + entry->key, &list.back(), problems);
      }
    };
    key.write = [member, &child](const void* object) {
      YamlNode node = YamlNode::OfKind(YamlNode::Kind::kMap);
      for (const Inner& item : static_cast<const Struct*>(object)->*member) {
        node.entries.push_back({item.name, {}, child.Write(&item)});
      }
      return node;
    };
    Push<Struct>(std::move(key));
  }

  // Only the keys of the kind that the key `selector` (declared before) says are taken.
  void SelectBy(std::string selector, std::vector<Kind> kinds) {
    selector_ = std::move(selector);
    kinds_ = std::move(kinds);
  }

  // A key that people look for here and that is elsewhere, or nowhere: `hint` ends the message
  // about it. What verl, TRL and OpenRLHF call their keys is in foreign_keys.h.
  void Foreign(std::string name, std::string hint) {
    foreign_.emplace_back(std::move(name), std::move(hint));
  }

  // Reads a map into the struct. Every problem is added: not a map, duplicate, unknown, missing or
  // not taken keys, and those of the values. Members whose keys are absent or wrong keep their
  // values.
  void Read(const YamlNode& node, const std::string& path, void* object, Problems* problems) const;
  // All keys that the struct takes, in the order of declaration.
  YamlNode Write(const void* object) const;
  // All keys, whatever takes them, with the values of a struct that nothing was read into.
  YamlNode Defaults() const;

  const std::vector<Key>& keys() const { return keys_; }
  const std::string& selector() const { return selector_; }
  // The kinds that take `key`; empty when all do.
  std::vector<std::string> KindsThatTake(const std::string& key) const;
  const Key* Find(const std::string& name) const;

 private:
  template <typename Struct, typename Value, typename Reader, typename Writer>
  void AddScalar(Value Struct::*member, KeySpec spec, std::string type, std::string range,
                 Reader reader, Writer writer) {
    Key key = MakeKey(std::move(spec), std::move(type), std::move(range), nullptr, "");
    key.read = [member, reader](const YamlNode& node, const std::string& path, void* object,
                                Problems* problems) {
      std::string error;
      auto value = reader(node, &error);
      if (value) {
        static_cast<Struct*>(object)->*member = *std::move(value);
      } else {
        problems->AddAt(node.place, path, error);
      }
    };
    key.write = [member, writer](const void* object) {
      return writer(static_cast<const Struct*>(object)->*member);
    };
    Push<Struct>(std::move(key));
  }

  template <typename Struct, typename Value, typename Reader, typename Writer>
  void AddScalarList(std::vector<Value> Struct::*member, KeySpec spec, std::string type,
                     std::string range, Reader reader, Writer writer) {
    Key key = MakeKey(std::move(spec), std::move(type), std::move(range), nullptr, "");
    key.read = [member, reader](const YamlNode& node, const std::string& path, void* object,
                                Problems* problems) {
      std::vector<Value> values;
      const size_t size = CheckedListSize(node, path, 0, problems);
      for (size_t i = 0; i < size; ++i) {
        std::string error;
        auto value = reader(node.items[i], &error);
        if (value) {
          values.push_back(*std::move(value));
        } else {
          problems->AddAt(node.items[i].place, path + "[" + std::to_string(i) + "]", error);
          problems->Distrust(path);
        }
      }
      static_cast<Struct*>(object)->*member = std::move(values);
    };
    key.write = [member, writer](const void* object) {
      YamlNode node = YamlNode::OfKind(YamlNode::Kind::kList);
      for (const Value& value : static_cast<const Struct*>(object)->*member) {
        node.items.push_back(writer(value));
      }
      return node;
    };
    Push<Struct>(std::move(key));
  }

  template <typename Struct>
  void Push(Key key) {
    key.write_default = [write = key.write] {
      const Struct defaults{};
      return write(&defaults);
    };
    keys_.push_back(std::move(key));
  }

  static Key MakeKey(KeySpec spec, std::string type, std::string range, const Section* child,
                     std::string child_suffix);
  // The number of entries; with a problem when `node` is no list or has too few.
  static size_t CheckedListSize(const YamlNode& node, const std::string& path, size_t min_entries,
                                Problems* problems);
  static void CheckNamesDiffer(const YamlNode& list, const std::string& path, Problems* problems);
  // The entries whose keys are good names, each once.
  static std::vector<const YamlEntry*> CheckedNames(const YamlNode& map, const std::string& path,
                                                    Problems* problems);
  // Tells about keys whose `needs` is not there.
  void CheckNeeds(const YamlNode& map, const std::string& path, Problems* problems) const;
  // The kind that the selector says, or null when it says none that exists.
  const Kind* KindOf(const YamlNode& map) const;
  bool Takes(const Kind* kind, const std::string& key) const;
  std::string UnknownKeyText(const Kind* kind, const std::string& name,
                             const std::string& path) const;

  std::vector<Key> keys_;
  std::string selector_;
  std::vector<Kind> kinds_;
  std::vector<std::pair<std::string, std::string>> foreign_;  // name, hint
};

}  // namespace ponder
