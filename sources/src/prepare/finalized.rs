//! The latest finalized block, and the way to it from the committee that is trusted.

use sextant_consensus::{
    chain::ChainConfig,
    hash::Root,
    light_client::{LightClientFinalityUpdate, LightClientUpdate},
};

use super::{
    PrepareError, Questions,
    inclusion::{Basis, FinalBlock},
};
use crate::{
    BeaconNodes, BlockId, Chain, ExecutionNodes, LightClient,
    input::{self, Parts, Prepared, Signers, Sourced},
};

/// A finalized execution block under which inclusions are made, and the handovers that lead to who signed it.
#[derive(Debug)]
pub struct Finalized {
    client: LightClient,
    config: ChainConfig,
    /// The committee of the trusted block.
    first: Signers,
    /// Updates from there on, one a period.
    updates: Vec<Sourced<LightClientUpdate>>,
    finality: Sourced<LightClientFinalityUpdate>,
    block: FinalBlock,
    /// Where statements begin: at the first committee, or at the one that signed.
    catches_up: bool,
}

impl Finalized {
    /// Goes from a trusted block's root to the latest finalized block. Where no root is trusted the nodes' own latest one is
    /// taken, and statements begin at the committee that signed: the proof names its root, for whoever verifies to compare.
    ///
    /// # Errors
    /// [`PrepareError`].
    pub async fn reach(
        beacon: BeaconNodes,
        execution: &ExecutionNodes,
        chain: Chain,
        checkpoint: Option<Root>,
    ) -> Result<Self, PrepareError> {
        let root = match checkpoint {
            Some(root) => root,
            None => beacon.header(BlockId::Finalized).await?.0,
        };
        let mut client = LightClient::start(beacon, chain, &root).await?;
        let period = client.period();
        let first = client.signers(period).ok_or(PrepareError::NotYet(period))?;
        let (updates, finality) = client.finality().await?;
        let config = client.chain().statement_config();
        let block = FinalBlock::of(&finality.value.finalized_header, &config, execution).await?;
        let catches_up = checkpoint.is_some();
        Ok(Self { client, config, first, updates, finality, block, catches_up })
    }

    /// Lets statements begin at the committee that signed, without the handovers to it.
    #[must_use]
    pub fn separately(mut self) -> Self {
        self.catches_up = false;
        self
    }

    /// Number of the finalized block.
    pub fn number(&self) -> u64 {
        self.block.number
    }

    /// The chain.
    pub fn chain(&self) -> &Chain {
        self.client.chain()
    }

    /// Looks for a later finalized block.
    ///
    /// # Errors
    /// [`PrepareError`].
    pub async fn look(&mut self, execution: &ExecutionNodes) -> Result<(), PrepareError> {
        let (updates, finality) = self.client.finality().await?;
        self.updates.extend(updates);
        self.config = self.client.chain().statement_config();
        self.block = FinalBlock::of(&finality.value.finalized_header, &self.config, execution).await?;
        self.finality = finality;
        Ok(())
    }

    /// The handovers from the trusted committee to the one that signed; none where it signed itself.
    fn handovers(&self) -> Result<&[Sourced<LightClientUpdate>], PrepareError> {
        let period = self.config.period(self.finality.value.signature_slot);
        let count = period.saturating_sub(self.first.period) as usize;
        self.updates.get(..count).ok_or(PrepareError::NotYet(period))
    }

    /// The committee change from the trusted committee to the one that signed, as a statement of its own; none where that
    /// is the same one.
    ///
    /// # Errors
    /// [`PrepareError`].
    pub fn committee_change(&self) -> Result<Option<Prepared>, PrepareError> {
        match self.handovers()? {
            [] => Ok(None),
            updates => Ok(Some(input::committee_change(&self.config, &self.first, updates.to_vec(), None)?)),
        }
    }

    /// What is asked, in this finalized block or an ancestor of it.
    ///
    /// # Errors
    /// [`PrepareError`].
    pub async fn inclusion(
        &self,
        execution: &ExecutionNodes,
        questions: &Questions,
    ) -> Result<Prepared, PrepareError> {
        let mut parts = Parts::under(self.finality.clone());
        let signers;
        let trusted = if self.catches_up {
            parts.handovers = self.handovers()?.to_vec();
            &self.first
        } else {
            let period = self.config.period(self.finality.value.signature_slot);
            signers = self.client.signers(period).ok_or(PrepareError::NotYet(period))?;
            &signers
        };
        Basis::new(&self.config, trusted, parts, self.block.clone()).inclusion(execution, questions).await
    }
}
