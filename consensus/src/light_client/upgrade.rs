//! Data of older forks in the shape of a newer one, for a store of that fork (`light-client/fork.md` of capella,
//! deneb, electra and gloas). Nothing is proven or lost by it: what is data of which fork follows from its slot.

use alloc::vec::Vec;

use crate::chain::{ChainConfig, Fork};
use crate::execution::payload_field_depth;
use crate::hash::Root;
use crate::light_client::{
    LightClientBootstrap, LightClientFinalityUpdate, LightClientHeader, LightClientOptimisticUpdate,
    LightClientUpdate,
};
use crate::merkle::build_branch;

/// `EXECUTION_PAYLOAD_GINDEX` in a block's body until Fulu.
const PAYLOAD_GINDEX: u64 = 25;
/// `EXECUTION_BLOCK_HASH_GINDEX_GLOAS`, the deepest that a header's branch leads to.
const HASH_GINDEX: u64 = 2856;
/// Position of `block_hash` in `ExecutionPayloadHeader`.
const BLOCK_HASH: usize = 12;

/// `normalize_merkle_branch`: zeros in front up to the index's depth.
fn normalize(branch: &mut Vec<Root>, gindex: u64) {
    let missing = (gindex.ilog2() as usize).saturating_sub(branch.len());
    branch.splice(..0, core::iter::repeat_n([0; 32], missing));
}

impl LightClientHeader {
    /// `upgrade_lc_header_to_<fork>`. A header that is already of that fork or a later one stays as it is.
    pub fn upgrade(&mut self, chain: &ChainConfig, fork: Fork) {
        if fork < Fork::Capella || self.execution_block_hash.is_some() {
            return;
        }
        let is_empty = self.is_empty();
        let execution = self.execution.take().unwrap_or_default();
        if fork < Fork::Gloas {
            self.execution = Some(if fork < Fork::Deneb { execution } else { execution.shaped(fork) });
            normalize(&mut self.execution_branch, PAYLOAD_GINDEX);
            return;
        }
        let own_fork = chain.fork_or_genesis(self.beacon.slot);
        let lower = match payload_field_depth(own_fork) {
            Ok(depth) if !is_empty => {
                self.execution_block_hash = Some(execution.block_hash);
                let mut fields = execution.shaped(own_fork).field_roots();
                fields.resize(1 << depth, [0; 32]);
                build_branch(&fields, BLOCK_HASH)
            }
            // Nothing, or a header from before Capella: no execution block is named.
            _ => {
                self.execution_block_hash = Some([0; 32]);
                Vec::new()
            }
        };
        self.execution_branch.splice(..0, lower);
        normalize(&mut self.execution_branch, HASH_GINDEX);
    }
}

impl LightClientBootstrap {
    /// `upgrade_lc_bootstrap_to_<fork>`.
    pub fn upgrade(&mut self, chain: &ChainConfig, fork: Fork) {
        self.header.upgrade(chain, fork);
        normalize(&mut self.current_sync_committee_branch, fork.current_sync_committee_gindex());
    }
}

impl LightClientUpdate {
    /// `upgrade_lc_update_to_<fork>`.
    pub fn upgrade(&mut self, chain: &ChainConfig, fork: Fork) {
        self.attested_header.upgrade(chain, fork);
        self.finalized_header.upgrade(chain, fork);
        normalize(&mut self.next_sync_committee_branch, fork.next_sync_committee_gindex());
        normalize(&mut self.finality_branch, fork.finalized_root_gindex());
    }
}

impl LightClientFinalityUpdate {
    /// `upgrade_lc_finality_update_to_<fork>`.
    pub fn upgrade(&mut self, chain: &ChainConfig, fork: Fork) {
        self.attested_header.upgrade(chain, fork);
        self.finalized_header.upgrade(chain, fork);
        normalize(&mut self.finality_branch, fork.finalized_root_gindex());
    }
}

impl LightClientOptimisticUpdate {
    /// `upgrade_lc_optimistic_update_to_<fork>`.
    pub fn upgrade(&mut self, chain: &ChainConfig, fork: Fork) {
        self.attested_header.upgrade(chain, fork);
    }
}
