//! The light client of the specification (altair/light-client/sync-protocol.md and its later forks), natively: what a
//! client runs that follows the chain by itself. The statements do not use it; they are stricter (see
//! [`crate::finality`]): here a single signer makes an update valid, and only what is applied needs two thirds.
//!
//! The names are the specification's without `process_light_client_`: [`LightClientStore::update`],
//! [`LightClientStore::finality_update`], [`LightClientStore::optimistic_update`],
//! [`LightClientStore::force_update`].

mod process;
mod ranking;
mod validate;

pub use process::Outcome;
pub use ranking::is_better_update;
pub use validate::UpdateError;

use crate::chain::{ChainConfig, ChainError, Fork};
use crate::hash::Root;
use crate::light_client::{
    HeaderError, LightClientBootstrap, LightClientHeader, LightClientUpdate, SyncCommittee,
};
use crate::merkle::{MerkleError, verify_normalized_branch};

/// `LightClientStore`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LightClientStore {
    /// The chain it follows.
    pub chain: ChainConfig,
    /// The fork whose shape its data has; older data is upgraded to it as it comes in.
    pub fork: Fork,
    /// Header that is finalized.
    pub finalized_header: LightClientHeader,
    /// Committee of the finalized header's period.
    pub current_sync_committee: SyncCommittee,
    /// Committee of the period after it, once known.
    pub next_sync_committee: Option<SyncCommittee>,
    /// Best update to move on with by force if nothing is finalized for a whole period.
    pub best_valid_update: Option<LightClientUpdate>,
    /// Most recent header that is reasonably safe.
    pub optimistic_header: LightClientHeader,
    /// Most signers seen in the period before.
    pub previous_max_active_participants: u64,
    /// Most signers seen in this period.
    pub current_max_active_participants: u64,
}

/// Why a bootstrap is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BootstrapError {
    /// The chain configuration is none this version speaks about.
    #[error("chain: {0}")]
    Chain(#[from] ChainError),
    /// The header is not valid.
    #[error("header: {0}")]
    Header(#[from] HeaderError),
    /// The header is not the trusted block's.
    #[error("header: its root is not the trusted block root")]
    Untrusted,
    /// The committee has another size than the chain's.
    #[error("current_sync_committee has {got} keys, the chain's committees have {expected}")]
    CommitteeSize {
        /// Keys given.
        got: usize,
        /// Keys of the chain's preset.
        expected: usize,
    },
    /// The committee is not in the header's state.
    #[error("current_sync_committee_branch: {0}")]
    Committee(MerkleError),
}

impl LightClientStore {
    /// `initialize_light_client_store`, with data in the shape of `fork`.
    ///
    /// The caller trusts `trusted_block_root`: everything after stands on it (see `docs/security.md`, weak
    /// subjectivity).
    ///
    /// # Errors
    /// [`BootstrapError`].
    pub fn new(
        chain: &ChainConfig,
        fork: Fork,
        trusted_block_root: &Root,
        mut bootstrap: LightClientBootstrap,
    ) -> Result<Self, BootstrapError> {
        chain.validate()?;
        bootstrap.upgrade(chain, fork);
        bootstrap.header.validate(chain)?;
        let header = &bootstrap.header.beacon;
        if header.root() != *trusted_block_root {
            return Err(BootstrapError::Untrusted);
        }
        let committee = bootstrap.current_sync_committee;
        let (got, expected) = (committee.pubkeys.len(), chain.size());
        if got != expected {
            return Err(BootstrapError::CommitteeSize { got, expected });
        }
        verify_normalized_branch(
            &committee.root(),
            &bootstrap.current_sync_committee_branch,
            chain.fork_at(header.slot)?.current_sync_committee_gindex(),
            &header.state_root,
        )
        .map_err(BootstrapError::Committee)?;
        Ok(Self {
            chain: chain.clone(),
            fork,
            optimistic_header: bootstrap.header.clone(),
            finalized_header: bootstrap.header,
            current_sync_committee: committee,
            next_sync_committee: None,
            best_valid_update: None,
            previous_max_active_participants: 0,
            current_max_active_participants: 0,
        })
    }

    /// `upgrade_lc_store_to_<fork>`: the same store in a newer fork's shape.
    pub fn upgrade(&mut self, fork: Fork) {
        self.fork = self.fork.max(fork);
        self.finalized_header.upgrade(&self.chain, self.fork);
        self.optimistic_header.upgrade(&self.chain, self.fork);
        if let Some(update) = &mut self.best_valid_update {
            update.upgrade(&self.chain, self.fork);
        }
    }

    /// Period of the finalized header: the current committee's.
    pub fn period(&self) -> u64 {
        self.chain.period(self.finalized_header.beacon.slot)
    }
}
