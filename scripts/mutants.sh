#!/usr/bin/env bash
# mutants.sh AREA [ARGUMENT...]: changes the code in one place at a time, as cargo-mutants does, and runs the tests each
# time. AREA is `consensus`, `protocol` or `server`; what follows goes to cargo-mutants (`--file GLOB`, `--list`). What no
# test noticed is printed, and ends this with 2; docs/mutants.md says what to do about it.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly version=27.1.0 area=${1:?"consensus, protocol or server"}
shift
readonly cache=${SEXTANT_CACHE:-$HOME/.cache/sextant}
readonly program=$cache/cargo-mutants-$version folder=$cache/mutants/$area
readonly tree=$folder/tree

# `slow`: tests that take long and find little; only what survives the others meets them. `kept`: those that are worth a
# link of their own each time then, if not all are. `others`: what is tested with it then.
slow=() kept=() others=() features=()
case $area in
  consensus)
    crate=sextant-consensus sources=consensus slow=(bls_fast bls_hints hinted mutations)
    others=(--test-package sextant-consensus --test-package sextant-vectors)
    ;;
  protocol)
    # Its allocator watches a whole process.
    crate=sextant-protocol sources=protocol slow=(allocation)
    ;;
  server)
    crate=proof-server sources=proof-server
    kept=(balancer connection forwarding limits operations security sharing submitting tenants workers)
    # shellcheck disable=SC2206 # Several words, or none.
    features=(${SEXTANT_FEATURES:-})
    ;;
  *)
    echo "mutants: no area is called $area" >&2
    exit 1
    ;;
esac

mkdir -p "$program" "$folder"
# One at a time: whoever comes second finds it installed, or waits for the tree.
exec 9<"$folder" 8<"$program"
flock 8
if [ ! -x "$program/bin/cargo-mutants" ]; then
  CARGO_TARGET_DIR="$program/build" cargo install --quiet --locked --root "$program" "cargo-mutants@$version"
  rm -rf "$program/build"
fi
exec 8<&-
flock 9

# A copy, and a build folder of its own: nothing built out of changed code may be taken for a program. The copy keeps the
# files' times and has the same path each time, so that what is compiled stays compiled.
rm -rf "$tree"
mkdir -p "$tree"
git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- --ignore-failed-read | tar --extract --directory "$tree"
cd "$tree"
export CARGO_TARGET_DIR=$folder/target
scripts/third-party-times.sh

given=("$@")
# `mutate ARGUMENT...`: all mutants, or with --iterate those that no earlier round has caught.
mutate() {
  nice -n 10 "$program/bin/cargo-mutants" mutants --in-place --no-shuffle --package "$crate" --output "$folder" \
    "${features[@]}" "${given[@]}" "$@"
}

# Every test file is a program, and linking them takes longer than most tests: first they are modules of one. The
# server's are large; its first round is that of its unit tests.
rm -rf "$folder/tests"
mv "$sources/tests" "$folder/tests"
if [ "$area" != server ]; then
  mkdir -p "$sources/tests"
  cp -r "$folder/tests" "$sources/tests/together"
  for file in "$folder"/tests/*.rs; do
    name=$(basename "$file" .rs)
    if [[ " ${slow[*]} " == *" $name "* ]]; then
      rm "$sources/tests/together/$name.rs"
    else
      printf '#[path = "%s.rs"]\nmod %s;\n' "$name" "$name"
    fi
  done >"$folder/main.rs"
  mv "$folder/main.rs" "$sources/tests/together/main.rs"
fi
status=0
mutate -- -- --skip fast:: || status=$?
# 2: some were missed, 3: some ran out of time.
case $status in
  2 | 3) ;;
  *) exit "$status" ;;
esac

echo "mutants: what is left, against all tests"
rm -rf "$sources/tests"
mv "$folder/tests" "$sources/tests"
for name in "${kept[@]}"; do mv "$sources/tests/$name.rs" "$sources/tests/$name.kept"; done
[ ${#kept[@]} -eq 0 ] || rm "$sources"/tests/*.rs
for name in "${kept[@]}"; do mv "$sources/tests/$name.kept" "$sources/tests/$name.rs"; done
mutate --iterate "${others[@]}"
