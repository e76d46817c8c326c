#!/usr/bin/env bash
# Builds the guests: the programs that are proven inside the zkVM.
#
#   programs/build.sh             build, and print each ELF with its SHA-256
#   programs/build.sh --install   build, then write ELFs, verifying keys and manifest into artifacts/
#   programs/build.sh --check     build from scratch, and compare with artifacts/ if this is the toolchain they record
#   programs/build.sh --block     build the guest of execution blocks alone, and print its ELF with its SHA-256
#   programs/build.sh --toolchain print the toolchain this machine would use, in the manifest's words
#
# Compilers, the first that is there: the zkVM's own `succinct` toolchain (rustup), or Debian's rustc-web with its
# library sources and lld, which are installed when missing and we may. Nothing else is downloaded but crates.
#
#   SEXTANT_GUEST_TOOLCHAIN   `succinct` or `debian`, to choose
#   SEXTANT_GUEST_TARGET      build folder   (default: guest-target in the cache folder)
#   SEXTANT_BLOCK_TARGET      that of the guest of execution blocks (default: block-target in the cache folder)
#   SEXTANT_CACHE             cache folder   (default: ~/.cache/sextant, or under XDG_CACHE_HOME)
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${SEXTANT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sextant}
build_dir=${SEXTANT_GUEST_TARGET:-$cache/guest-target}
cargo_home=${CARGO_HOME:-$HOME/.cargo}
host_target=${CARGO_TARGET_DIR:-$cache/target}
features=${SEXTANT_FEATURES---features proof-server/snark}
statements=(committee-change inclusion)
yardstick=empty # proves nothing: what execution and proof cost by themselves
recursive=(bundle chain) # verify proofs of those above, whose keys they pin
programs=("${statements[@]}" "${recursive[@]}")
target=riscv64im-succinct-zkvm-elf
manifest=programs/Cargo.toml # of the workspace that is built

# Cargo names crates outside the workspace by their absolute path, and those names decide the order of functions in
# an ELF. So that a clone anywhere gives the same bytes, sources are copied to one place and built there.
stage=/tmp/sextant-guests

say() { echo "programs: $*" >&2; }
die() { say "$*"; exit 1; }

# --- which compiler ------------------------------------------------------------------------------------------------

debian_packages=(rustc-web cargo-web rust-web-src lld-22)

succinct_installed() { command -v rustup >/dev/null && rustup toolchain list | grep -q '^succinct'; }

debian_missing() {
    local package
    for package in "${debian_packages[@]}"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
    done
}

install_debian() {
    local missing
    command -v dpkg-query >/dev/null || die "no 'succinct' toolchain and not a Debian system: install it with sp1up"
    mapfile -t missing < <(debian_missing)
    [ ${#missing[@]} -eq 0 ] && return
    [ "$(id -u)" -eq 0 ] || die "missing packages; as root: apt-get install ${missing[*]}"
    say "installing ${missing[*]}"
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}"; } >&2 ||
        die "apt-get could not install ${missing[*]} (Debian 12 has them in bookworm-security)"
}

choose_toolchain() {
    toolchain=${SEXTANT_GUEST_TOOLCHAIN:-$(succinct_installed && echo succinct || echo debian)}
    case $toolchain in
    succinct)
        succinct_installed || die "rustup has no 'succinct' toolchain: install it with sp1up"
        rustc=$(rustup run succinct rustc --print sysroot)/bin/rustc
        cargo=$(command -v cargo)
        linker= # the one it brings
        cargo_flags=(--target "$target")
        ;;
    debian)
        install_debian
        rustc=/usr/bin/rustc
        cargo=/usr/bin/cargo
        linker=/usr/bin/ld.lld-22
        cargo_flags=(
            --target "programs/$target.json" -Zjson-target-spec
            -Zbuild-std=std,panic_abort -Zbuild-std-features=compiler-builtins-mem
        )
        ;;
    *) die "SEXTANT_GUEST_TOOLCHAIN is '$toolchain', neither 'succinct' nor 'debian'" ;;
    esac
}

# One line that names everything whose version decides the bytes.
describe_toolchain() {
    local llvm lld=its\ own
    llvm=$("$rustc" -Vv | sed -n 's/^LLVM version: //p')
    [ -z "$linker" ] || lld=$("$linker" --version | grep -o '[0-9.]*' | head -n 1)
    echo "$toolchain: $("$rustc" -V), LLVM $llvm, linker LLD $lld"
}

sp1_version() { sed -n '/^name = "sp1-zkvm"$/{n;s/^version = "\(.*\)"$/\1/p}' "$repository/programs/Cargo.lock"; }

# --- the build -----------------------------------------------------------------------------------------------------

stage_sources() {
    local file
    mkdir -p -m 700 "$stage"
    [ -O "$stage" ] || die "$stage belongs to somebody else"
    exec 9>"$stage/.lock"
    flock 9
    for file in consensus execution programs Cargo.toml; do
        rm -rf "${stage:?}/$file"
        cp -a "$repository/$file" "$stage/$file"
    done
}

# A clean environment: no flags, wrappers or profiles of the host's build reach the guests.
guest_cargo() {
    local keep=() name
    for name in $(compgen -e | grep -iE '^(CARGO_(NET|HTTP|SOURCE|REGISTRIES)_|https?_proxy|no_proxy|SSL_CERT_|TERM$)'); do
        keep+=("$name=${!name}")
    done
    (cd "$stage" && env -i "${keep[@]}" PATH=/usr/local/bin:/usr/bin:/bin HOME="$HOME" CARGO_HOME="$cargo_home" \
        RUSTC="$rustc" RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$build_dir" CARGO_ENCODED_RUSTFLAGS="${rustflags:-}" \
        "$cargo" "$@" --locked --manifest-path "$manifest")
}

# The flags SP1's own build tool sets, and names instead of paths for whatever ends up in panic messages.
guest_rustflags() {
    local flags=(
        -C passes=lower-atomic
        -C link-arg=--image-base=0x78000000 # above the stack, which grows down from there
        -C panic=abort
        --cfg 'getrandom_backend="custom"'
        -C llvm-args=-misched-prera-direction=bottomup
        -C llvm-args=-misched-postra-direction=bottomup
        --remap-path-prefix="$("$rustc" --print sysroot)/lib/rustlib/src/rust"=/rust
        --remap-path-prefix="$build_dir"=/target
        --remap-path-prefix="$stage"=/sextant
    )
    local registry
    for registry in "$cargo_home"/registry/src/*; do
        flags+=(--remap-path-prefix="$registry"=/crates)
    done
    [ -z "$linker" ] || flags+=(-C linker="$linker")
    (IFS=$'\x1f' && echo -n "${flags[*]}")
}

prepare() {
    stage_sources
    say "building with $(describe_toolchain)"
    guest_cargo fetch >&2 # first, so that the registry's folder can be renamed
    rustflags=$(guest_rustflags)
    elf_dir=$build_dir/$target/release
}

# Builds programs. Each of those that verify proofs is built apart: it switches features of libraries on, which cargo would
# give to whatever is built with it, and other bytes are another program.
build() {
    guest_cargo build --release "${cargo_flags[@]}" "${@/#/--package=}" >&2
}

build_all() {
    prepare
    build "${statements[@]}" "$yardstick"
    build_recursive
}

build_recursive() {
    local program
    for program in "${recursive[@]}"; do
        build "$program"
    done
}

# The guest of execution blocks has a workspace and a lock file of its own: what it needs must not change the others.
build_block() {
    manifest=programs/block/Cargo.toml
    build_dir=${SEXTANT_BLOCK_TARGET:-$cache/block-target}
    prepare
    build block
}

# Built as the server is, and where: with other features all of SP1 would be compiled anew.
seal() {
    # Cargo's features are several words.
    # shellcheck disable=SC2086
    (cd "$repository" && export CARGO_TARGET_DIR=$host_target &&
        cargo build --release --workspace $features --bin seal &&
        "$host_target/release/seal" --elf-dir "$elf_dir" "$@")
}

# --- commands ------------------------------------------------------------------------------------------------------

check() {
    local program recorded ours differs=0
    recorded=$(sed -n 's/^ *"toolchain": "\(.*\)",\{0,1\}$/\1/p' "$repository/artifacts/manifest.json")
    SEXTANT_GUEST_TOOLCHAIN=${SEXTANT_GUEST_TOOLCHAIN:-${recorded%%:*}}
    ours=$(choose_toolchain && describe_toolchain) || ours="no guest toolchain"
    if [ "$recorded" != "$ours" ]; then
        say "not compared: artifacts/ were built with $recorded; this machine has $ours"
        return
    fi
    choose_toolchain
    build_dir=$(mktemp -d)
    trap 'rm -rf "$build_dir"' EXIT
    build_all
    for program in "${programs[@]}" "$yardstick"; do
        if cmp -s "$elf_dir/$program" "$repository/artifacts/$program.elf"; then
            say "$program: artifacts/$program.elf is what the sources give"
        else
            say "$program: artifacts/$program.elf differs from what the sources give; run programs/build.sh --install"
            differs=1
        fi
    done
    return $differs
}

case ${1:-} in
'')
    choose_toolchain
    build_all
    (cd "$elf_dir" && sha256sum "${programs[@]}" "$yardstick")
    ;;
--install)
    choose_toolchain
    prepare
    build "${statements[@]}" "$yardstick"
    for program in "${recursive[@]}"; do
        pinned=programs/$program/src/pinned.rs
        seal pinned --out "$pinned" "${statements[@]}"
        cp "$repository/$pinned" "$stage/$pinned"
    done
    build_recursive
    seal artifacts --out artifacts --yardstick "$yardstick" --toolchain "$(describe_toolchain)" \
        --sp1-version "$(sp1_version)" "${programs[@]}"
    ;;
--check) check ;;
--block)
    choose_toolchain
    build_block
    (cd "$elf_dir" && sha256sum block)
    ;;
--toolchain)
    choose_toolchain
    describe_toolchain
    ;;
*) die "unknown argument '$1'; see the head of $0" ;;
esac
