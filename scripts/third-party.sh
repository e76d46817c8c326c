#!/usr/bin/env bash
# Tests of the changed crates in third-party/, which are workspaces of their own: as this machine is built for, and the
# field also as plain x86-64, which has other products.
set -euo pipefail
cd "$(dirname "$0")/../third-party"
(cd p3-bn254-fr && cargo test --release --locked)
(cd p3-bn254-fr && RUSTFLAGS="" cargo test --release --locked)
(cd slop-merkle-tree && cargo test --release --locked)
