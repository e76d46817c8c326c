#!/usr/bin/env bash
# Checks and tests the TypeScript client: format and types (tools from npm), the package, and its tests against the programs that
# are built. Where `make wasm` has built the verifier, or SEXTANT_WASM_PACKAGE names it, with that too.
set -euo pipefail
cd "$(dirname "$0")/../clients/typescript"

if ! command -v npm >/dev/null || [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
  echo "typescript client: node 20 or newer with npm is needed (Debian packages: nodejs npm)." >&2
  exit 1
fi
cache=${SEXTANT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sextant}
# A folder per content of what decides the installation: another clone may be using the one before.
folder=$cache/typescript-client-$(cat package.json package-lock.json | sha256sum | cut -c1-16)
if [ ! -d "$folder" ]; then
  mkdir -p "$cache"
  new=$(mktemp -d "$folder.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  cp package.json package-lock.json "$new"
  # No package's own scripts run: nothing here needs them.
  (cd "$new" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2)
  # Whoever else installs at the same time moves the same content here first: then ours is not needed.
  mv -T "$new" "$folder" 2>/dev/null || [ -d "$folder" ]
fi
ln -sfnT "$folder/node_modules" node_modules
tools=node_modules/.bin

"$tools/biome" check --error-on-warnings .
rm -rf dist build
"$tools/tsc"
"$tools/tsc" --project tests
echo "typescript client: format and types"

# As it is installed: its package, in a folder of its own with what it needs.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch" ${new:+"$new"}' EXIT
npm pack --pack-destination "$scratch" --loglevel=error >/dev/null
mkdir -p "$scratch/node_modules/@sextant/client"
tar xzf "$scratch"/sextant-client-*.tgz -C "$scratch/node_modules/@sextant/client" --strip-components=1
ln -s "$folder/node_modules/ws" "$scratch/node_modules/ws"

verifier=${SEXTANT_WASM_PACKAGE:-${SEXTANT_WASM_TARGET:-$cache/wasm-target}/npm}
if [ -f "$verifier/sextant_verifier.wasm" ]; then export SEXTANT_WASM_PACKAGE=$verifier; else unset SEXTANT_WASM_PACKAGE; fi
status=0
SEXTANT_CLIENT_INSTALLED=$scratch node --test --test-reporter=spec build/tests/ 2>&1 | tee "$scratch/log" | sed "/^✔ /d; /^ℹ /d" || status=1
# In the words of the other test runners.
awk '/^ℹ (pass|fail|cancelled|skipped) / { said[$2] = $3 }
     END { failed = said["fail"] + said["cancelled"]
           printf "test result: %s. %d passed; %d failed; %d ignored; the TypeScript client\n", failed || !said["pass"] ? "FAILED" : "ok", said["pass"], failed, said["skipped"] }' "$scratch/log"
exit "$status"
