#!/usr/bin/env bash
# Runs deploy/slurm/ponder.sbatch on one machine, by stand-ins for Slurm's programs, tells it of its pre-emption
# while the last stage samples, and starts it again when it has been queued again.
#
#   preempted_job.sh RUN_DIR
set -euo pipefail
runs=$1
export FAKE_SLURM_REQUEUED=$runs/requeued SLURM_JOB_ID=$$ SLURM_NTASKS=4 SLURM_JOB_NODELIST=here
export PATH=$PONDER_SOURCE_DIR/tests/integration/fake_slurm:$PONDER_BIN_DIR:$PATH PONDER_PROGRESS=lines

start() {
  bash "$PONDER_SOURCE_DIR/deploy/slurm/ponder.sbatch" "$PONDER_SOURCE_DIR/configs/tiny_smoke.yaml" \
    --set run.dir="$runs" --set run.name=run &
  job=$!
}

start
for ((tries = 0; tries < 1200; ++tries)); do
  [ "$(grep -c '"stage": "reason"' "$runs/run/metrics.jsonl" 2>/dev/null || true)" -ge 3 ] 2>/dev/null && break
  kill -0 $job || { echo "the job ended before it could be told" >&2; exit 1; }
  sleep 0.1
done
kill -USR1 $job
status=0
wait $job || status=$?
echo "the job ended with $status; queued again: $(cat "$FAKE_SLURM_REQUEUED" 2>/dev/null || echo nothing)"
[ $status = 75 ] && [ "$(cat "$FAKE_SLURM_REQUEUED")" = "$SLURM_JOB_ID" ] || exit 1
export SLURM_RESTART_COUNT=1
start
wait $job
