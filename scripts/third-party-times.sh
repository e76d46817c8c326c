#!/usr/bin/env bash
# A fresh clone's files are younger than what the shared cache holds, and cargo goes by times: it would compile
# third-party/, and all of SP1 above it, once per clone. So its sources get the time at which their content was first seen
# by this build folder: whatever was compiled after that is fresh, and whatever before is not.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly stamp=${CARGO_TARGET_DIR:-target}/third-party.stamp
sources() { find third-party \( -name '*.rs' -o -name Cargo.toml \) -not -path '*/target/*' -print0 | LC_ALL=C sort -z; }

content=$(sources | xargs -0 sha256sum | sha256sum | cut -d' ' -f1)
known=
[ ! -f "$stamp" ] || read -r known since <"$stamp"
if [ "$known" != "$content" ]; then
  if [ -z "$known" ]; then
    # Nothing is known of a folder that was filled before there was a stamp: cargo's own judgement stands.
    since=$(sources | xargs -0 stat -c %.9Y | sort -n | tail -1)
  else
    since=$(date +%s.%N)
  fi
  mkdir -p "${stamp%/*}"
  echo "$content $since" >"$stamp"
fi
sources | xargs -0 touch -d "@$since"
