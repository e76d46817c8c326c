#!/usr/bin/env bash
# Sets up forge, anvil and solc for contracts/ from npm, once, exactly as contracts/package-lock.json has them.
# Run by whoever needs contracts/node_modules/.bin.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../contracts"

# One at a time: tests that need it run side by side, and what one installs another would be running.
exec 9<.
flock 9
# A copy of the lock file says what is installed.
readonly installed=node_modules/.installed-lock.json
if ! cmp -s package-lock.json "$installed"; then
  if ! command -v npm >/dev/null || [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
    echo "contracts: node 20 or newer with npm is needed (Debian packages: nodejs npm)." >&2
    exit 1
  fi
  echo "contracts: installing forge, anvil and solc"
  # No package's own scripts run: forge and anvil come as platform packages, which need none.
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
  cp package-lock.json "$installed"
fi
