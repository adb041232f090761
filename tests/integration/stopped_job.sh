#!/usr/bin/env bash
# Starts two ranks by deploy/mpirun_saving.sh, asks for a stop while the last stage samples, and starts them again.
#
#   stopped_job.sh RUN_DIR launcher   SIGTERM to mpirun_saving.sh
#   stopped_job.sh RUN_DIR pod        SIGTERM to deploy/kubernetes/rank_pod.sh, which is the first process of a pid
#                                     namespace with the ranks; exits with 77 and the reason where there can be none
set -euo pipefail
runs=$1
how=$2
. "$PONDER_SOURCE_DIR/tests/integration/last_stage.sh"
readonly ADDRESS=127.0.0.1:39431
export PONDER_PROGRESS=lines OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 STOP_FILE=
[ "$how" = launcher ] || STOP_FILE=$runs/stop

start() {
  "$PONDER_SOURCE_DIR/deploy/mpirun_saving.sh" -np 2 --bind-to none "$PONDER_BIN_DIR/ponder_trainer" \
    --config "$PONDER_SOURCE_DIR/configs/tiny_smoke.yaml" --set run.dir="$runs" --set run.name=run \
    --listen $ADDRESS &
  job=$!
}

# stop PID: starts, and sends SIGTERM to the process, or without one to the job, in the last stage.
stop() {
  local status=0
  start
  wait_for_steps 3 $job
  kill -TERM "${1:-$job}"
  wait $job || status=$?
  echo "the job ended with $status"
}

if [ "$how" = inside_pod ]; then
  stop 1
  exit
fi
if [ "$how" = pod ]; then
  problem=$(unshare --pid --fork --mount-proc true 2>&1) || { echo "skipped: no pid namespace: $problem"; exit 77; }
fi
"$PONDER_BIN_DIR/ponder_reward" --trainer $ADDRESS &
pids=($!)
"$PONDER_BIN_DIR/ponder_rollout" --trainer $ADDRESS &
pids+=($!)
trap 'kill "${pids[@]}" 2>/dev/null || true; wait "${pids[@]}" || true' EXIT
if [ "$how" = pod ]; then
  # Stands for Open MPI's daemon, which reports the end of its ranks.
  ln -s "$(command -v bash)" "$runs/orted"
  unshare --pid --fork --kill-child --mount-proc "$PONDER_SOURCE_DIR/deploy/kubernetes/rank_pod.sh" \
    "$runs/orted" "$0" "$runs" inside_pod
  echo "the pod ended with 0"
else
  stop
fi
start
wait $job
