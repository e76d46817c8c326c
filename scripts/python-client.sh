#!/usr/bin/env bash
# Checks and tests the Python client: format and types (tools from PyPI), a wheel that installs, and its tests against the
# programs that are built.
set -euo pipefail
cd "$(dirname "$0")/../clients/python"

tools=$(../../scripts/python-tools.sh)
"$tools/ruff" format --quiet --check .
"$tools/ruff" check --quiet .
"$tools/mypy" | sed 's/^Success/python client: types/'

# As it is installed: from its wheel, in an environment of its own.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$tools/python" -m build --wheel --no-isolation --outdir "$scratch" . >/dev/null
python3 -m venv --without-pip "$scratch/environment"
"$tools/pip" --quiet --python "$scratch/environment/bin/python" install --no-index --no-deps "$scratch"/*.whl
status=0
"$scratch/environment/bin/python" -W error::ResourceWarning -m unittest discover -t . -s tests 2>&1 | tee "$scratch/log" || status=1
# In the words of the other test runners.
awk '/^Ran [0-9]+ test/ { ran = $2 } match($0, /failures=[0-9]+/) { failed += substr($0, RSTART + 9, RLENGTH - 9) }
     match($0, /errors=[0-9]+/) { failed += substr($0, RSTART + 7, RLENGTH - 7) }
     END { printf "test result: %s. %d passed; %d failed; 0 ignored; the Python client\n", failed ? "FAILED" : "ok", ran - failed, failed }' "$scratch/log"
exit "$status"
