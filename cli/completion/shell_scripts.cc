#include "cli/completion/shell_scripts.h"

#include <algorithm>

namespace ponder {
namespace {

// `text` with a backslash before each of `special`.
std::string Escaped(const std::string& text, std::string_view special) {
  std::string escaped;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) escaped += '\\';
    escaped += c;
  }
  return escaped;
}

// As one word of bash or zsh.
std::string Quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

std::string FishQuoted(const std::string& text) { return "'" + Escaped(text, "\\'") + "'"; }

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

std::vector<std::string> NamesOf(const std::vector<CompletedOption>& options) {
  std::vector<std::string> names;
  for (const CompletedOption& option : options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
  }
  return names;
}

bool TakesKeys(const CompletedCommand& command) {
  return std::any_of(command.options.begin(), command.options.end(),
                     [](const CompletedOption& option) { return option.takes_key; });
}

std::string BashOperand(const CompletedCommand& command) {
  switch (command.operand) {
    case Operand::kNothing:
      return "";
    case Operand::kChoice:
      return "compgen -W " + Quoted(Joined(command.choices)) + " -- \"$current\"";
    case Operand::kExperiment:
      return "compgen -f -X '!*.y*ml' -- \"$current\"; compgen -d -- \"$current\"";
    case Operand::kRun:
      return "\"$ponder\" complete runs -- \"$current\" 2>/dev/null; compgen -f -- \"$current\"";
  }
  return "";
}

std::string ZshOperand(const CompletedCommand& command) {
  switch (command.operand) {
    case Operand::kNothing:
      return "";
    case Operand::kChoice:
      return Quoted("*:choice:(" + Joined(command.choices) + ")");
    case Operand::kExperiment:
      return Quoted("*:experiment:_files -g \"*.(yaml|yml)\"");
    case Operand::kRun:
      return Quoted("*:run:_ponder_runs");
  }
  return "";
}

// What follows -n CONDITION of fish; empty: nothing to offer.
std::string FishOperand(const CompletedCommand& command) {
  switch (command.operand) {
    case Operand::kNothing:
      return "";
    case Operand::kChoice:
      return "-a " + FishQuoted(Joined(command.choices));
    case Operand::kExperiment:
      return "-k -a '(__fish_complete_suffix .yaml)'";
    case Operand::kRun:
      return "-F -a '(ponder complete runs -- (commandline -ct) 2>/dev/null)'";
  }
  return "";
}

std::string ZshValue(const CompletedOption& option) {
  if (option.takes_key) return ":key:_ponder_keys";
  return option.takes_value ? ":value:_files" : "";
}

std::string ZshOptions(const std::vector<CompletedOption>& options) {
  std::string text;
  for (const CompletedOption& option : options) {
    for (const std::string& name : option.names) {
      const std::string help = "[" + Escaped(option.help, "[]:\\") + "]";
      text += " " + Quoted(name + help + ZshValue(option));
    }
  }
  return text;
}

std::string FishValue(const CompletedOption& option) {
  if (option.takes_key) {
    return " -x -a '(ponder complete keys -- (commandline -ct) (commandline -opc) 2>/dev/null"
           " | string replace -r \\$ =)'";
  }
  return option.takes_value ? " -r -F" : "";
}

std::string FishOptions(const std::string& condition, const std::vector<CompletedOption>& options) {
  std::string text;
  for (const CompletedOption& option : options) {
    text += "complete -c ponder -n " + FishQuoted(condition);
    for (const std::string& name : option.names) {
      text += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
    }
    text += FishValue(option) + " -d " + FishQuoted(option.help) + "\n";
  }
  return text;
}

}  // namespace

std::string BashCompletion(const CommandTree& tree) {
  std::vector<std::string> first = NamesOf(tree.options);
  std::string cases;
  for (const CompletedCommand& command : tree.commands) {
    first.push_back(command.name);
    const std::string operand = BashOperand(command);
    cases += "    " + command.name +
             ")\n      options=" + Quoted(Joined(NamesOf(command.options))) +
             (TakesKeys(command) ? " takes_keys=yes" : "") + "\n      operands=$(" +
             (operand.empty() ? ":" : operand) + ") ;;\n";
  }
  return "# Completion of ponder for bash.\n"
         "_ponder() {\n"
         "  local ponder=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]}\n"
         "  local options= takes_keys= operands= IFS=$' \\t\\n'\n"
         "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W " +
         Quoted(Joined(first)) +
         " -- \"$current\")\n"
         "    return\n"
         "  fi\n"
         "  case ${COMP_WORDS[1]} in\n" +
         cases +
         "  esac\n"
         "  if [[ $takes_keys && ${COMP_WORDS[COMP_CWORD-1]} == --set ]]; then\n"
         "    mapfile -t COMPREPLY < <(\"$ponder\" complete keys -- \"$current\" "
         "\"${COMP_WORDS[@]:2}\" 2>/dev/null)\n"
         "    COMPREPLY=(\"${COMPREPLY[@]/%/=}\")\n"
         "    compopt -o nospace 2>/dev/null\n"
         "  elif [[ $current == -* ]]; then\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$options\" -- \"$current\")\n"
         "  else\n"
         "    COMPREPLY=()\n"
         "    [[ $operands ]] && mapfile -t COMPREPLY <<< \"$operands\"\n"
         "    compopt -o filenames 2>/dev/null\n"
         "  fi\n"
         "}\n"
         "complete -F _ponder ponder\n";
}

std::string ZshCompletion(const CommandTree& tree) {
  std::string commands;
  std::string cases;
  for (const CompletedCommand& command : tree.commands) {
    commands += "    " + Quoted(command.name + ":" + Escaped(command.help, ":\\")) + "\n";
    cases += "    " + command.name + ")\n      _arguments" + ZshOptions(command.options) + " " +
             ZshOperand(command) + " ;;\n";
  }
  return "#compdef ponder\n"
         "# Completion of ponder for zsh.\n"
         "_ponder_runs() {\n"
         "  compadd -- ${(f)\"$(ponder complete runs -- \"$PREFIX\" 2>/dev/null)\"}\n"
         "  _files\n"
         "}\n"
         "_ponder_keys() {\n"
         "  compadd -S = -- "
         "${(f)\"$(ponder complete keys -- \"$PREFIX\" \"${words[@]}\" 2>/dev/null)\"}\n"
         "}\n"
         "_ponder() {\n"
         "  local -a commands\n"
         "  commands=(\n" +
         commands +
         "  )\n"
         "  if (( CURRENT == 2 )); then\n"
         "    _describe command commands\n"
         "    _arguments" +
         ZshOptions(tree.options) +
         "\n"
         "    return\n"
         "  fi\n"
         "  shift words\n"
         "  (( CURRENT-- ))\n"
         "  case $words[1] in\n" +
         cases +
         "  esac\n"
         "}\n"
         "compdef _ponder ponder\n";
}

std::string FishCompletion(const CommandTree& tree) {
  std::string text = "# Completion of ponder for fish.\ncomplete -c ponder -f\n";
  text += FishOptions("__fish_use_subcommand", tree.options);
  for (const CompletedCommand& command : tree.commands) {
    text += "complete -c ponder -n __fish_use_subcommand -a " + command.name + " -d " +
            FishQuoted(command.help) + "\n";
    const std::string condition = "__fish_seen_subcommand_from " + command.name;
    text += FishOptions(condition, command.options);
    const std::string operand = FishOperand(command);
    if (!operand.empty()) {
      text += "complete -c ponder -n " + FishQuoted(condition) + " " + operand + "\n";
    }
  }
  return text;
}

}  // namespace ponder
