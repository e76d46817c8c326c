#!/usr/bin/env bash
# Runs every test of the workspace, of tests/mutants, of third-party/, of the clients in other languages and of the contracts,
# and ends with one line over all test binaries. The programs are built first: tests of the whole system start the real ones.
set -uo pipefail

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # Several words, or none.
cargo build --release --workspace ${SEXTANT_FEATURES:-} 2>&1 || exit 1
cargo test --release --workspace --no-fail-fast ${SEXTANT_FEATURES:-} "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
cargo test --release --locked --manifest-path tests/mutants/Cargo.toml 2>&1 | tee -a "$log"
status=$((status | PIPESTATUS[0]))
"$(dirname "$0")/third-party.sh" 2>&1 | tee -a "$log"
status=$((status | PIPESTATUS[0]))
"$(dirname "$0")/python-client.sh" 2>&1 | tee -a "$log"
status=$((status | PIPESTATUS[0]))
"$(dirname "$0")/typescript-client.sh" 2>&1 | tee -a "$log"
status=$((status | PIPESTATUS[0]))
"$(dirname "$0")/contracts-test.sh" 2>&1 | tee -a "$log"
status=$((status | PIPESTATUS[0]))
if command -v go >/dev/null; then
  # Builds and tests the maker of development circuits.
  "$(dirname "$0")/dev-circuits.sh" 2>&1 | tee -a "$log"
  status=$((status | PIPESTATUS[0]))
else
  echo "test: no Go on this machine, so SNARKs are not built in, and the maker of their circuits is NOT tested"
fi

# Where the minutes went: the ten slowest test programs.
awk '/^ *Running |^ *Doc-tests / { name = $2 " " $3 }
     /^test result:/ { for (i = 2; i <= NF; i++) if ($i == "finished") printf "%8.1f s  %s\n", $(i+2), name }' "$log" | sort -rn | head -10

# "test result: ok. 8 passed; 0 failed; 0 ignored; ..." of each binary, added up.
awk '/^(test|Suite) result:/ { for (i = 2; i < NF; i++) {
       if ($(i+1) == "passed;") passed += $i
       if ($(i+1) == "failed;") failed += $i
       if ($(i+1) == "ignored;" || $(i+1) == "skipped;") skipped += $i } }
     END { printf "%d passed, %d failed, %d skipped\n", passed, failed, skipped }' "$log"
exit "$status"
