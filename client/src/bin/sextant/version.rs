//! What `--version` says: the version, the commit, and the programs whose proofs count.

use std::sync::LazyLock;

use sextant_client::verify::pinned_vk_hash;
use sextant_consensus::Program;

use crate::render::hex;

/// Version and commit.
pub const SHORT: &str = concat!(env!("CARGO_PKG_VERSION"), " (", env!("SEXTANT_BUILD_COMMIT"), ")");

/// With the programs' verifying keys.
pub static LONG: LazyLock<String> = LazyLock::new(|| {
    let keys = Program::ALL.map(|program| format!("\n{program}: {}", hex(&pinned_vk_hash(program))));
    format!("{SHORT}\nverifying keys of the programs whose proofs count:{}", keys.concat())
});
