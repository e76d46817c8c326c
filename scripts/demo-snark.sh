#!/usr/bin/env bash
# A real server makes Groth16 proofs of both statements on recorded mainnet data, and a light client contract on a local
# node accepts them; then compressed proofs of both and one Groth16 proof of those, which another contract accepts in one
# transaction. Prints seconds and memory of each proof, the gas of each transaction, and gas for a statement both ways. Circuits:
# those in CIRCUITS, or development circuits, which are set up first if they are missing.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
sextant=$target/release/sextant
data=tests/data/mainnet-deneb
out=$target/demo-snark
circuits=${CIRCUITS:-$SEXTANT_CACHE/dev-circuits}
mkdir -p "$out"
rm -rf "${out:?}"/*

# The node's first account, whose key everybody knows.
export SEXTANT_KEY=0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80
readonly account=0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266
readonly genesis_time=1606824023

say() { printf '\n== %s\n' "$*"; }
# Something about the JSON object `it` in a file.
field() { node -e "const it = JSON.parse(require('fs').readFileSync('$1', 'utf8')); console.log($2)"; }

if ! command -v go >/dev/null; then
  echo "demo-snark: Go is needed, 1.24 or newer: SNARKs are made by SP1's gnark" >&2
  exit 1
fi
scripts/contracts.sh
if [ ! -f "$circuits/SP1VerifierGroth16.sol" ]; then
  say "No circuits in $circuits: setting development circuits up"
  "$target/release/proof-server" dev-circuits "$circuits" --keys-program "$(scripts/dev-circuits.sh)"
fi

# First line of output NAME.out that starts with PREFIX, of process PID.
wait_for() {
  local line
  for _ in $(seq 300); do
    line=$(sed -n "s/^$2//p" "$out/$1.out" | head -1)
    if [ -n "$line" ]; then
      echo "$line"
      return
    fi
    kill -0 "$3" 2>/dev/null || break
    sleep 0.1
  done
  cat "$out/$1.out" "$out/$1.log" >&2
  echo "demo-snark: $1 did not start" >&2
  return 1
}

# An hour after the later statement's finalized slot.
contracts/node_modules/.bin/anvil --port 0 --hardfork cancun --timestamp $((genesis_time + 12 * 9567552 + 3600)) \
  >"$out/anvil.out" 2>"$out/anvil.log" &
node=$!
"$target/release/proof-server" serve --listen 127.0.0.1:0 --circuits "$circuits" --allow-dev-circuits \
  >"$out/server.out" 2>"$out/server.log" &
server=$!
trap 'kill "$node" "$server" 2>/dev/null || true; wait' EXIT
rpc=http://$(wait_for anvil 'Listening on ' "$node")
address=$(wait_for server 'listening on ' "$server")
say "A proof server on $address, a node on $rpc (logs: $out)"

# A proof with this name, by the command that follows.
ask() {
  local name=$1
  shift
  "$sextant" "$@" --server "$address" --allow-dev-circuits "$circuits/groth16_vk.bin" --out "$out/$name.proof" --json \
    >"$out/$name.json"
  echo "$name: $(field "$out/$name.json" 'it.proving_seconds.toFixed(1)') s," \
    "$(field "$out/$name.json" '(it.peak_memory_bytes / 2 ** 30).toFixed(1)') GiB at most," \
    "a proof of $(field "$out/$name.json" it.proof_bytes) bytes"
}
readonly change=(--bootstrap "$data/bootstrap-9425184.json" --update "$data/update-9420873.json" --update "$data/update-9430576.json")
readonly inclusion=(--bootstrap "$data/inclusion-bootstrap.json"
  --finality-update "$data/inclusion-finality-update-9567542.json" --proof "$data/inclusion-eth-get-proof.json")
say "Statement 1: the sync committees of periods 1150 and 1151 handed over to the next (mainnet, July 2024)"
ask committee-change prove committee-change --kind groth16 "${change[@]}"
say "Statement 2: the Uniswap V2 factory and one of its storage slots in the finalized block 20360596"
ask inclusion prove inclusion --kind groth16 "${inclusion[@]}"
say "Both in compressed form, and one proof of the two"
ask committee-change-compressed prove committee-change --kind compressed "${change[@]}"
ask inclusion-compressed prove inclusion --kind compressed "${inclusion[@]}"
ask bundle bundle --kind groth16 "$out/committee-change-compressed.proof" "$out/inclusion-compressed.proof"

say "The verifier of these circuits"
project=$out/verifier
mkdir -p "$project/src/groth16"
cp contracts/src/ISP1Verifier.sol "$project/src/Interface.sol"
sed 's#../../src/ISP1Verifier.sol#./Interface.sol#' contracts/test/recorded/ISP1Verifier.sol >"$project/src/ISP1Verifier.sol"
cp "$circuits"/*.sol "$project/src/groth16/"
sed "s#./solc#$PWD/contracts/solc#" contracts/foundry.toml >"$project/foundry.toml"
verifier=$(contracts/node_modules/.bin/forge create --root "$project" --rpc-url "$rpc" --private-key "$SEXTANT_KEY" --broadcast \
  src/groth16/SP1VerifierGroth16.sol:SP1Verifier | sed -n 's/^Deployed to: //p')
echo "$verifier"

# A light client with this name that begins at the block of a bootstrap.
deploy() {
  local name=$1 bootstrap=$2
  shift 2
  "$sextant" deploy --rpc "$rpc" --verifier "$verifier" --bootstrap "$bootstrap" --allow-old-checkpoint \
    --allow-dev-circuits "$circuits/groth16_vk.bin" --max-age-days 60 --confirmations 0 --yes --json "$@" \
    >"$out/$name-contract.json"
}
# A proof for the light client of its name.
submit() {
  local name=$1
  shift
  "$sextant" submit --rpc "$rpc" --contract "$(field "$out/$name-contract.json" it.contract)" --confirmations 0 --json \
    "$out/$name.proof" "$@" >"$out/$name-submitted.json"
  echo "$name: $(field "$out/$name-submitted.json" it.outcome), $(field "$out/$name-submitted.json" it.gas_used) gas" \
    "(the contract: $(field "$out/$name-contract.json" it.gas_used))"
}
say "A light client contract for each period, and the proofs submitted to them"
deploy committee-change $data/bootstrap-9425184.json
submit committee-change
deploy inclusion $data/inclusion-bootstrap.json
submit inclusion
say "Once more: known, nothing is sent"
"$sextant" submit --rpc "$rpc" --contract "$(field "$out/inclusion-contract.json" it.contract)" "$out/inclusion.proof"

# What the node answers to a method with these parameters.
call() {
  node -e "
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: '$1', params: $2 });
    fetch('$rpc', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      .then((answer) => answer.json())
      .then(({ result, error }) => {
        if (error) throw new Error('$1: ' + error.message);
        console.log(JSON.stringify(result));
      });"
}
# Between the two statements lie committees that are not recorded. This contract has a guardian, who names the one that signed the
# second: an hour after it was announced.
say "A light client contract for both, and the bundle submitted to it"
deploy bundle $data/bootstrap-9425184.json --guardian "$account" --delay 3600
"$sextant" inspect --json "$out/inclusion.proof" >"$out/inclusion-said.json"
period=$(field "$out/inclusion-said.json" 'it.public_values.signer_period.toString(16).padStart(64, "0")')
root=$(field "$out/inclusion-said.json" 'it.public_values.signer_committee_root.slice(2)')
guardian() {
  local to
  to=$(field "$out/bundle-contract.json" it.contract)
  call eth_sendTransaction "[{ from: '$account', to: '$to', data: '0x$1$period$root' }]" >/dev/null
}
guardian de3c6230 # announceCommittee(uint64,bytes32)
call evm_increaseTime '[3601]' >/dev/null
call evm_mine '[]' >/dev/null
guardian a15381b4 # executeCommittee(uint64,bytes32)
submit bundle --statement "$out/inclusion.proof" "$out/committee-change-compressed.proof"
"$sextant" verify "$out/bundle.proof" --allow-dev-circuits "$circuits/groth16_vk.bin" \
  --statement "$out/inclusion.proof" "$out/committee-change-compressed.proof" --json >"$out/bundle-verified.json"

gas() { field "$out/$1-submitted.json" it.gas_used; }
say "Gas for a statement"
echo "two statements alone: $((($(gas committee-change) + $(gas inclusion)) / 2)) each; as a bundle: $(($(gas bundle) / 2)) each"
