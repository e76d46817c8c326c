//! What a beacon block's header proves about its execution block.
//!
//! From Capella to Fulu the body holds the whole payload, and one multiproof shows number, hash and state root. Since
//! Gloas the body names only the hash of an execution block; number and state root are then read from that block's
//! own header in RLP, which must hash to it. Headers of the forks before Gloas may be proven that second way too:
//! Gloas' light-client objects carry nothing more of them (gloas/light-client/fork.md).

use alloc::vec::Vec;

use crate::chain::Fork;
use crate::codec::{Blob, record};
use crate::execution_header::{Block, ExecutionHeader, HeaderError};
use crate::hash::{Root, keccak256};
use crate::merkle::{MerkleError, multiproof_root, u64_root, verify_branch};

record! {
    /// What a beacon block says about its execution block, with the proof from the block's body root.
    ///
    /// SOUNDNESS: nothing in it is believed before [`Self::verify`] has led it to a body root.
    #[derive(Default)]
    pub struct ExecutionFacts {
        /// `block_number`.
        pub block_number: u64,
        /// `block_hash`.
        pub block_hash: Root,
        /// `state_root`: the root of the account trie. Zero: not proven.
        pub state_root: Root,
        /// Multiproof of the three fields in the tree from the body down to the payload's fields; or, where
        /// [`Self::names_hash_only`], the branch of the block hash.
        pub proof: Vec<Root>,
        /// The execution block's header in RLP, where the branch proves no more than its hash. Else empty.
        pub block_header: Blob,
    }
}

/// Why execution facts are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExecutionError {
    /// Light-client headers of this fork do not carry an execution payload header.
    #[error("headers of fork {0} do not carry an execution payload header")]
    Unsupported(Fork),
    /// A header before Capella came with execution facts, which it cannot prove.
    #[error("execution facts given for a header of fork {0}, which cannot prove any")]
    Unprovable(Fork),
    /// The facts do not lead to the body root.
    #[error(transparent)]
    Merkle(#[from] MerkleError),
    /// Number or state root are claimed where only the block hash is proven.
    #[error("block number and state root are claimed without the execution block header that proves them")]
    Unproven,
    /// The execution block header is not the one that the beacon block names.
    #[error("execution block header: it does not hash to the proven block hash")]
    HeaderHash,
    /// The execution block header is none.
    #[error("execution block header: {0}")]
    Header(#[from] HeaderError),
    /// The claimed fact is not the execution block header's.
    #[error("execution block header: its {0} is another")]
    HeaderFact(&'static str),
}

/// Position of `execution_payload` in `BeaconBlockBody` (generalized index 25: depth 4, position 9).
const PAYLOAD_POSITION: u64 = 9;
/// Depth of `execution_payload` in `BeaconBlockBody`.
pub(crate) const PAYLOAD_DEPTH: u32 = 4;
/// Positions of `state_root`, `block_number` and `block_hash` in `ExecutionPayloadHeader`, the same since Bellatrix.
pub(crate) const FACT_FIELDS: [u64; 3] = [2, 6, 12];
/// The last of them.
pub(crate) const BLOCK_HASH_FIELD: usize = 12;

/// Depth of the fields of `ExecutionPayloadHeader`: 15 fields in Capella, 17 since Deneb.
///
/// # Errors
/// [`ExecutionError::Unsupported`] for forks whose headers have none.
pub(crate) fn payload_field_depth(fork: Fork) -> Result<u32, ExecutionError> {
    match fork {
        Fork::Capella => Ok(4),
        Fork::Deneb | Fork::Electra | Fork::Fulu => Ok(5),
        Fork::Phase0 | Fork::Altair | Fork::Bellatrix | Fork::Gloas => Err(ExecutionError::Unsupported(fork)),
    }
}

impl ExecutionFacts {
    /// Facts of which a light-client header proves the block hash alone, by the branch at
    /// [`Fork::execution_block_hash_gindex`].
    pub fn of_block_hash(block_hash: Root, branch: Vec<Root>) -> Self {
        Self { block_hash, proof: branch, ..Self::default() }
    }

    /// Adds number and state root from the execution block's header in RLP.
    ///
    /// # Errors
    /// [`ExecutionError`] unless it is the header of this block hash.
    pub fn with_block_header(mut self, rlp: Vec<u8>) -> Result<Self, ExecutionError> {
        let header = read_block_header(&rlp, &self.block_hash)?;
        (self.block_number, self.state_root) = (header.number, header.state_root);
        self.block_header = Blob(rlp);
        Ok(self)
    }

    /// Whether the branch proves the block hash alone, so that the rest is the block header's to prove: always since
    /// Gloas, and before where a header is given or no state root is claimed.
    pub fn names_hash_only(&self, fork: Fork) -> bool {
        fork >= Fork::Gloas || !self.block_header.is_empty() || self.state_root == [0; 32]
    }

    /// Checks the facts against the body root of a block of `fork`. Before Capella only empty facts pass: a
    /// light-client header of that time proves nothing about execution.
    ///
    /// # Errors
    /// [`ExecutionError`].
    pub fn verify(&self, fork: Fork, body_root: &Root) -> Result<(), ExecutionError> {
        let Some(hash_gindex) = fork.execution_block_hash_gindex() else {
            return if *self == Self::default() { Ok(()) } else { Err(ExecutionError::Unprovable(fork)) };
        };
        if self.names_hash_only(fork) {
            verify_branch(&self.block_hash, &self.proof, hash_gindex, body_root)?;
            return self.check_block_header();
        }
        let depth = payload_field_depth(fork)?;
        let roots = [self.state_root, u64_root(self.block_number), self.block_hash];
        let mut leaves = FACT_FIELDS.map(|field| ((PAYLOAD_POSITION << depth) + field, [0; 32]));
        leaves.iter_mut().zip(roots).for_each(|(leaf, root)| leaf.1 = root);
        if multiproof_root(PAYLOAD_DEPTH + depth, &leaves, &self.proof)? == *body_root {
            Ok(())
        } else {
            Err(MerkleError::Root.into())
        }
    }

    /// The execution block as far as it is proven, and its header where one is given.
    ///
    /// SOUNDNESS: only after [`Self::verify`], which compared the header with the block hash.
    ///
    /// # Errors
    /// [`ExecutionError::Header`], which that would have found.
    pub fn block(&self) -> Result<(Block, Option<ExecutionHeader<'_>>), ExecutionError> {
        if self.block_header.is_empty() {
            let (number, hash, state_root) = (self.block_number, self.block_hash, self.state_root);
            return Ok((Block { number, hash, state_root, ..Block::default() }, None));
        }
        let header = ExecutionHeader::read(&self.block_header)?;
        Ok((header.block(self.block_hash), Some(header)))
    }

    /// Number and state root are the block header's, or nothing where there is none.
    fn check_block_header(&self) -> Result<(), ExecutionError> {
        if self.block_header.is_empty() {
            let claimed = self.block_number != 0 || self.state_root != [0; 32];
            return if claimed { Err(ExecutionError::Unproven) } else { Ok(()) };
        }
        let header = read_block_header(&self.block_header, &self.block_hash)?;
        if header.number != self.block_number {
            return Err(ExecutionError::HeaderFact("number"));
        }
        if header.state_root != self.state_root {
            return Err(ExecutionError::HeaderFact("state root"));
        }
        Ok(())
    }
}

/// The execution block header that hashes to `block_hash`.
fn read_block_header<'a>(rlp: &'a [u8], block_hash: &Root) -> Result<ExecutionHeader<'a>, ExecutionError> {
    if keccak256(rlp) != *block_hash {
        return Err(ExecutionError::HeaderHash);
    }
    Ok(ExecutionHeader::read(rlp)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_that_of_its_hash() {
        assert_eq!(read_block_header(&[0xc0], &[1; 32]), Err(ExecutionError::HeaderHash));
        let short = read_block_header(&[0xc0], &keccak256(&[0xc0]));
        assert_eq!(short, Err(HeaderError::Field("list of fields").into()));
    }

    #[test]
    fn nothing_is_claimed_without_a_header() {
        let facts =
            |block_number, state_root| ExecutionFacts { block_number, state_root, ..Default::default() };
        assert_eq!(facts(0, [0; 32]).check_block_header(), Ok(()));
        assert_eq!(facts(1, [0; 32]).check_block_header(), Err(ExecutionError::Unproven));
        assert_eq!(facts(0, [1; 32]).check_block_header(), Err(ExecutionError::Unproven));
    }
}
