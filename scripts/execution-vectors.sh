#!/usr/bin/env bash
# Makes the vectors of Ethereum's executable specification anew: execution-vectors.sh [ARCHIVE [WORD]]. Installs the
# specification once, from PyPI, in versions that are pinned. A minute or two.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly generate=tests/execution/generate
archive=$(realpath -m "${1:-tests/data/execution-spec-vectors/prague-osaka.tar.xz}")
mkdir -p "$(dirname "$archive")"
# Another folder for other versions.
folder=execution-vectors-$(sha256sum <"$generate/requirements.txt" | head -c 8)
tools=$(scripts/from-pypi.sh "$folder" ethereum-spec-lint --requirement "$generate/requirements.txt")
exec "$tools/python" "$generate/generate.py" "$archive" "${2:-}"
