#!/usr/bin/env bash
# fuzz.sh [SECONDS [TARGET...]]: fuzzes every target, or those named, for so many seconds each, starting from seeds of
# recorded data. What it finds belongs into fuzz/regressions, which a test replays.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-600}
shift || true
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for file in fuzz/fuzz_targets/*.rs; do targets+=("$(basename "$file" .rs)"); done
fi
command -v cargo-fuzz >/dev/null || { echo "fuzz: needs cargo-fuzz: cargo install cargo-fuzz" >&2; exit 1; }
cargo +nightly --version >/dev/null 2>&1 || { echo "fuzz: needs a nightly Rust: rustup toolchain install nightly" >&2; exit 1; }

cargo run --release --quiet -p sextant-fuzz-targets --bin seeds -- fuzz/corpus
for name in "${targets[@]}"; do
  echo "== $name, $seconds s"
  cargo +nightly fuzz run "$name" -- -max_total_time="$seconds" -max_len=65536 -timeout=10 -verbosity=0
done
echo "fuzz: no finding"
