#!/usr/bin/env bash
# Spelling of code and prose, by typos (typos.toml).
set -euo pipefail
cd "$(dirname "$0")/.."

tools=$(scripts/from-pypi.sh typos-1.52.0 typos typos==1.52.0)
"$tools/typos" --format brief . && echo "spelling: good"
