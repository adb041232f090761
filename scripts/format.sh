#!/usr/bin/env bash
# Formats the C++ and proto sources; with --check only says which files differ and fails.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$ROOT"
mapfile -t files < <(git ls-files '*.h' '*.cc')
if [ "${1:-}" = --check ]; then
  clang-format --dry-run --Werror "${files[@]}"
  say "format: ${#files[@]} files"
else
  clang-format -i "${files[@]}"
fi
