//! Watched logs: all blocks since the last look are read, and what is found in them is proven, oldest first, so many in one
//! proof.

use sextant_consensus::{chain::ChainConfig, light_client::LightClientFinalityUpdate};
use sextant_sources::{
    input::Sourced,
    prepare::{self, BlockLogs, BlockName, LogName, Questions},
};

use crate::{
    FollowError, Follower, Prover,
    contract::View,
    event::OnEvent,
    state::{LogsDone, LogsOf},
};

impl<P: Prover> Follower<P> {
    /// Proves the watched logs of all blocks since the last look, if there is a new head. What is proven stays so, wherever it
    /// is interrupted.
    pub(crate) async fn prove_logs(
        &mut self,
        finality: &Sourced<LightClientFinalityUpdate>,
        view: Option<&View>,
        on_event: OnEvent<'_>,
    ) -> Result<(), FollowError> {
        let header = &finality.value.finalized_header;
        let mut done = self.state.logs_done()?;
        if self.config.logs.is_empty() || done.is_some_and(|done| header.beacon.slot <= done.slot) {
            return Ok(());
        }
        let execution = self.execution.as_ref().ok_or(FollowError::NoExecution)?;
        let config = self.statement_config(finality.value.signature_slot, view)?;
        let after = done.map(|done| done.block);
        let scanned = self.scan.until(&config, header, execution, after).await?;
        for block in &scanned.found {
            // Before this block everything is done.
            let before = block.number.saturating_sub(1);
            let so_far = done.get_or_insert_default();
            so_far.block = so_far.block.max(before);
            self.prove_logs_of(finality, &config, block, so_far, on_event).await?;
        }
        let all = LogsDone { slot: header.beacon.slot, block: scanned.last, ..LogsDone::default() };
        self.state.record_logs_done(&all)?;
        Ok(())
    }

    /// Proves one block's logs, but for those that are.
    async fn prove_logs_of(
        &self,
        finality: &Sourced<LightClientFinalityUpdate>,
        config: &ChainConfig,
        block: &BlockLogs,
        done: &mut LogsDone,
        on_event: OnEvent<'_>,
    ) -> Result<(), FollowError> {
        let execution = self.execution.as_ref().ok_or(FollowError::NoExecution)?;
        let proven = if done.part_block == block.number { done.part as usize } else { 0 };
        let left = block.places.get(proven..).unwrap_or_default();
        for places in left.chunks(self.config.max_logs.max(1)) {
            let questions = Questions {
                block: Some(BlockName::Hash(block.hash)),
                logs: places.iter().copied().map(LogName::InBlock).collect(),
                ..Questions::default()
            };
            let prepared =
                prepare::inclusion_of(&self.client, config, finality, execution, &questions).await?;
            let mut entry = self.prove(prepared, places.len(), on_event).await?;
            entry.logs = Some(LogsOf { block: block.number, count: places.len() });
            if done.part_block != block.number {
                (done.part_block, done.part) = (block.number, 0);
            }
            done.part += places.len() as u64;
            self.state.record_logs(&entry, done)?;
            self.recorded(&entry, on_event)?;
        }
        Ok(())
    }
}
