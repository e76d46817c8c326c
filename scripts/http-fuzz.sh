#!/usr/bin/env bash
# Asks a server over HTTP whatever its own description allows, and what it does not: schemathesis (from PyPI) makes the
# requests, and looks whether the answers are such as the description says. None may be a server's failure (5xx).
#
#   scripts/http-fuzz.sh [SECONDS]    ten minutes unless told otherwise
set -euo pipefail
cd "$(dirname "$0")/.."

readonly seconds=${1:-600} programs=${CARGO_TARGET_DIR:-target}/release
tools=$(scripts/from-pypi.sh schemathesis schemathesis schemathesis==4.32.5)
folder=$(mktemp -d)
"$programs/proof-server" serve --listen 127.0.0.1:0 --http-listen 127.0.0.1:0 --warm false >"$folder/said" 2>"$folder/log" &
readonly server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
for _ in $(seq 100); do
  grep -q '^http on ' "$folder/said" && break
  sleep 0.1
done
address=$(sed -n 's/^http on //p' "$folder/said")

status=0
# Bytes have no schema: what is no proof or no input is refused, though it is described as well as can be.
"$tools/schemathesis" run --max-time "$seconds" --exclude-checks positive_data_acceptance "http://$address/v1/openapi.json" || status=1
if grep -q 'panicked at' "$folder/log"; then
  echo "http-fuzz: the server has panicked" >&2
  grep -m 3 -A 2 'panicked at' "$folder/log" >&2
  status=1
fi
kill -0 "$server" || status=1
exit "$status"
