//! Committee changes from beacon nodes.

use sextant_consensus::{
    chain::ChainConfig,
    hash::Root,
    light_client::{LightClientHeader, LightClientUpdate},
};

use super::PrepareError;
use crate::{
    BeaconNodes, BlockId, Chain, ExecutionNodes, LightClient, MAX_UPDATES, SourceError,
    input::{self, Prepared, Signers, Sourced},
};

/// Which handovers to prove.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Periods {
    /// The period whose committee signs first. Default: that of the checkpoint, or of the latest finalized block.
    pub from: Option<u64>,
    /// The last period whose committee is learned. Default: as far as can be proven now.
    pub to: Option<u64>,
    /// A block root that is trusted. Without one, the first committee is taken from the node: the proof names its root,
    /// for whoever verifies to compare.
    pub checkpoint: Option<Root>,
}

/// Handovers through the periods asked for.
///
/// # Errors
/// [`PrepareError`].
pub async fn committee_change(
    beacon: BeaconNodes,
    chain: Chain,
    periods: Periods,
    execution: Option<&ExecutionNodes>,
) -> Result<Prepared, PrepareError> {
    let (signers, updates) = match (periods.checkpoint, periods.from) {
        (None, Some(from)) if from > 0 => by_its_word(&beacon, &chain, from, periods.to).await?,
        (checkpoint, from) => from_checkpoint(beacon, &chain, checkpoint, from, periods.to).await?,
    };
    let from = signers.period;
    let updates: Vec<_> = match periods.to {
        Some(to) => {
            let count =
                to.checked_sub(from).filter(|count| *count > 0).ok_or(PrepareError::Range { from, to })?;
            if (updates.len() as u64) < count {
                return Err(PrepareError::NotYet(from + updates.len() as u64 + 1));
            }
            updates.into_iter().take(count as usize).collect()
        }
        None => updates.into_iter().take_while(|update| hands_over(&chain, &update.value)).collect(),
    };
    let last = updates.last().ok_or(PrepareError::NotYet(from + 1))?;
    let block = match execution {
        Some(execution) => block_header(execution, &last.value.finalized_header).await?,
        None => None,
    };
    Ok(input::committee_change(&chain.statement_config(), &signers, updates, block.as_ref())?)
}

type Way = (Signers, Vec<Sourced<LightClientUpdate>>);

/// The committee of period `from` by the word of the update before it, and the updates from there.
async fn by_its_word(
    beacon: &BeaconNodes,
    chain: &Chain,
    from: u64,
    to: Option<u64>,
) -> Result<Way, PrepareError> {
    let signers = taught_signers(beacon, chain, from).await?;
    let last = to.map_or(from.saturating_add(MAX_UPDATES - 1), |to| to.saturating_sub(1));
    let head = chain.config.period(chain.current_slot());
    Ok((signers, all_updates(beacon, chain, from, last.min(head)).await?))
}

/// The committee of period `from`, or of the trusted block, and the updates from there, all of them checked.
async fn from_checkpoint(
    beacon: BeaconNodes,
    chain: &Chain,
    checkpoint: Option<Root>,
    from: Option<u64>,
    to: Option<u64>,
) -> Result<Way, PrepareError> {
    let root = match checkpoint {
        Some(root) => root,
        None => beacon.header(BlockId::Finalized).await?.0,
    };
    let mut client = LightClient::start(beacon, chain.clone(), &root).await?;
    let first = client.period();
    let start = client.signers(first);
    let updates = match to {
        // No further than asked for: what lies beyond may not be there yet.
        Some(to) => client.learn_to(to).await?,
        None => client.advance().await?.updates,
    };
    let from = from.unwrap_or(first);
    let skipped =
        from.checked_sub(first).ok_or(PrepareError::BeforeCheckpoint { from, checkpoint: first })?;
    let signers = match skipped.checked_sub(1) {
        None => start,
        Some(before) => updates.get(before as usize).map(|update| taught_by(&chain.config, update)),
    };
    let signers = signers.ok_or(PrepareError::NotYet(from))?;
    Ok((signers, updates.into_iter().skip(skipped as usize).collect()))
}

/// The execution block's header, where the light-client header names only its hash.
async fn block_header(
    execution: &ExecutionNodes,
    header: &LightClientHeader,
) -> Result<Option<Sourced<Vec<u8>>>, SourceError> {
    match &header.execution_block_hash {
        Some(hash) => execution.block_header(hash).await.map(Some),
        None => Ok(None),
    }
}

/// Whether an update proves a handover: two thirds signed, and all within one period.
pub fn hands_over(chain: &Chain, update: &LightClientUpdate) -> bool {
    let period = |slot| chain.config.period(slot);
    let attested = period(update.attested_header.beacon.slot);
    update.sync_aggregate.has_supermajority()
        && update.has_finality()
        && update.has_sync_committee()
        && period(update.signature_slot) == attested
        && period(update.finalized_header.beacon.slot) == attested
}

/// The committee that an update teaches.
pub fn taught_by(config: &ChainConfig, update: &Sourced<LightClientUpdate>) -> Signers {
    Signers {
        source: update.source.clone(),
        period: config.period(update.value.attested_header.beacon.slot) + 1,
        committee: update.value.next_sync_committee.clone(),
    }
}

/// The committee of `period`, by the word of the update before it.
async fn taught_signers(beacon: &BeaconNodes, chain: &Chain, period: u64) -> Result<Signers, PrepareError> {
    let updates = all_updates(beacon, chain, period - 1, period - 1).await?;
    let update = updates.first().ok_or(PrepareError::NotYet(period))?;
    Ok(taught_by(&chain.config, update))
}

/// Updates as the nodes have them, from `first` to `last` at most.
async fn all_updates(
    beacon: &BeaconNodes,
    chain: &Chain,
    first: u64,
    last: u64,
) -> Result<Vec<Sourced<LightClientUpdate>>, PrepareError> {
    if last < first {
        return Err(PrepareError::Range { from: first, to: last.saturating_add(1) });
    }
    let take = |updates: Vec<Sourced<LightClientUpdate>>| {
        let of_use = updates.len();
        Ok::<_, String>((updates, of_use))
    };
    Ok(beacon.updates(&chain.config, first, last - first + 1, take).await?)
}
