#!/usr/bin/env bash
# The first process of a pod in which the MPI operator starts ranks: runs COMMAND (sshd), and when the pod is asked
# to end (SIGTERM), sees that the run saves first.
#
#   rank_pod.sh COMMAND
#
# Rank 0 alone decides that a run stops, and may be in another pod. So this one creates STOP_FILE, on the volume that
# the pods share; mpirun_saving.sh, in the launcher's pod, then asks every rank. sshd by itself would end at once and
# take the ranks of the pod with it.
set -euo pipefail

asked=no
trap 'asked=yes' TERM
# Names of programs, since there is no ps in the image. orted is Open MPI's daemon, which outlives its ranks.
has_ranks() { grep -qsxE 'ponder_trainer|orted' /proc/[0-9]*/comm; }

"$@" &
while [ $asked = no ]; do
  kill -0 $! 2>/dev/null || exit 1
  sleep 1
done
if has_ranks; then touch "$STOP_FILE"; fi
while has_ranks; do sleep 1; done
