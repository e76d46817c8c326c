#!/usr/bin/env bash
# Writes what `sextant deploy` carries of the light client contract, its interface and its code, to submit/contract/.
# With --check it compares instead.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/contracts.sh
readonly kept=submit/contract/LightClient.json
(cd contracts && node_modules/.bin/forge build --quiet src)
built=$(mktemp)
trap 'rm -f "$built"' EXIT
node -e '
  const artifact = JSON.parse(require("fs").readFileSync("contracts/out/LightClient.sol/LightClient.json", "utf8"));
  console.log(JSON.stringify({ abi: artifact.abi, bytecode: artifact.bytecode.object }, null, 1));
' >"$built"
if [ "${1:-}" = --check ]; then
  if ! cmp -s "$built" "$kept"; then
    echo "contracts: $kept is not what contracts/src gives: run scripts/contract-artifact.sh" >&2
    exit 1
  fi
else
  cp "$built" "$kept"
fi
