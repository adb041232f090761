# shellcheck shell=bash
# For the scripts of this folder, which wait for the last stage of tiny_smoke.yaml. Their $runs is run.dir, the run is
# called run.
: "${runs:?}"

# Steps of the last stage that are written.
steps_done() { grep -c '"stage": "reason"' "$runs/run/metrics.jsonl" 2>/dev/null || true; }

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# wait_for_steps N PID: until the last stage has written N lines; fails when the process ends first.
wait_for_steps() {
  local tries
  for ((tries = 0; tries < 1200; ++tries)); do
    [ "$(steps_done)" -ge "$1" ] 2>/dev/null && return
    kill -0 "$2" 2>/dev/null || fail "the trainer ended before step $1 of the last stage"
    sleep 0.1
  done
  fail "no step $1 of the last stage within two minutes"
}
