#include "core/usage/option_checks.h"

#include <fmt/format.h>

#include <functional>
#include <utility>

#include "core/config/nearest_name.h"
#include "core/config/yaml_node.h"

namespace ponder {
namespace {

// `read`: of core/config/scalars.h, with its limits.
template <typename Read>
CLI::Validator CheckOf(const Read& read, std::string description) {
  return {[read](std::string& text) {
            std::string problem;
            read(YamlNode::Scalar(text), &problem);
            return problem;
          },
          std::move(description)};
}

}  // namespace

CLI::Validator WholeNumber(const IntLimits& limits) {
  return CheckOf(
      [limits](const YamlNode& node, std::string* error) { return ReadInt(node, limits, error); },
      limits.max < IntLimits{}.max ? fmt::format("{}..{}", limits.min, limits.max) : "");
}

CLI::Validator UnsignedNumber() { return CheckOf(ReadUnsigned, ""); }

CLI::Validator RealNumber(const RealLimits& limits) {
  return CheckOf(
      [limits](const YamlNode& node, std::string* error) { return ReadReal(node, limits, error); },
      fmt::format("{}..{}", limits.min, limits.max));
}

CLI::Validator OneOf(const std::vector<std::string>& names) {
  return CheckOf(
      [rule = TextRule{.form = TextRule::Form::kChoice, .choices = names}](
          const YamlNode& node, std::string* error) { return ReadText(node, rule, error); },
      fmt::format("{{{}}}", fmt::join(names, ",")));
}

}  // namespace ponder
