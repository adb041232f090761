#!/usr/bin/env bash
# Runs deploy/slurm/ponder.sbatch on one machine, by stand-ins for Slurm's programs, tells it of its pre-emption
# while the last stage samples, and starts it again when it has been queued again.
#
#   preempted_job.sh RUN_DIR
set -euo pipefail
runs=$1
. "$PONDER_SOURCE_DIR/tests/integration/last_stage.sh"
export FAKE_SLURM_REQUEUED=$runs/requeued SLURM_JOB_ID=$$ SLURM_NTASKS=4 SLURM_CPUS_PER_TASK=2 SLURM_JOB_NODELIST=here
export PATH=$PONDER_SOURCE_DIR/tests/integration/fake_slurm:$PONDER_BIN_DIR:$PATH PONDER_PROGRESS=lines
cd "$runs"

start() {
  bash "$PONDER_SOURCE_DIR/deploy/slurm/ponder.sbatch" "$PONDER_SOURCE_DIR/configs/tiny_smoke.yaml" \
    --set run.dir="$runs" --set run.name=run &
  job=$!
}

start
wait_for_steps 3 $job
kill -USR1 $job
status=0
wait $job || status=$?
echo "the job ended with $status; queued again: $(cat "$FAKE_SLURM_REQUEUED" 2>/dev/null || echo nothing)"
[ $status = 75 ] && [ "$(cat "$FAKE_SLURM_REQUEUED")" = "$SLURM_JOB_ID" ] || exit 1
export SLURM_RESTART_COUNT=1
start
wait $job
