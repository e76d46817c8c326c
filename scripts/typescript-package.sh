#!/usr/bin/env bash
# Builds the npm package of the TypeScript client into a folder (default: the current one), and prints where it is. Its tools come
# from npm, into the cache folder, once per lock file; clients/typescript/node_modules leads there.
#
#   scripts/typescript-package.sh [FOLDER]
set -euo pipefail
into=$(realpath "${1:-.}")
cd "$(dirname "$0")/../clients/typescript"

if ! command -v npm >/dev/null || [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
  echo "typescript client: node 20 or newer with npm is needed (Debian packages: nodejs npm)." >&2
  exit 1
fi
# A folder per content of what decides the installation: another clone may be using the one before.
cache=${SEXTANT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sextant}
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

rm -rf dist
node_modules/.bin/tsc >&2
npm pack --silent --pack-destination "$into" | sed "s#^#$into/#"
