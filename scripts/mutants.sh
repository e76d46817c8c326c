#!/usr/bin/env bash
# mutants.sh AREA [ARGUMENT...]: changes the code in one place at a time, as cargo-mutants does, and runs the tests each
# time. AREA is `consensus`, `protocol` or `server`; what follows goes to cargo-mutants (`--file GLOB`). With SHARD=K/N only
# every N-th change is made, beginning with the K-th, from 0. What was interrupted goes on where it was, if nothing has
# changed since. What no test noticed is printed, and ends this with 2; docs/mutants.md says what to do about it.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly version=27.1.0 area=${1:?"consensus, protocol or server"} shard=${SHARD:-0/1}
shift
readonly given=("$@")
readonly cache=${SEXTANT_CACHE:-$HOME/.cache/sextant} built=$(realpath -m "${CARGO_TARGET_DIR:-target}")
readonly folder=$cache/mutants/$area
readonly tree=$folder/tree output=$folder/share-${shard//\//-of-}

# `first` is what each mutant meets, `second` what those meet besides that survive it; both go to cargo. Test files are
# modules of one program, `together`, which takes less time to link than many. `apart` are those that are not, `skipped`
# tests that wait for the second round: they take long and find little.
# shellcheck disable=SC2206 # Several words, or none.
features=(${SEXTANT_FEATURES:-})
case $area in
  consensus)
    crate=sextant-consensus sources=consensus apart=(bls_fast bls_hints hinted mutations)
    skipped=(participation_from_342_to_512 nothing_but_the_whole_proof_will_do)
    first=(--workspace "${features[@]}" --test=together)
    second=(--package=sextant-vectors --lib --test={together,bls_fast,bls_hints,hinted,mutations,run})
    ;;
  protocol)
    # What is apart watches a whole process's memory.
    crate=sextant-protocol sources=protocol apart=(allocation)
    skipped=(public_values_are_encoded_as_ever a_proof_file_with_a_right_checksum)
    first=(--workspace "${features[@]}" --test=together) second=("${first[@]}" --test=allocation)
    ;;
  server)
    crate=proof-server sources=proof-server apart=() skipped=()
    first=("${features[@]}" --lib)
    second=("${features[@]}" --test={balancer,forwarding,limits,operations,security,sharing,submitting,tenants,upstreams,workers,wrapping})
    ;;
  *)
    echo "mutants: no area is called $area" >&2
    exit 1
    ;;
esac

tool=$(scripts/cargo-tool.sh cargo-mutants "$version")
mkdir -p "$folder" "$output"
# One at a time: whoever comes second waits for the tree.
exec 9<"$folder"
flock 9

# A copy, and a build folder of its own: nothing built out of changed code may be taken for a program. What was built of
# other people's code, SP1 above all, is copied as well. The tree keeps the files' times and has the same path each time,
# so that what is compiled stays compiled.
if [ ! -d "$folder/target" ] && [ -d "$built/release/deps" ]; then
  rm -rf "$folder/seed"
  mkdir -p "$folder/seed"
  (cd "$built" && find third-party.stamp release/{.fingerprint,build,deps} -type f -not -path '*sextant*' -not -path '*proof?server*' \
    \( -not -path 'release/deps/*' -o -name '*.rlib' -o -name '*.rmeta' -o -name '*.so' -o -name '*.d' \) -print0) |
    tar --create --directory "$built" --null --files-from=- | tar --extract --directory "$folder/seed"
  mv "$folder/seed" "$folder/target"
fi
rm -rf "$tree"
mkdir -p "$tree"
git ls-files -z --cached --others --exclude-standard | tar --create --null --files-from=- --ignore-failed-read | tar --extract --directory "$tree"
cd "$tree"
export CARGO_TARGET_DIR=$folder/target
scripts/third-party-times.sh
# What was compiled of these last was changed code.
find "$sources/src" -type f -exec touch {} +
if [ "$area" != server ]; then
  mkdir "$sources/tests/together"
  for name in "${apart[@]}"; do mv "$sources/tests/$name.rs" "$sources/$name.rs"; done
  for file in "$sources"/tests/*.rs; do
    name=$(basename "$file" .rs)
    printf '#[path = "../%s.rs"]\nmod %s;\n' "$name" "$name"
  done >"$sources/tests/together/main.rs"
  for name in "${apart[@]}"; do mv "$sources/$name.rs" "$sources/tests/$name.rs"; done
fi

# What was found holds for this code and these tests.
content=$(find . -type f -not -path './docs/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum)
if [ "$(cat "$output/content" 2>/dev/null)" != "$content" ]; then
  rm -rf "$output"/{first,second}
  echo "$content" >"$output/content"
fi

# A change may make a loop endless that allocates.
ulimit -Sd $((4 << 20))
mutants() { nice -n 10 "$tool/cargo-mutants" mutants --in-place --no-shuffle --package "$crate" "$@"; }

# `found ROUND OUTCOME...`: what a round has found so far, one mutant a line.
found() {
  local round=$1 outcome
  shift
  for outcome; do cat "$output/$round"/*/"$outcome.txt" 2>/dev/null || true; done
}

# `attempt ROUND ARGUMENT...`: tries the mutants named on standard input that the round has not tried yet.
attempt() {
  local round=$1 names status=0
  shift
  mkdir -p "$output/$round"
  # An earlier run was interrupted, or this is one more.
  [ ! -d "$output/$round/mutants.out" ] || mv "$output/$round/mutants.out" "$output/$round/until-$(date +%s)"
  mapfile -t names < <(grep -vxFf <(found "$round" caught missed timeout unviable) |
    sed 's/[][\.*^$+?(){}|]/\\&/g; s/.*/--re=^&$/')
  [ ${#names[@]} -gt 0 ] || return 0
  mutants --output "$output/$round" "${names[@]}" "$@" || status=$?
  # 2: some were missed, 3: some ran out of time.
  case $status in 0 | 2 | 3) ;; *) exit "$status" ;; esac
}

mutants --list "${given[@]}" | awk -v share="${shard%/*}" -v shares="${shard#*/}" '(NR - 1) % shares == share' >"$output/names"
attempt first "${first[@]/#/--cargo-arg=}" -- -- "${skipped[@]/#/--skip=}" <"$output/names"
echo "mutants: what is left, against all tests"
found first missed timeout | attempt second "${second[@]/#/--cargo-arg=}"

found second missed timeout >"$output/survivors"
echo "mutants: $area, share $shard: $(wc -l <"$output/names") tried, $(found first unviable | wc -l) of them do not compile," \
  "$(found first timeout | wc -l) ran out of time, $(wc -l <"$output/survivors") survive"
cat "$output/survivors"
[ ! -s "$output/survivors" ] || exit 2
