#!/usr/bin/env bash
# Installs the npm packages of the local network into the cache folder, once per lock file (half a minute, 150 MB), and
# links them here as node_modules. Needs node 20 or newer, with npm.
set -euo pipefail
cd "$(dirname "$0")"

command -v npm >/dev/null || { echo "devnet: needs node 20 or newer, with npm" >&2; exit 1; }
major=$(node -p 'process.versions.node.split(".")[0]')
[ "$major" -ge 20 ] || { echo "devnet: node $(node -v) is too old, 20 or newer is needed" >&2; exit 1; }

# A folder per content of what decides the installation: an old one is never changed under a running network.
inputs=(package.json package-lock.json setup.sh stubs/lodestar-db/*)
cache=${SEXTANT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sextant}
folder=$cache/devnet-$(cat "${inputs[@]}" | sha256sum | cut -c1-16)

# @lodestar/beacon-node cannot be installed with its dependencies: some of their versions are not in the registry any
# more. Only its light-client server and its spec route are used, which need none of those: its package is unpacked
# beside the others. 1.44.0 is the last version that is there.
readonly BEACON_NODE=1.44.0
readonly BEACON_NODE_SHA512=fd1c91fe51b60d4ada72e4742db407b37841610b540c939bbd2040f72f8b37792251a69c0311d74cbecfbc93a032dc260bf56008f786fbd0a058d6eb5d35a95f

if [ ! -d "$folder" ]; then
  mkdir -p "$cache"
  new=$(mktemp -d "$folder.XXXXXX")
  trap 'rm -rf "$new"' EXIT
  cp -r package.json package-lock.json stubs "$new"
  (
    cd "$new"
    npm ci --no-audit --no-fund --loglevel=error >&2
    npm pack "@lodestar/beacon-node@$BEACON_NODE" --loglevel=error >/dev/null
    echo "$BEACON_NODE_SHA512  lodestar-beacon-node-$BEACON_NODE.tgz" | sha512sum -c --quiet
    mkdir node_modules/@lodestar/beacon-node
    tar xzf "lodestar-beacon-node-$BEACON_NODE.tgz" -C node_modules/@lodestar/beacon-node --strip-components=1
    rm "lodestar-beacon-node-$BEACON_NODE.tgz"
  )
  # Whoever else installs at the same time moves the same content here first: then ours is not needed.
  mv -T "$new" "$folder" 2>/dev/null || [ -d "$folder" ]
fi
ln -sfn "$folder/node_modules" node_modules
