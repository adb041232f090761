#include "core/config/yaml_document.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <map>
#include <sstream>
#include <utility>
#include <vector>

namespace ponder {
namespace {

// What is wrong and where. Thrown, it ends the parse: going on would cost memory or meet the same
// trouble again.
struct Refusal {
  YamlPlace place;
  std::string text;
};

size_t CountNodes(const YamlNode& node) {
  size_t count = 1;
  for (const YamlNode& item : node.items) count += CountNodes(item);
  for (const YamlEntry& entry : node.entries) count += CountNodes(entry.value);
  return count;
}

size_t Height(const YamlNode& node) {
  size_t height = 0;
  for (const YamlNode& item : node.items) height = std::max(height, Height(item));
  for (const YamlEntry& entry : node.entries) height = std::max(height, Height(entry.value));
  return height + 1;
}

class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(int override_index, const YamlLimits& limits)
      : override_index_(override_index), limits_(limits) {
    root_.place.override_index = override_index;
  }

  YamlNode TakeRoot() { return std::move(root_); }
  // What is wrong although it could be parsed.
  const std::vector<Refusal>& notes() const { return notes_; }
  // Whether a value is missing from the tree, so that reading it would only make up problems.
  bool is_complete() const { return is_complete_; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (ExpectsKey()) {
      NoteBadKey(mark, "a key is missing before ':'");
      return;
    }
    YamlNode node;
    // An empty value has no place of its own: the parser points at whatever follows.
    node.place = stack_.empty() || stack_.back().node.kind != YamlNode::Kind::kMap
                     ? PlaceOf(mark)
                     : stack_.back().key_place;
    Attach(std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (ExpectsKey()) {
      NoteBadKey(mark, "expected a name as key, got an alias");
      return;
    }
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) throw Refusal{PlaceOf(mark), "an alias inside what it stands for"};
    CheckDepth(stack_.size() + Height(found->second), mark);
    Count(CountNodes(found->second), mark);
    Attach(found->second, 0);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    CheckTag(mark, tag);
    Count(1, mark);
    if (ExpectsKey()) {
      stack_.back().key = value;
      stack_.back().key_place = PlaceOf(mark);
      stack_.back().has_key = true;
      return;
    }
    YamlNode node =
        YamlNode::Scalar({}, tag == "!" ? YamlNode::Style::kQuoted : YamlNode::Style::kPlain);
    node.place = PlaceOf(mark);
    bool substituted = false;
    std::string error;
    const std::optional<std::string> text = ExpandEnvironment(value, &substituted, &error);
    if (text) {
      node.text = *text;
    } else {
      notes_.push_back({node.place, error});
      is_complete_ = false;
    }
    if (substituted) node.style = YamlNode::Style::kSubstituted;
    Attach(std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    Open(YamlNode::Kind::kList, mark, tag, anchor);
  }
  void OnSequenceEnd() override { CloseTop(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    Open(YamlNode::Kind::kMap, mark, tag, anchor);
  }
  void OnMapEnd() override { CloseTop(); }

 private:
  // A list or map that is not complete yet.
  struct Frame {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    bool is_key = false;  // a list or map where a key belongs
    bool has_key = false;
    bool has_bad_key = false;  // drop the value that follows
    std::string key;
    YamlPlace key_place;
  };

  YamlPlace PlaceOf(const YAML::Mark& mark) const {
    return {override_index_, mark.line + 1, mark.column + 1};
  }

  bool ExpectsKey() const {
    return !stack_.empty() && stack_.back().node.kind == YamlNode::Kind::kMap &&
           !stack_.back().has_key;
  }

  void CheckTag(const YAML::Mark& mark, const std::string& tag) {
    if (tag.empty() || tag == "?" || tag == "!") return;
    notes_.push_back({PlaceOf(mark), "YAML tags are not taken, got '" + tag + "'"});
  }

  void NoteBadKey(const YAML::Mark& mark, const std::string& text) {
    notes_.push_back({PlaceOf(mark), text});
    stack_.back().has_key = true;
    stack_.back().has_bad_key = true;
  }

  void Count(size_t nodes, const YAML::Mark& mark) {
    num_nodes_ += nodes;
    if (num_nodes_ > limits_.max_nodes) {
      throw Refusal{PlaceOf(mark), "expected at most " + std::to_string(limits_.max_nodes) +
                                       " values with aliases expanded, got more"};
    }
  }

  void CheckDepth(size_t depth, const YAML::Mark& mark) {
    if (depth > limits_.max_depth) {
      throw Refusal{PlaceOf(mark), "expected at most " + std::to_string(limits_.max_depth) +
                                       " levels of nesting, got more"};
    }
  }

  void Open(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
            YAML::anchor_t anchor) {
    CheckTag(mark, tag);
    Count(1, mark);
    Frame frame;
    frame.is_key = ExpectsKey();
    if (frame.is_key) NoteBadKey(mark, "expected a name as key, got a list or section");
    frame.node.kind = kind;
    frame.node.place = PlaceOf(mark);
    frame.anchor = anchor;
    stack_.push_back(std::move(frame));
    CheckDepth(stack_.size(), mark);
  }

  void CloseTop() {
    Frame frame = std::move(stack_.back());
    stack_.pop_back();
    if (!frame.is_key) Attach(std::move(frame.node), frame.anchor);
  }

  void Attach(YamlNode node, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = node;
    if (stack_.empty()) {
      root_ = std::move(node);
      return;
    }
    Frame& frame = stack_.back();
    if (frame.node.kind == YamlNode::Kind::kList) {
      frame.node.items.push_back(std::move(node));
      return;
    }
    if (!frame.has_bad_key) {
      frame.node.entries.push_back({std::move(frame.key), frame.key_place, std::move(node)});
    }
    frame.key.clear();
    frame.has_key = false;
    frame.has_bad_key = false;
  }

  const int override_index_;
  const YamlLimits limits_;
  YamlNode root_;
  std::vector<Frame> stack_;
  std::map<YAML::anchor_t, YamlNode> anchors_;
  size_t num_nodes_ = 0;
  std::vector<Refusal> notes_;
  bool is_complete_ = true;
};

// Refuses what the parser would misread or report far from its cause. False: do not parse.
bool LooksLikeText(const std::string& text, int override_index, Problems* problems) {
  bool fine = true;
  bool in_indentation = true;
  YamlPlace place{override_index, 1, 1};
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      place = {override_index, place.line + 1, 1};
      in_indentation = true;
      continue;
    }
    if (c == '\t' && in_indentation) {
      problems->Add(place, "indentation with a tab; use spaces");
      fine = false;
      in_indentation = false;  // one report a line
    }
    if (byte < 0x20 && c != '\t' && c != '\r') {
      problems->Add(place, "expected text, got the control character " + std::to_string(byte));
      return false;
    }
    if (c != ' ') in_indentation = false;
    ++place.column;
  }
  return fine;
}

bool IsVariableName(const std::string& name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0])) != 0) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
}

}  // namespace

std::optional<YamlNode> LoadYaml(const std::string& text, int override_index,
                                 const YamlLimits& limits, Problems* problems) {
  if (text.size() > limits.max_bytes) {
    problems->Add({override_index, 1, 1}, "expected at most " + std::to_string(limits.max_bytes) +
                                              " bytes, got " + std::to_string(text.size()));
    return std::nullopt;
  }
  if (!LooksLikeText(text, override_index, problems)) return std::nullopt;
  TreeBuilder builder(override_index, limits);
  try {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    // Without a document the root stays null.
    parser.HandleNextDocument(builder);
    YamlNode root = builder.TakeRoot();
    TreeBuilder next(override_index, limits);
    if (parser.HandleNextDocument(next)) {
      problems->Add(next.TakeRoot().place, "expected one YAML document, got a second one");
    }
    for (const Refusal& note : builder.notes()) problems->Add(note.place, note.text);
    if (builder.is_complete()) return root;
  } catch (const Refusal& refusal) {
    problems->Add(refusal.place, refusal.text);
  } catch (const YAML::Exception& error) {
    YamlPlace place{override_index, 1, 1};
    if (!error.mark.is_null()) place = {override_index, error.mark.line + 1, error.mark.column + 1};
    problems->Add(place, "not readable as YAML: " + error.msg);
  }
  return std::nullopt;
}

std::optional<std::string> ExpandEnvironment(const std::string& value, bool* substituted,
                                             std::string* error) {
  std::string result;
  size_t position = 0;
  while (true) {
    const size_t begin = value.find("${", position);
    if (begin == std::string::npos) break;
    const size_t end = value.find('}', begin);
    const std::string inside =
        end == std::string::npos ? std::string() : value.substr(begin + 2, end - begin - 2);
    const size_t separator = inside.find(":-");
    const std::string name = inside.substr(0, separator);
    if (!IsVariableName(name)) {
      *error = "expected ${NAME} or ${NAME:-default}, got '" + value.substr(begin, 40) + "'";
      return std::nullopt;
    }
    const char* found = std::getenv(name.c_str());
    // As in a shell, ":-" also replaces a variable that is set to nothing.
    const bool use_default = found == nullptr || (*found == '\0' && separator != std::string::npos);
    if (use_default && separator == std::string::npos) {
      *error = "the environment variable " + name + " is not set; set it, or write ${" + name +
               ":-default}";
      return std::nullopt;
    }
    result += value.substr(position, begin - position);
    result += use_default ? inside.substr(separator + 2) : std::string(found);
    *substituted = true;
    position = end + 1;
  }
  return result + value.substr(position);
}

}  // namespace ponder
