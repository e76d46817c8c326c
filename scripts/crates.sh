#!/usr/bin/env bash
# Packs the crates that others use, and what these are made of, as they would go to a registry. All in one command: none of
# them is in a registry, where cargo would look for it otherwise.
#
#   scripts/crates.sh            packs them
#   scripts/crates.sh --verify   and compiles each from its package alone, SP1 among what is below them (many minutes)
set -euo pipefail
cd "$(dirname "$0")/.."

folders=(artifacts consensus execution features protocol protocol/link inputs verifier/rules verifier/snark verifier/stark verifier
  sources submit follow client)
names=()
for folder in "${folders[@]}"; do names+=(-p "$(sed -n 's/^name = "\(.*\)"/\1/p' "$folder/Cargo.toml" | head -1)"); done
verify=(--no-verify)
[ "${1:-}" != --verify ] || verify=()
cargo package --quiet --allow-dirty "${verify[@]}" "${names[@]}"
echo "crates: in ${CARGO_TARGET_DIR:-target}/package:"
(cd "${CARGO_TARGET_DIR:-target}/package" && du -h -- *.crate)
