#!/usr/bin/env bash
# mutants.sh AREA [ARGUMENT...]: changes the code in one place at a time, as cargo-mutants lists it, and runs the tests each
# time; all changes are compiled into one program (tests/mutants). AREA is `consensus`, `protocol` or `server`; what follows
# goes to cargo-mutants (`--file GLOB`). What was interrupted goes on where it was, if nothing has changed since. What no test
# noticed is printed, and ends this with 2; docs/mutants.md says what to do about it.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly area=${1:?"consensus, protocol or server"}
shift
readonly cache=${SEXTANT_CACHE:-$HOME/.cache/sextant} built=$(realpath -m "${CARGO_TARGET_DIR:-target}")
readonly folder=$cache/mutants
readonly tree=$folder/tree state=$folder/$area

# `skipped` are words in the names of tests that take long and find nothing that the others do not.
# shellcheck disable=SC2206 # Several words, or none.
features=(${SEXTANT_FEATURES:-})
case $area in
  consensus)
    crate=sextant-consensus
    tests=(--package=sextant-{consensus,fixtures,fuzz-targets,protocol,vectors} --lib --tests)
    skipped=(bls::fast:: bls_fast bls_hints broken_statements_with_the_hints one_changed_byte)
    ;;
  protocol)
    crate=sextant-protocol
    tests=(--package=sextant-{fixtures,fuzz-targets,protocol} --lib --tests) skipped=()
    ;;
  server)
    crate=proof-server
    tests=(--package=proof-server "${features[@]}" --lib
      --test={balancer,forwarding,hops,limits,operations,security,sharing,submitting,tenants,upstreams,workers,wrapping})
    skipped=()
    ;;
  *)
    echo "mutants: no area is called $area" >&2
    exit 1
    ;;
esac

tool=$(scripts/cargo-tool.sh cargo-mutants 27.1.0)
mkdir -p "$folder" "$state"
# One at a time: whoever comes second waits for the tree.
exec 9<"$folder"
flock 9
CARGO_TARGET_DIR=$folder/tool cargo build --quiet --release --locked --manifest-path tests/mutants/Cargo.toml

# A copy, and a build folder of its own: nothing built out of changed code may be taken for a program. What was built of
# other people's code, SP1 above all, is copied as well.
if [ ! -d "$folder/target" ] && [ -d "$built/release/deps" ]; then
  rm -rf "$folder/seed"
  mkdir -p "$folder/seed"
  # A crate of SP1 has that program in it.
  (cd "$built" && find third-party.stamp sp1-native-bins/release/sp1-core-executor-runner-binary \
    release/{.fingerprint,build,deps} -type f -not -path '*sextant*' -not -path '*proof?server*' \
    \( -not -path 'release/deps/*' -o -name '*.rlib' -o -name '*.rmeta' -o -name '*.so' -o -name '*.d' \) -print0) |
    tar --create --directory "$built" --null --files-from=- | tar --extract --directory "$folder/seed"
  mv "$folder/seed" "$folder/target"
fi
export CARGO_TARGET_DIR=$folder/target

sources() { git ls-files -z --cached --others --exclude-standard -- . ':!docs' ':!scripts' ':!Makefile' ':!*.md' | LC_ALL=C sort -z; }
# What was found holds for this code and these tests.
content=$(sources | xargs -0 sha256sum 2>/dev/null | sha256sum)
if [ "$(cat "$state/content" 2>/dev/null)" != "$content" ]; then
  rm -rf "$state"
  mkdir "$state"
  echo "$content" >"$state/content"
fi
# The tree has the same path each time and keeps the files' times, so that what is compiled stays compiled; but for what was
# changed there last.
if [ "$(cat "$folder/tree.is" 2>/dev/null)" != "$area $content" ]; then
  rm -rf "$tree" "$folder/tree.is"
  mkdir "$tree"
  git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- --ignore-failed-read | tar --extract --directory "$tree"
  (cd "$tree" && scripts/third-party-times.sh && find consensus/src protocol/src proof-server/src -type f -exec touch {} +)
  echo "$area $content" >"$folder/tree.is"
fi

list() { "$tool/cargo-mutants" mutants --list --no-shuffle --package "$crate" "$@"; }
list --json >"$state/list.json"
list "$@" >"$state/names"
# What tests leave behind when they are stopped.
TMPDIR=$(mktemp --directory)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT
# A change may make a loop endless that allocates.
ulimit -Sd $((4 << 20))
nice -n 10 "$folder/tool/release/sextant-mutants" "$PWD" "$tree" "$state" "${skipped[@]}" -- \
  --release --locked --config tests/mutants/profile.toml "${tests[@]}"
