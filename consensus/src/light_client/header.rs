//! What makes a light-client header a valid one of its slot's fork, and the root of its execution payload header.

use crate::chain::{ChainConfig, Fork};
use crate::execution::payload_field_depth;
use crate::hash::Root;
use crate::light_client::{ExecutionPayloadHeader, LightClientHeader, is_zero};
use crate::merkle::{MerkleError, branch_root, container_root, verify_branch, verify_normalized_branch};

/// `EXECUTION_PAYLOAD_GINDEX` in `BeaconBlockBody`.
const PAYLOAD_GINDEX: u64 = 25;

/// Why `is_valid_light_client_header` does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Headers of that time prove nothing of their execution block.
    #[error("a header of fork {0} with execution fields")]
    Surplus(Fork),
    /// The execution fields are missing, or those of another fork.
    #[error("a header of fork {0} without that fork's execution fields")]
    Shape(Fork),
    /// The execution fields are not in the block's body.
    #[error("execution branch: {0}")]
    Branch(#[from] MerkleError),
}

impl LightClientHeader {
    /// `LightClientHeader()` in any fork's shape: what stands where there is none.
    pub fn is_empty(&self) -> bool {
        self.beacon == Default::default() && self.has_no_execution()
    }

    fn has_no_execution(&self) -> bool {
        let payload = self.execution.as_ref().is_none_or(|execution| {
            execution.clone().shaped(Fork::Capella) == ExecutionPayloadHeader::default()
        });
        payload && self.execution_block_hash.unwrap_or_default() == [0; 32] && is_zero(&self.execution_branch)
    }

    /// `is_valid_light_client_header`, for a header in its own fork's shape or upgraded to a later one.
    ///
    /// # Errors
    /// [`HeaderError`].
    pub fn validate(&self, chain: &ChainConfig) -> Result<(), HeaderError> {
        let fork = chain.fork_or_genesis(self.beacon.slot);
        let Some(hash_gindex) = fork.execution_block_hash_gindex() else {
            return if self.has_no_execution() { Ok(()) } else { Err(HeaderError::Surplus(fork)) };
        };
        let body_root = &self.beacon.body_root;
        match (&self.execution_block_hash, &self.execution) {
            (Some(hash), None) => {
                verify_normalized_branch(hash, &self.execution_branch, hash_gindex, body_root)?
            }
            (None, Some(execution)) => {
                let root = payload_root(execution, fork).ok_or(HeaderError::Shape(fork))?;
                verify_branch(&root, &self.execution_branch, PAYLOAD_GINDEX, body_root)?;
            }
            _ => return Err(HeaderError::Shape(fork)),
        }
        Ok(())
    }

    /// `get_lc_execution_root`: the root of the payload's header; since Gloas the execution block's hash; zero before
    /// Capella. `None` for a header that is not [valid](Self::validate).
    pub fn execution_root(&self, chain: &ChainConfig) -> Option<Root> {
        let fork = chain.fork_or_genesis(self.beacon.slot);
        if fork < Fork::Capella {
            return Some([0; 32]);
        }
        match (&self.execution_block_hash, &self.execution) {
            (Some(hash), None) if fork >= Fork::Gloas => Some(*hash),
            (Some(_), None) if self.beacon.slot == 0 => {
                payload_root(&ExecutionPayloadHeader::default(), fork)
            }
            (Some(hash), None) => {
                // The branch's lower part leads from the hash to the payload header's root.
                let depth = payload_field_depth(fork).ok()? as usize;
                let inner = self.execution_branch.len().checked_sub(PAYLOAD_GINDEX.ilog2() as usize)?;
                let branch = self.execution_branch.get(inner.checked_sub(depth)?..inner)?;
                Some(branch_root(hash, branch, (1 << depth) + 12))
            }
            (None, Some(execution)) => payload_root(execution, fork),
            _ => None,
        }
    }
}

/// Root of a payload's header in the shape of `fork`, which may stand there in a later fork's.
fn payload_root(execution: &ExecutionPayloadHeader, fork: Fork) -> Option<Root> {
    payload_field_depth(fork).ok()?;
    let fields = execution.clone().shaped(fork).field_roots();
    (fields.len() == if fork == Fork::Capella { 15 } else { 17 }).then(|| container_root(&fields))
}
