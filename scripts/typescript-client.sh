#!/usr/bin/env bash
# Checks and tests the TypeScript client: format and types, a package that installs, and its tests against the programs that are
# built. Where `make wasm` has built the verifier, or SEXTANT_WASM_PACKAGE names it, with that too.
set -euo pipefail
cd "$(dirname "$0")/../clients/typescript"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
package=$(../../scripts/typescript-package.sh "$scratch")
tools=node_modules/.bin
"$tools/biome" check --error-on-warnings --log-level=warn .
rm -rf build
"$tools/tsc" --project tests
echo "typescript client: format and types"

# As it is installed: its package, in a folder of its own with what it needs.
mkdir -p "$scratch/node_modules/@sextant/client"
tar xzf "$package" -C "$scratch/node_modules/@sextant/client" --strip-components=1
ln -s "$(realpath node_modules/ws)" "$scratch/node_modules/ws"

verifier=${SEXTANT_WASM_PACKAGE:-${SEXTANT_WASM_TARGET:-${SEXTANT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sextant}/wasm-target}/npm}
if [ -f "$verifier/sextant_verifier.wasm" ]; then export SEXTANT_WASM_PACKAGE=$verifier; else unset SEXTANT_WASM_PACKAGE; fi
status=0
SEXTANT_CLIENT_INSTALLED=$scratch timeout 300 node --test --test-reporter=spec build/tests/ 2>&1 |
  tee "$scratch/log" | sed '/^✔ /d; /^ℹ /d' || status=1
# In the words of the other test runners.
awk '/^ℹ (pass|fail|cancelled|skipped) / { said[$2] = $3 }
     END { failed = said["fail"] + said["cancelled"]
           printf "test result: %s. %d passed; %d failed; %d ignored; the TypeScript client\n",
             failed || !said["pass"] ? "FAILED" : "ok", said["pass"], failed, said["skipped"] }' "$scratch/log"
exit "$status"
