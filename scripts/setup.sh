#!/usr/bin/env bash
# Installs what building Sextant needs and the machine lacks: Rust, a C compiler with libclang, protoc. With --contracts
# also node and npm, which bring what the contracts are compiled and tested with.
# Debian-like machines only; elsewhere it says what is missing and stops.
set -euo pipefail

# The oldest compiler the workspace builds with: `rust-version` in Cargo.toml.
readonly RUST_MINOR=95

rust_is_new_enough() {
  command -v cargo >/dev/null && command -v rustc >/dev/null || return 1
  local version
  version=$(rustc --version | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p')
  [ -n "$version" ] && [ "$version" -ge "$RUST_MINOR" ]
}

# SP1's build scripts compile protocol buffers that import Google's well-known types.
has_protobuf_types() {
  local folder
  for folder in /usr/include /usr/local/include; do
    [ -f "$folder/google/protobuf/empty.proto" ] && return 0
  done
  return 1
}

has_libclang() {
  compgen -G '/usr/lib/llvm-*/lib/libclang*.so*' >/dev/null || compgen -G '/usr/lib/*/libclang*.so*' >/dev/null
}

node_is_new_enough() {
  command -v npm >/dev/null && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ]
}

missing=()
if [ "${1:-}" = --contracts ]; then node_is_new_enough || missing+=(nodejs npm); fi
command -v cc >/dev/null || missing+=(build-essential)
command -v clang >/dev/null || missing+=(clang)
has_libclang || missing+=(libclang-dev)
command -v protoc >/dev/null || missing+=(protobuf-compiler)
has_protobuf_types || missing+=(libprotobuf-dev)
command -v pkg-config >/dev/null || missing+=(pkg-config)
rust_is_new_enough || missing+=(rustc-web cargo-web)

[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if command -v sudo >/dev/null; then as_root=(sudo); else as_root=(false); fi
fi
if ! command -v apt-get >/dev/null || [ "${as_root[*]:-}" = false ]; then
  echo "setup: this machine lacks: ${missing[*]} (names of Debian packages)." >&2
  echo "setup: install them, with Rust 1.$RUST_MINOR or newer, and run make again." >&2
  exit 1
fi
echo "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
# Debian's newer Rust may stand behind an older one that came first in PATH.
if ! rust_is_new_enough; then
  echo "setup: $(command -v rustc) is older than Rust 1.$RUST_MINOR; put a newer one first in PATH." >&2
  exit 1
fi
