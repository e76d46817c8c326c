//! SHA-256 for SSZ, Keccak-256 for the execution layer. Guests link precompile-backed crates of the same names.

use sha2::{Digest, Sha256};
use tiny_keccak::{Hasher, Keccak};

/// A 32-byte hash: an SSZ root, a Keccak-256 digest.
pub type Root = [u8; 32];

/// SHA-256 of the concatenation of `parts`.
pub fn sha256(parts: &[&[u8]]) -> Root {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// An inner node of an SSZ Merkle tree.
pub fn hash_pair(left: &Root, right: &Root) -> Root {
    // The guests' crate has it as one step, without copies, and with the padding block's schedule precomputed.
    #[cfg(target_os = "zkvm")]
    return sha2::hash_pair(left, right);
    #[cfg(not(target_os = "zkvm"))]
    {
        let mut block = [0; 64];
        block[..32].copy_from_slice(left);
        block[32..].copy_from_slice(right);
        Sha256::digest(block).into()
    }
}

/// Keccak-256 as Ethereum uses it.
pub fn keccak256(bytes: &[u8]) -> Root {
    let mut hasher = Keccak::v256();
    hasher.update(bytes);
    let mut digest = [0; 32];
    hasher.finalize(&mut digest);
    digest
}
