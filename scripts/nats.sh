#!/usr/bin/env bash
# Builds nats-server into a folder of the cache, once, and prints where it is: the fleet's tests start it. Needs Go; a
# machine without Go has no such server, and prints nothing.
set -euo pipefail

readonly version=v2.15.3
readonly folder=${SEXTANT_CACHE:-$HOME/.cache/sextant}/nats-$version
command -v go >/dev/null || exit 0
mkdir -p "$folder"
# One at a time: whoever comes second finds it built.
exec 9<"$folder"
flock 9
if [ ! -x "$folder/nats-server" ]; then
  GOBIN="$folder" go install "github.com/nats-io/nats-server/v2@$version" >&2
fi
echo "$folder/nats-server"
