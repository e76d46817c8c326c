//! The beacon block header, and the opening of a sync committee's root at the keys that a signature check needs.

use alloc::vec::Vec;

use crate::codec::record;
use crate::hash::{Root, hash_pair};
use crate::merkle::{MerkleError, container_root, multiproof_root, u64_root};

pub use crate::execution::{ExecutionError, ExecutionFacts};

/// A compressed BLS public key.
pub type PublicKey = [u8; 48];

record! {
    /// `BeaconBlockHeader` (phase0/beacon-chain.md).
    #[derive(Copy, Default)]
    #[cfg_attr(feature = "serde", derive(serde::Deserialize))]
    pub struct BeaconBlockHeader {
        /// Slot of the block.
        #[cfg_attr(feature = "serde", serde(with = "crate::json::decimal"))]
        pub slot: u64,
        /// Validator that proposed it.
        #[cfg_attr(feature = "serde", serde(with = "crate::json::decimal"))]
        pub proposer_index: u64,
        /// Root of the block before it.
        #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_array"))]
        pub parent_root: Root,
        /// Root of the beacon state after it.
        #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_array"))]
        pub state_root: Root,
        /// Root of its body.
        #[cfg_attr(feature = "serde", serde(with = "crate::json::hex_array"))]
        pub body_root: Root,
    }
}

impl BeaconBlockHeader {
    /// `hash_tree_root`.
    pub fn root(&self) -> Root {
        let slot_and_proposer = hash_pair(&u64_root(self.slot), &u64_root(self.proposer_index));
        let parent_and_state = hash_pair(&self.parent_root, &self.state_root);
        let body = hash_pair(&self.body_root, &[0; 32]);
        hash_pair(&hash_pair(&slot_and_proposer, &parent_and_state), &hash_pair(&body, &ZERO_PAIR))
    }
}

/// `hash_pair` of two zero leaves.
const ZERO_PAIR: Root = [
    0xf5, 0xa5, 0xfd, 0x42, 0xd1, 0x6a, 0x20, 0x30, 0x27, 0x98, 0xef, 0x6e, 0xd3, 0x09, 0x97, 0x9b, 0x43,
    0x00, 0x3d, 0x23, 0x20, 0xd9, 0xf0, 0xe8, 0xea, 0x98, 0x31, 0xa9, 0x27, 0x59, 0xfb, 0x4b,
];

/// `hash_tree_root` of a public key: 48 bytes in two chunks.
pub fn public_key_root(key: &PublicKey) -> Root {
    let mut chunks = [[0; 32]; 2];
    chunks[0].copy_from_slice(&key[..32]);
    chunks[1][..16].copy_from_slice(&key[32..]);
    hash_pair(&chunks[0], &chunks[1])
}

record! {
    /// Opens a `SyncCommittee` root at its aggregate key and at the keys of some seats, all in one multiproof.
    ///
    /// SOUNDNESS: nothing in it is believed before [`Self::verify`] has led it to a committee root.
    pub struct CommitteeOpening {
        /// `SyncCommittee.aggregate_pubkey`: the sum of all keys, computed by the state transition.
        pub aggregate: PublicKey,
        /// Keys of the seats that are asked for, in the order of the seats.
        pub keys: Vec<PublicKey>,
        /// The multiproof's hashes over the tree of the seats.
        pub proof: Vec<Root>,
    }
}

impl CommitteeOpening {
    /// Checks that the committee of `size` seats with this `root` has these keys at `seats` (ascending), one each.
    ///
    /// # Errors
    /// [`MerkleError`] of the multiproof; a wrong number of keys is [`MerkleError::Length`].
    pub fn verify(&self, size: u64, seats: &[u64], root: &Root) -> Result<(), MerkleError> {
        match self.keys.len().cmp(&seats.len()) {
            core::cmp::Ordering::Less => return Err(MerkleError::Length("few")),
            core::cmp::Ordering::Greater => return Err(MerkleError::Length("many")),
            core::cmp::Ordering::Equal => {}
        }
        let leaves: Vec<_> =
            seats.iter().zip(&self.keys).map(|(seat, key)| (*seat, public_key_root(key))).collect();
        let keys = multiproof_root(size.ilog2(), &leaves, &self.proof)?;
        // `SyncCommittee` is a container of two fields: the vector of keys and the aggregate.
        if hash_pair(&keys, &public_key_root(&self.aggregate)) == *root {
            Ok(())
        } else {
            Err(MerkleError::Root)
        }
    }
}

/// `hash_tree_root(SyncCommittee)` from the roots of its seats' keys and its aggregate.
pub fn committee_root(keys: &[PublicKey], aggregate: &PublicKey) -> Root {
    let seats: Vec<Root> = keys.iter().map(public_key_root).collect();
    hash_pair(&container_root(&seats), &public_key_root(aggregate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_root_is_that_of_the_container() {
        let header = BeaconBlockHeader {
            slot: 1,
            proposer_index: 2,
            parent_root: [3; 32],
            state_root: [4; 32],
            body_root: [5; 32],
        };
        let fields = [u64_root(1), u64_root(2), [3; 32], [4; 32], [5; 32]];
        assert_eq!(header.root(), container_root(&fields));
        assert_eq!(ZERO_PAIR, hash_pair(&[0; 32], &[0; 32]));
    }
}
