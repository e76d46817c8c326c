#!/usr/bin/env bash
# Asks a server over HTTP whatever its own description allows, and what it does not: schemathesis (from PyPI) makes the
# requests, and looks whether the answers are such as the description says. None may be a server's failure (5xx). Among them
# are recorded documents and proof files with changes (http-fuzz-hooks.py): what is made up alone hardly gets past the first
# look. The server's workers are scripts, which prove nothing, so that jobs come to an end.
#
#   scripts/http-fuzz.sh [SECONDS]    ten minutes unless told otherwise
set -euo pipefail
cd "$(dirname "$0")/.."

readonly seconds=${1:-600} programs=${CARGO_TARGET_DIR:-target}/release
tools=$(scripts/from-pypi.sh schemathesis schemathesis schemathesis==4.32.5)
folder=$(mktemp -d)
# Circuits by name: what is brought to be wrapped gets as far as its verification.
mkdir "$folder/circuits"
for name in groth16_circuit.bin groth16_pk.bin groth16_vk.bin; do echo "$name" >"$folder/circuits/$name"; done
(cd "$folder/circuits" && for name in *.bin; do
  echo "\"$name\": { \"bytes\": $(wc -c <"$name"), \"sha256\": \"$(sha256sum "$name" | cut -d' ' -f1)\" }"
done | paste -sd, | sed 's/.*/{&}/' >manifest.json)
printf '#!/bin/sh\nexec %s 20 5 300000\n' "$(realpath "$programs/scripted-worker")" >"$folder/worker"
chmod 755 "$folder/worker"
"$programs/proof-server" serve --listen 127.0.0.1:0 --http-listen 127.0.0.1:0 --worker-program "$folder/worker" \
  --circuits "$folder/circuits" --allow-dev-circuits --kinds stark,groth16 \
  >"$folder/said" 2>"$folder/log" &
readonly server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -rf "$folder"' EXIT
for _ in $(seq 100); do
  grep -q '^http on ' "$folder/said" && break
  sleep 0.1
done
address=$(sed -n 's/^http on //p' "$folder/said")

status=0
# Bytes have no schema: what is no proof or no input is refused, though it is described as well as can be. And a job that was
# just taken on may be over already, and is then not taken back.
hooks=$PWD/scripts/http-fuzz-hooks.py
# In a folder of its own: it keeps what it found where it runs.
(cd "$folder" && SCHEMATHESIS_HOOKS=$hooks "$tools/schemathesis" run --max-time "$seconds" \
  --exclude-checks positive_data_acceptance,ensure_resource_availability "http://$address/v1/openapi.json") || status=1
if grep -q 'panicked at' "$folder/log"; then
  echo "http-fuzz: the server has panicked" >&2
  grep -m 3 -A 2 'panicked at' "$folder/log" >&2
  status=1
fi
kill -0 "$server" || status=1
exit "$status"
