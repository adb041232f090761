#!/usr/bin/env bash
# Runs tiny_smoke.yaml on two "hosts", network namespaces with one link between them: the trainer on one, a
# worker and a reward service on the other.
#
#   two_hosts.sh RUN_DIR [CUT_SECONDS]
#
# With CUT_SECONDS the link goes down for so long while the last stage samples. Exits with the trainer's code,
# or with 77 and the reason where no namespaces can be made.
set -euo pipefail
bin=$PONDER_BIN_DIR
source=$PONDER_SOURCE_DIR
runs=$1
. "$source/tests/integration/last_stage.sh"
cut=${2:-0}
near=ponder_near_$$
far=ponder_far_$$
link=ponder$$
pids=()

cleanup() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  # The link goes with its namespaces.
  ip netns del "$near" 2>/dev/null || true
  ip netns del "$far" 2>/dev/null || true
}

command -v ip >/dev/null || { echo "skipped: there is no program 'ip' (install iproute2)"; exit 77; }
problem=$(ip netns add "$near" 2>&1) || { echo "skipped: no network namespace: $problem"; exit 77; }
trap cleanup EXIT
ip netns add "$far"
ip link add "${link}a" netns "$near" type veth peer name "${link}b" netns "$far"
ip -n "$near" addr add 10.213.7.1/30 dev "${link}a"
ip -n "$far" addr add 10.213.7.2/30 dev "${link}b"
for host in "$near" "$far"; do ip -n "$host" link set lo up; done
ip -n "$near" link set "${link}a" up
ip -n "$far" link set "${link}b" up

# What `ponder up` starts on one machine, here by hand on two.
PONDER_PROGRESS=lines ip netns exec "$near" "$source/scripts/mpirun.sh" -np 2 "$bin/ponder_trainer" \
  --config "$source/configs/tiny_smoke.yaml" --set run.dir="$runs" --set run.name=run \
  --set trainer.lease_s=3 --listen 10.213.7.1:5005 --insecure-allow-remote &
trainer=$!
ip netns exec "$far" "$bin/ponder_reward" --trainer 10.213.7.1:5005 --listen 10.213.7.2:0 \
  --insecure-allow-remote &
pids+=($!)
ip netns exec "$far" "$bin/ponder_rollout" --trainer 10.213.7.1:5005 --insecure-allow-remote &
pids+=($!)

if [ "$cut" != 0 ]; then
  wait_for_steps 3 $trainer
  ip -n "$far" link set "${link}b" down
  before=$(steps_done)
  sleep "$cut"
  after=$(steps_done)
  ip -n "$far" link set "${link}b" up
  echo "two_hosts: link down for $cut s at step $before of the last stage, up again at step $after"
  # At most the step whose groups were in already is finished without workers.
  [ "$after" -le $((before + 1)) ] || fail "the run went on without its workers"
fi
status=0
wait "$trainer" || status=$?
exit "$status"
