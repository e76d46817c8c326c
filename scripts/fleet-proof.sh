#!/usr/bin/env bash
# One proof by several provers of a fleet: a broker, an entrypoint and PROVERS provers on this machine, asked for a STARK of the
# recorded handovers of mainnet that a client missed, 46 periods. Prints what each prover made and the memory that its worker
# took at most. Environment: KIND=stark|compressed, MEMORY_MIB of each worker.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly target=${CARGO_TARGET_DIR:-target}/release
readonly provers=${PROVERS:-2} kind=${KIND:-stark} memory=${MEMORY_MIB:-10240}
readonly data=tests/data/mainnet-catch-up
out=$(mktemp -d)
broker=$(scripts/nats.sh)
if [ -z "$broker" ]; then
  echo "fleet-proof: Go is needed, 1.24 or newer, for the broker" >&2
  exit 1
fi

pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait' EXIT
"$broker" -js -sd "$out/nats" -a 127.0.0.1 -p -1 --ports_file_dir "$out" >"$out/broker.log" 2>&1 &
pids+=($!)
for _ in $(seq 100); do
  ports=$(cat "$out"/*.ports 2>/dev/null || true)
  [ -n "$ports" ] && break
  sleep 0.1
done
fleet=$(node -e 'console.log(JSON.parse(process.argv[1]).nats[0])' "$ports")

serve() {
  local name=$1
  shift
  "$target/proof-server" serve --listen 127.0.0.1:0 --fleet "$fleet" --machine "$name" "$@" >"$out/$name.out" 2>"$out/$name.log" &
  pids+=($!)
}
serve entrypoint --role entrypoint
for number in $(seq "$provers"); do
  serve "prover-$number" --role prover --stages "$kind" --worker-memory-mib "$memory"
done
for _ in $(seq 300); do
  address=$(sed -n 's/^listening on //p' "$out/entrypoint.out")
  there=$("$target/proof-server" fleet workers --json --fleet "$fleet" 2>/dev/null | wc -l)
  [ -n "$address" ] && [ "$there" = "$provers" ] && break
  sleep 0.2
done

"$target/sextant" prove committee-change --server "$address" --kind "$kind" --out "$out/proof" --json \
  --bootstrap $data/bootstrap-period-1347.ssz --update $data/updates-1347-count-46.ssz >"$out/proof.json"
node -e 'const it = JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"));
  console.log(`a proof of ${it.proof_bytes} bytes, ${it.proving_seconds.toFixed(1)} s of proving in all, ` +
    `${(it.peak_memory_bytes / 2 ** 30).toFixed(1)} GiB at most in one worker`)' "$out/proof.json"
"$target/sextant" verify "$out/proof" >/dev/null && echo "it verifies"
for number in $(seq "$provers"); do
  echo "prover-$number: $(grep -o "[a-z]*-\(shard\|fold\)\.[A-Za-z0-9_-]*" "$out/prover-$number.log" | uniq | tr '\n' ' ')"
done
