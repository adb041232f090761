#!/usr/bin/env bash
# mpirun for trainers: SIGTERM to this script makes them save. mpirun itself answers SIGTERM by ending the ranks
# within seconds, but hands SIGUSR1 on to them, on which the trainer saves and ends with 75.
#
#   deploy/mpirun_saving.sh ARGUMENTS OF mpirun
#
# STOP_FILE, as an environment variable: a file that asks for the same when it appears; removed at the start.
# Ends with the exit code of mpirun.
set -euo pipefail

asked=no
told=no
trap 'asked=yes' TERM
[ -z "${STOP_FILE:-}" ] || rm -f "$STOP_FILE"

mpirun "$@" &
mpirun=$!
while kill -0 "$mpirun" 2>/dev/null; do
  [ -z "${STOP_FILE:-}" ] || [ ! -e "$STOP_FILE" ] || asked=yes
  # Once: a second signal ends a trainer at once.
  if [ $asked = yes ] && [ $told = no ]; then
    told=yes
    kill -USR1 "$mpirun" 2>/dev/null || true
  fi
  sleep 1 || true
done
status=0
wait "$mpirun" || status=$?
exit "$status"
