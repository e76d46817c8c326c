#!/usr/bin/env bash
# Format, build and tests of the contracts. Arguments go to `forge test`.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/contracts.sh
scripts/contract-artifact.sh --check
cd contracts
node_modules/.bin/forge fmt --check src test examples
node_modules/.bin/forge test "$@"
