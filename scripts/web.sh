#!/usr/bin/env bash
# Puts the page together: web/, with the verifier's npm package beside it. With `test`, runs its tests in Chromium, against
# the programs that are built.
#
#   scripts/web.sh         the page, as a folder for the gateway (`--http-files`) or any file server
#   scripts/web.sh test    the same, and its tests; screenshots are left beside it
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${SEXTANT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sextant}
package=${SEXTANT_WASM_TARGET:-$cache/wasm-target}/npm
page=${SEXTANT_WEB:-$cache/web}

"$repository/scripts/wasm.sh"

rm -rf "$page.new"
mkdir -p "$page.new/verifier"
cp -r "$repository"/web/{index.html,style.css,icon.svg,js} "$page.new/"
cp "$package"/{index.js,sextant_verifier.wasm} "$page.new/verifier/"
rm -rf "$page"
mv -T "$page.new" "$page"
echo "web: the page is in $page"
[ "${1:-}" = test ] || exit 0

command -v npm >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ] || { echo "web: needs node 20 or newer, with npm" >&2; exit 1; }
chromium=${CHROMIUM:-$(command -v chromium || true)}
[ -n "$chromium" ] || { echo "web: chromium is missing; on Debian, as root: apt-get install chromium fonts-dejavu-core" >&2; exit 1; }

# What drives it, once per lock file.
tools=$cache/web-test-$(cat "$repository"/web/test/package*.json | sha256sum | cut -c1-16)
if [ ! -d "$tools" ]; then
  new=$(mktemp -d "$tools.XXXXXX")
  cp "$repository"/web/test/package*.json "$new"
  (cd "$new" && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error >&2)
  # Whoever else installs at the same time moves the same content here first: then ours is not needed.
  mv -T "$new" "$tools" 2>/dev/null || rm -rf "$new"
fi
ln -sfn "$tools/node_modules" "$repository/web/test/node_modules"

export CHROMIUM=$chromium SEXTANT_WEB=$page SEXTANT_WASM_PACKAGE=$package
export SEXTANT_PROGRAMS=${SEXTANT_PROGRAMS:-${CARGO_TARGET_DIR:-$cache/target}/release}
export SEXTANT_SCREENSHOTS=${SEXTANT_SCREENSHOTS:-$page-screenshots}
rm -rf "$SEXTANT_SCREENSHOTS"
mkdir -p "$SEXTANT_SCREENSHOTS"
# One after the other: they measure, and the last ones prove.
status=0
node --test --test-concurrency=1 "$repository"/web/test/*.test.mjs || status=$?
echo "web: screenshots are in $SEXTANT_SCREENSHOTS"
exit "$status"
