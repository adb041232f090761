#!/usr/bin/env bash
# Usage: run_page.sh PAGE. Does what a page of the documentation says, in order, in a copy of the sources in an
# empty folder. Of the page's fenced blocks, those marked
#   sh    are run by bash and must succeed,
#   diff  are applied to the sources and must fit,
#   text  are output of the block before them: each line must have been printed in this order, with any numbers
#         for its numbers and any space for its spaces.
set -euo pipefail
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
. "$source_dir/tests/source_copy.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/ponder" "$work/blocks"
cd "$work/ponder"
copy_sources "$source_dir"

# One file per block, NUMBER.KIND.
awk -v folder="$work/blocks" '
  /^```/ && inside { inside = 0; close(file); next }
  /^```(sh|diff|text)$/ { inside = 1; file = sprintf("%s/%03d.%s", folder, ++count, substr($0, 4)); printf "" > file; next }
  inside { print > file }' "$1"
[ -n "$(ls "$work/blocks")" ] || { echo "error: $1 has no block to run" >&2; exit 1; }

# Text with its numbers, and the space around words, made equal.
normalised() { sed -E 's/[0-9]+([.:,][0-9]+)*/N/g; s/[[:space:]]+/ /g; s/^ | $//g' "$@"; }

check_output() { # EXPECTED: its lines, in order, among those of output.txt
  awk 'NR == FNR { expected[++count] = $0; next }
       next_line < count && $0 == expected[next_line + 1] { ++next_line }
       END { if (next_line < count) { print "error: expected the line: " expected[next_line + 1]; exit 1 } }' \
    <(normalised "$1") <(normalised "$work/output.txt") >&2
}

for block in "$work"/blocks/*; do
  echo "== $(basename "$block")"
  cat "$block"
  case $block in
    *.sh) bash -euo pipefail "$block" 2>&1 | tee "$work/output.txt" ;;
    *.diff) git apply --verbose "$block" ;;
    *.text) check_output "$block" ;;
  esac
done
echo "all blocks of $1 did what the page says"
