#!/usr/bin/env bash
# Spelling of code and prose, by typos (typos.toml).
set -euo pipefail
cd "$(dirname "$0")/.."

readonly version=1.52.0
readonly tools=${SEXTANT_CACHE:-$HOME/.cache/sextant}/typos-$version
if [ ! -x "$tools/bin/typos" ]; then
  python3 -m venv "$tools"
  "$tools/bin/pip" install --quiet "typos==$version"
fi
"$tools/bin/typos" --format brief . && echo "spelling: good"
