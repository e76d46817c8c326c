#!/usr/bin/env bash
# Builds the Go program that makes keys for development circuits (proof-server/dev-circuits), after its tests, and prints
# where it is. It becomes a package of SP1's own Go module, copied out of the crate that cargo fetched: so it has the
# circuit and the versions that proofs are made with.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v go >/dev/null; then
  echo "dev-circuits: Go is needed, 1.24 or newer." >&2
  exit 1
fi
# Cargo's features are several words.
# shellcheck disable=SC2086
manifest=$(cargo metadata --format-version 1 --locked $SEXTANT_FEATURES |
  grep -o '"manifest_path":"[^"]*/sp1-recursion-gnark-ffi-[^"/]*/Cargo.toml"' | cut -d'"' -f4)
readonly module="$SEXTANT_CACHE/dev-circuits-go"
rm -rf "$module"
mkdir -p "$SEXTANT_CACHE"
cp -r "${manifest%/*}/go" "$module"
chmod -R u+w "$module"
mkdir "$module/dev-circuits"
cp proof-server/dev-circuits/*.go "$module/dev-circuits/"
cd "$module"
if [ -n "$(gofmt -l dev-circuits)" ]; then
  echo "dev-circuits: not formatted: $(gofmt -l dev-circuits)" >&2
  exit 1
fi
go vet ./dev-circuits >&2
go test ./dev-circuits >&2
# The tag is the one that SP1's crate builds with.
go build -tags=debug -o dev-circuits.bin ./dev-circuits
echo "$module/dev-circuits.bin"
