#!/usr/bin/env bash
# fleet-catch-up.sh: one proof of the 46 recorded handovers of mainnet, made by several provers of a fleet on this machine
# (PROVERS=2), each with a worker of at most MIB MiB, over a broker, and verified: a STARK, or with KIND=compressed a compressed
# proof, for which a worker takes 14 GiB. Prints what each part took and each prover's peak memory; everything else is in
# fleet-catch-up/ under the target folder.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly provers=${PROVERS:-2} kind=${KIND:-stark} data=tests/data/mainnet-catch-up
readonly programs=$CARGO_TARGET_DIR/release out=$CARGO_TARGET_DIR/fleet-catch-up
readonly mib=${MIB:-$(($(awk '/MemTotal/ { print int($2 / 1024) }' /proc/meminfo) * 9 / 10 / provers))}
broker=$(scripts/nats.sh)
[ -n "$broker" ] || { echo "fleet-catch-up: the broker takes Go to build" >&2; exit 1; }

rm -rf "$out"
mkdir -p "$out"
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait' EXIT
# A port that the system gives and nobody has.
port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# `address FILE`: where a server says that it listens.
address() {
  for _ in $(seq 100); do
    sed -n 's/^listening on //p' "$1" 2>/dev/null | grep . && return
    sleep 0.1
  done
  echo "fleet-catch-up: a server does not start: $1" >&2
  return 1
}

url=nats://127.0.0.1:$(port)
cat >"$out/nats.conf" <<CONF
listen: ${url#nats://}
max_payload: 1MB
jetstream { store_dir: $out/nats, max_file_store: 12GB, max_memory_store: 256MB, sync_interval: always }
CONF
"$broker" -c "$out/nats.conf" >"$out/nats.log" 2>&1 &
pids+=($!)
sleep 1
# In place of the shell that it is started in: whoever ends that process ends the server, and workers are its children.
serve() { exec "$programs/proof-server" serve --fleet "$url" --listen 127.0.0.1:0 "$@"; }
serve --role entrypoint --kinds "$kind" >"$out/entrypoint.log" 2>&1 &
pids+=($!)
for number in $(seq "$provers"); do
  serve --role prover --stages "$kind" --machine "machine-$number" --worker-memory-mib "$mib" >"$out/prover-$number.log" 2>&1 &
  pids+=($!)
  # Peak memory of its workers, one after the other: a worker is its child.
  (
    prover=$! peak=0
    while sleep 1; do
      for worker in $(cat "/proc/$prover"/task/*/children 2>/dev/null); do
        now=$(awk '/VmHWM/ { print int($2 / 1024) }' "/proc/$worker/status" 2>/dev/null || echo 0)
        [ "${now:-0}" -le "$peak" ] || { peak=$now && echo "$peak" >"$out/prover-$number.mib"; }
      done
    done
  ) &
  pids+=($!)
done
entrypoint=$(address "$out/entrypoint.log")
# A proof is made in parts where several provers are there when it is begun.
for _ in $(seq 100); do
  there=$("$programs/proof-server" fleet workers --fleet "$url" --json | wc -l)
  [ "$there" -lt "$provers" ] || break
  sleep 0.2
done
[ "$there" -eq "$provers" ] || { echo "fleet-catch-up: $there of $provers provers are there: $out" >&2; exit 1; }

begun=$(date +%s)
"$programs/sextant" prove committee-change --server "$entrypoint" --kind "$kind" --deadline 7200 --out "$out/catch-up.proof" \
  --bootstrap $data/bootstrap-period-1347.ssz --update $data/updates-1347-count-46.ssz
took=$(($(date +%s) - begun))
"$programs/sextant" verify "$out/catch-up.proof"

echo "fleet-catch-up: $kind proof of 46 handovers by $provers provers: $took s, $(stat -c %s "$out/catch-up.proof") bytes"
for number in $(seq "$provers"); do
  echo "prover $number: at most $(cat "$out/prover-$number.mib") MiB"
done
# A line names what a prover takes, and the next one tells when it is done.
cat "$out"/prover-*.log | awk '
  match($0, /[a-f0-9]+\.[0-9]+\.[a-z-]+\.[^ ]+ /) { split(substr($0, RSTART, RLENGTH), name, "."); stage = name[3] }
  match($0, /job done .*seconds=/) { count[stage]++; sum[stage] += substr($0, RSTART + RLENGTH) }
  END { for (stage in count) printf "%s: %d, %.1f s each, %.0f s in all\n", stage, count[stage], sum[stage] / count[stage], sum[stage] }
' | sort
