#!/usr/bin/env bash
# A real server proves both statements on recorded mainnet data, and a client that trusts nobody verifies them.
# The proofs stay in demo/ under the target folder.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
sextant=$target/release/sextant
data=tests/data/mainnet-deneb
out=$target/demo
mkdir -p "$out"
rm -f "$out"/*

say() { printf '\n== %s\n' "$*"; }

"$target/release/proof-server" serve --listen 127.0.0.1:0 >"$out/server.out" 2>"$out/server.log" &
server=$!
stop_server() {
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
}
trap stop_server EXIT

# The server's first line says where it listens: the port is any free one.
for _ in $(seq 100); do
  address=$(sed -n 's/^listening on //p' "$out/server.out")
  [ -n "$address" ] && break
  if ! kill -0 "$server" 2>/dev/null; then
    cat "$out/server.log" >&2
    echo "demo: the server did not start" >&2
    exit 1
  fi
  sleep 0.1
done
say "The proof server listens on $address (its log: $out/server.log)"
"$sextant" server info --server "$address"

say "Statement 1: the sync committees of periods 1150 and 1151 handed over to the next (mainnet, July 2024)"
"$sextant" prove committee-change --server "$address" --out "$out/committee-change.proof" \
  --bootstrap $data/bootstrap-9425184.json --update $data/update-9420873.json --update $data/update-9430576.json

say "Statement 2: the Uniswap V2 factory and one of its storage slots in the finalized block 20360596"
"$sextant" prove inclusion --server "$address" --out "$out/inclusion.proof" \
  --bootstrap $data/inclusion-bootstrap.json --finality-update $data/inclusion-finality-update-9567542.json \
  --proof $data/inclusion-eth-get-proof.json

stop_server
trap - EXIT
say "The server is gone. Anybody can verify the files"
for statement in committee-change inclusion; do
  "$sextant" verify "$out/$statement.proof"
done

say "One bit of each proof flipped, the file's checksum mended: verification must refuse both"
for statement in committee-change inclusion; do
  tampered=$out/$statement-tampered.proof
  "$target/release/tamper-proof" "$out/$statement.proof" "$tampered"
  status=0
  "$sextant" verify "$tampered" || status=$?
  # 6: not a valid proof. Any other end says nothing about it.
  if [ "$status" -ne 6 ]; then
    echo "demo: the tampered proof was not refused as one: exit status $status" >&2
    exit 1
  fi
done
say "Done: both statements proven, both verified, both tampered proofs refused"
