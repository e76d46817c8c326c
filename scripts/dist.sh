#!/usr/bin/env bash
# Packs what `make dist` gives out into dist/: Debian packages, tarballs for two processors, the Python client's wheel, the
# npm packages of the TypeScript client and of the verifier for browsers, bills of materials, and SHA-256 sums of it all.
#
#   scripts/dist.sh               builds for x86-64-v3 and for processors with AVX-512, each in a folder of its own (SP1 is compiled twice)
#   scripts/dist.sh --as-built    packs the programs that are built already, for this machine's processor: to try packages
set -euo pipefail
cd "$(dirname "$0")/.."

readonly cache=${SEXTANT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sextant}
features=${SEXTANT_FEATURES:-}
version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -1)
say() { echo "dist: $*" >&2; }

rm -rf dist
mkdir -p dist/debian/man dist/debian/completions
deb=$(scripts/cargo-tool.sh cargo-deb 3.6.2)
sbom=$(scripts/cargo-tool.sh cargo-cyclonedx 0.5.7)

# --- programs: one folder of them per processor, the one that runs everywhere first ---------------------------------

declare -A programs
if [ "${1:-}" = --as-built ]; then
  order=(native)
  programs[native]=${CARGO_TARGET_DIR:-$cache/target}/release
else
  order=(x86-64-v3 x86-64-v4)
  for processor in "${order[@]}"; do
    say "building for $processor"
    # Without AVX-512DQ, as .cargo/config.toml says why.
    # shellcheck disable=SC2086 # Several words, or none.
    RUSTFLAGS="-C target-cpu=$processor -C target-feature=-avx512dq" CARGO_TARGET_DIR="$cache/dist-$processor" \
      cargo build --release --locked --workspace $features
    programs[$processor]=$cache/dist-$processor/release
  done
fi
base=${programs[${order[0]}]}

# --- what goes beside the programs ----------------------------------------------------------------------------------

"$base/sextant" man dist/debian/man >/dev/null
gzip -9n dist/debian/man/*
"$base/sextant" completions bash >dist/debian/completions/sextant
"$base/sextant" completions zsh >dist/debian/completions/_sextant
"$base/sextant" completions fish >dist/debian/completions/sextant.fish
cp deploy/debian/* dist/debian/
# Units under the names that cargo-deb looks for: PACKAGE.UNIT.service.
packaged() { sed "s|/usr/local/bin/|/usr/bin/|; s|/usr/local/share/doc/sextant/|/usr/share/doc/$1/|" "deploy/$2.service" >"dist/debian/$1.$2.service"; }
packaged sextant-server proof-server
packaged sextant sextant-follow
# The page, for a server's http-files, and with it the verifier's package.
SEXTANT_WEB=$PWD/dist/web scripts/web.sh >&2

# --- packages -------------------------------------------------------------------------------------------------------

for package in proof-server sextant-client; do
  CARGO_TARGET_DIR=${base%/release} "$deb/cargo-deb" --no-build --quiet -p "$package" --output dist/
done
for processor in "${order[@]}"; do
  name=sextant-$version-$processor
  mkdir -p "dist/$name/deploy" "dist/$name/docs"
  cp "${programs[$processor]}"/{proof-server,sextant} "dist/$name/"
  strip "dist/$name/proof-server" "dist/$name/sextant"
  cp -r dist/debian/man dist/debian/completions dist/web "dist/$name/"
  cp deploy/*.{service,conf,toml,env} "dist/$name/deploy/"
  cp docs/*.md "dist/$name/docs/"
  cp README.md CHANGELOG.md LICENSE-* "dist/$name/"
  tar --sort=name --owner=0 --group=0 --numeric-owner -C dist -cf - "$name" | gzip -9n >"dist/$name.tar.gz"
  rm -rf "dist/${name:?}"
done
python=$(scripts/python-tools.sh)
"$python/python" -m build --wheel --no-isolation --outdir dist clients/python >/dev/null
scripts/typescript-package.sh dist >/dev/null
npm pack --silent --pack-destination dist "${SEXTANT_WASM_TARGET:-$cache/wasm-target}/npm" >/dev/null

# --- what is in it --------------------------------------------------------------------------------------------------

for package in proof-server client; do
  "$sbom/cargo-cyclonedx" cyclonedx --quiet --format json --manifest-path "$package/Cargo.toml" --override-filename dist-sbom
  mv "$package/dist-sbom.json" "dist/$package.cdx.json"
done
# The other members of the workspace are described with them.
git ls-files --others --exclude-standard '*dist-sbom.json' | xargs -r rm
rm -rf dist/debian dist/web
(cd dist && sha256sum -- * >SHA256SUMS)
say "all in dist/:"
(cd dist && du -h -- *) >&2
