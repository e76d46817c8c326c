#!/usr/bin/env bash
# Builds the verifier for WebAssembly, and the npm package of it; with `test`, runs its tests in node.
#
#   scripts/wasm.sh        build the package into npm/ under the target folder
#   scripts/wasm.sh test   build it, and compare its verdicts with the recorded ones
#
# No Rust distribution has to bring a library for wasm32-unknown-unknown: Debian's library sources are compiled, as they
# are for the guests (`programs/build.sh`, whose packages these are).
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${SEXTANT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sextant}
target=${SEXTANT_WASM_TARGET:-$cache/wasm-target}
machine=wasm32-unknown-unknown
package=$target/npm
bls=sp1_bls12_381-0.8.0-sp1-6.10.0

for program in /usr/bin/rustc /usr/bin/cargo /usr/bin/wasm-ld-22; do
  [ -x "$program" ] && continue
  echo "wasm: $program is missing; on Debian 12, as root: apt-get install rustc-web cargo-web rust-web-src lld-22" >&2
  exit 1
done
mkdir -p "$target"

# Its default feature `bits` does not compile where pointers have 32 bits, and nothing here uses it.
if [ ! -d "$target/$bls" ]; then
  /usr/bin/cargo fetch --quiet --locked --manifest-path "$repository/Cargo.toml"
  rm -rf "$target/$bls.new"
  cp -r "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*/"$bls" "$target/$bls.new"
  sed -i '/^    "bits",$/d' "$target/$bls.new/Cargo.toml"
  mv "$target/$bls.new" "$target/$bls"
fi

flags=(-C linker=/usr/bin/wasm-ld-22 -C linker-flavor=wasm-ld --cfg 'getrandom_backend="unsupported"')
(
  cd "$repository/verifier/wasm"
  RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=$target CARGO_ENCODED_RUSTFLAGS=$(IFS=$'\x1f' && echo -n "${flags[*]}") \
    /usr/bin/cargo build --quiet --locked --release --target "$machine" -Zbuild-std=std,panic_abort \
    --config "patch.crates-io.sp1_bls12_381.path='$target/$bls'"
)
mkdir -p "$package"
cp "$repository"/verifier/wasm/npm/* "$package/"
cp "$target/$machine/release/sextant_verifier_wasm.wasm" "$package/sextant_verifier.wasm"
echo "wasm: the package is in $package; the module has $(wc -c <"$package/sextant_verifier.wasm") bytes," \
  "$(gzip -9 -c "$package/sextant_verifier.wasm" | wc -c) compressed"

if [ "${1:-}" = test ]; then SEXTANT_WASM_PACKAGE=$package node --test "$repository"/verifier/wasm/test/*.test.mjs; fi
