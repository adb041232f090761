#!/usr/bin/env bash
# Starts deploy/slurm/ponder.sbatch three times, as Slurm does with a job that is queued again, with a trainer that
# ends with 75 each time.
#
#   failing_job.sh RUN_DIR stuck    no start makes a checkpoint; the last reward service does not listen to SIGTERM
#   failing_job.sh RUN_DIR saving   every start makes a checkpoint
set -euo pipefail
runs=$1
how=$2
export FAKE_SLURM_REQUEUED=$runs/requeued SLURM_JOB_ID=$$ SLURM_NTASKS=4 SLURM_CPUS_PER_TASK=2 SLURM_JOB_NODELIST=here
mkdir "$runs/bin"
export PATH=$runs/bin:$PONDER_SOURCE_DIR/tests/integration/fake_slurm:$PONDER_BIN_DIR:$PATH
cd "$runs"

# program NAME COMMAND: stands for one of ours.
program() {
  printf '#!/usr/bin/env bash\n%s\n' "$2" >"$runs/bin/$1"
  chmod +x "$runs/bin/$1"
}
program ponder_rollout 'exec sleep 600'
program ponder_reward 'exec sleep 600'
for start in 1 2 3; do
  make_checkpoint=
  [ "$how" != saving ] || make_checkpoint="mkdir -p '$runs/run/checkpoints/step_00000$start';"
  program ponder_trainer "$make_checkpoint exit 75"
  [ "$how$start" != stuck3 ] || program ponder_reward "trap '' TERM; echo deaf >&2; exec sleep 600"
  status=0
  SLURM_RESTART_COUNT=$((start - 1)) bash "$PONDER_SOURCE_DIR/deploy/slurm/ponder.sbatch" \
    "$PONDER_SOURCE_DIR/configs/tiny_smoke.yaml" --set run.dir="$runs" --set run.name=run || status=$?
  echo "start $start ended with $status; times queued again: $(grep -c . "$FAKE_SLURM_REQUEUED" || true)"
done
