#!/usr/bin/env bash
# snark-pair.sh: Groth16 proofs of two different statements, one after the other, stage by stage: what each stage takes the
# first time and with a worker that is warm, its worker's start, and its peak memory. Prints what one server for all stages
# and three provers with a stage each make in an hour of that.
#
# PLACE=fleet (the default): a broker, an entrypoint, and a prover for each stage, so that every worker stays. The three are
# there one after the other, as on three machines of which each has this one's memory to itself.
# PLACE=server: one server makes both. gnark's worker rests while the others work, where MIB leaves room for it.
# Circuits: those in CIRCUITS, or development circuits, which `make snark-setup` makes.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly place=${PLACE:-fleet} circuits=${CIRCUITS:-$SEXTANT_CACHE/dev-circuits}
readonly programs=${PROGRAMS:-$CARGO_TARGET_DIR/release} out=$CARGO_TARGET_DIR/snark-pair
readonly mib=${MIB:-$(($(awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo) * 9 / 10))}
if [ ! -f "$circuits/SP1VerifierGroth16.sol" ]; then
  echo "snark-pair: no circuits in $circuits: make snark-setup" >&2
  exit 1
fi

rm -rf "$out"
mkdir -p "$out"
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait' EXIT
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# `until_said PATTERN FILE [TIMES]`: waits for a line in a server's log.
until_said() {
  for _ in $(seq 18000); do
    [ "$(grep -c "$1" "$2" 2>/dev/null)" -lt "${3:-1}" ] || return 0
    kill -0 "${pids[-1]}" 2>/dev/null || break
    sleep 0.2
  done
  echo "snark-pair: it does not come to \"$1\": $2" >&2
  return 1
}
address() { until_said '^listening on' "$1" && sed -n 's/^listening on //p' "$1"; }
# Peak memory of each worker of process $1, MiB, into files by their stage and process.
watch_memory() {
  while sleep 1; do
    cat "/proc/$1"/task/*/children 2>/dev/null | tr ' ' '\n' | while read -r worker; do
      mode=$(tr '\0' '\n' 2>/dev/null <"/proc/$worker/cmdline" | sed -n '/^--mode$/ { n; p; }') || continue
      peak=$(awk '/VmHWM/ { print int($2 / 1024) }' "/proc/$worker/status" 2>/dev/null) || continue
      [ -z "$mode" ] || [ -z "$peak" ] || echo "$peak" >"$out/$mode-$worker.mib"
    done
  done
}

# The first recorded handover of two different periods, one shard each.
python3 - "$out/update-1347.ssz" <<'PY'
import struct, sys
updates = open("tests/data/mainnet-catch-up/updates-1347-count-46.ssz", "rb").read()
# Its length, which the beacon API puts before each.
open(sys.argv[1], "wb").write(updates[: 8 + struct.unpack("<Q", updates[:8])[0]])
PY
ask() {
  local number=$1 files
  case $number in
    first) files=(--bootstrap tests/data/mainnet-deneb/bootstrap-9425184.json --update tests/data/mainnet-deneb/update-9420873.json) ;;
    second) files=(--bootstrap tests/data/mainnet-catch-up/bootstrap-period-1347.ssz --update "$out/update-1347.ssz") ;;
  esac
  local begun
  begun=$(date +%s)
  "$programs/sextant" prove committee-change --server "$server" --kind groth16 --deadline 7200 --quiet \
    --allow-dev-circuits "$circuits/groth16_vk.bin" --out "$out/$number.proof" "${files[@]}" >"$out/$number.out"
  echo "$number proof: $(($(date +%s) - begun)) s from request to answer"
}
serve() { exec "$programs/proof-server" serve --listen 127.0.0.1:0 --circuits "$circuits" --allow-dev-circuits "$@"; }

case $place in
  server)
    serve --worker-memory-mib "$mib" >"$out/server.log" 2>&1 &
    pids+=($!)
    watch_memory $! &
    memory=$!
    server=$(address "$out/server.log")
    ask first
    sleep "${PAUSE:-0}"
    ask second
    kill "$memory"
    ;;
  fleet)
    broker=$(scripts/nats.sh)
    [ -n "$broker" ] || { echo "snark-pair: the broker takes Go to build" >&2; exit 1; }
    url=nats://127.0.0.1:$(port)
    cat >"$out/nats.conf" <<CONF
listen: ${url#nats://}
max_payload: 1MB
jetstream { store_dir: $out/nats, max_file_store: 12GB, max_memory_store: 256MB, sync_interval: always }
CONF
    "$broker" -c "$out/nats.conf" >"$out/nats.log" 2>&1 &
    pids+=($!)
    sleep 1
    serve --fleet "$url" --role entrypoint --kinds groth16 >"$out/entrypoint.log" 2>&1 &
    pids+=($!)
    server=$(address "$out/entrypoint.log")
    ask first &
    clients=($!)
    sleep 1
    ask second &
    clients+=($!)
    for stage in compressed wrap groth16; do
      serve --fleet "$url" --role prover --stages "$stage" --worker-memory-mib "$mib" >"$out/$stage.log" 2>&1 &
      pids+=($!)
      watch_memory $! &
      memory=$!
      # The entrypoint is done with a proof when it has its outcome: the prover has noted that by then.
      if [ "$stage" = groth16 ]; then wait "${clients[@]}"; else until_said 'job done' "$out/$stage.log" 2; fi
      sleep 2
      kill "$memory"
      kill "${pids[-1]}"
      wait "${pids[-1]}" 2>/dev/null || true
      unset 'pids[-1]'
    done
    ;;
esac
for number in first second; do
  "$programs/sextant" verify --allow-dev-circuits "$circuits/groth16_vk.bin" "$out/$number.proof"
done

echo "stage: worker's start, first job, second job, peak memory of its workers"
for stage in compressed wrap groth16; do
  log=$out/server.log
  [ "$place" = server ] || log=$out/$stage.log
  seconds() { sed -n "s/.*$1.*mode=\"*$stage\"* .*seconds=\([0-9.]*\).*/\1/p" "$log"; }
  echo "$stage $(seconds 'worker ready' | paste -sd' ') | $(seconds 'job done' | paste -sd' ') | $(cat "$out/$stage"-*.mib | paste -sd' ')"
done | tee "$out/stages" | awk -F' [|] ' '{
    split($1, start, " "); split($2, job, " ")
    printf "%s: %s; %.1f s, %.1f s; %s MiB\n", start[1], substr($1, length(start[1]) + 2) " s", job[1], job[2], $3
    sum += job[2]; if (job[2] > most) { most = job[2]; slowest = start[1] }
  }
  END {
    printf "warm: %.1f s in all, %.1f s in the slowest stage (%s)\n", sum, most, slowest
    printf "an hour: %.1f proofs where one worker does a stage at a time, %.1f where each stage has its own: %.2f times\n", 3600 / sum, 3600 / most, sum / most
  }'
