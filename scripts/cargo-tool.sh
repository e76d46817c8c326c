#!/usr/bin/env bash
# Installs a program from the crate registry into a folder of the cache, once, and prints where it is:
# cargo-tool.sh CRATE VERSION
set -euo pipefail

readonly folder=${SEXTANT_CACHE:-$HOME/.cache/sextant}/$1-$2
mkdir -p "$folder"
# One at a time: whoever comes second finds it installed.
exec 9<"$folder"
flock 9
if [ ! -x "$folder/bin/$1" ]; then
  echo "cargo-tool: compiling $1 $2" >&2
  # Not in this project's target folder, whose features and flags are its own.
  (cd / && CARGO_TARGET_DIR="$folder/build" cargo install --quiet --locked --root "$folder" "$1@$2" >&2)
  rm -rf "$folder/build"
fi
echo "$folder/bin"
