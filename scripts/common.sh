# Sourced by the scripts of this folder: where things are, what they say, how long they took.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
DEPS_DIR=${PONDER_DEPS_DIR:-$ROOT/.deps}
PRESET=${PONDER_PRESET:-dev}
BUILD_DIR=$ROOT/build/$PRESET
JOBS=${PONDER_JOBS:-2}
# The checks are made for LLVM 14: other versions format and warn differently.
[ ! -d /usr/lib/llvm-14/bin ] || PATH=/usr/lib/llvm-14/bin:$PATH

say() { printf '%s\n' "== $*"; }
fail() {
  printf '%s\n' "error: $*" >&2
  exit 1
}

# timed LABEL COMMAND...: runs a program or shell function and prints seconds and, for a program, the peak
# memory of its largest process.
timed() {
  local label=$1 start seconds peak status=0 report
  shift
  start=$(date +%s)
  if [ -x /usr/bin/time ] && [ "$(type -t "$1")" = file ]; then
    report=$(mktemp)
    /usr/bin/time -f %M -o "$report" "$@" || status=$?
    peak=$(tail -n 1 "$report")
    rm -f "$report"
  else
    "$@" || status=$?
  fi
  seconds=$(($(date +%s) - start))
  if [ -n "${peak:-}" ]; then
    say "$label: $seconds s, peak memory $((peak / 1024)) MiB"
  else
    say "$label: $seconds s"
  fi
  return $status
}
