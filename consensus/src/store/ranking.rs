//! `is_better_update`: which of two updates of a period is worth keeping.

use core::cmp::Ordering;

use crate::chain::ChainConfig;
use crate::light_client::LightClientUpdate;

/// `is_better_update` (altair/light-client/sync-protocol.md).
pub fn is_better_update(chain: &ChainConfig, new: &LightClientUpdate, old: &LightClientUpdate) -> bool {
    rank(chain, new).cmp(&rank(chain, old)) == Ordering::Greater
}

/// What an update is worth, the most important first; larger is better.
fn rank(chain: &ChainConfig, update: &LightClientUpdate) -> impl Ord + use<> {
    let (attested, signature) = (update.attested_header.beacon.slot, update.signature_slot);
    let participants = update.sync_aggregate.participants();
    let supermajority = update.sync_aggregate.has_supermajority();
    let relevant_committee = update.has_sync_committee() && chain.period(attested) == chain.period(signature);
    let finality = update.has_finality();
    let committee_finality =
        finality && chain.period(update.finalized_header.beacon.slot) == chain.period(attested);
    (
        supermajority,
        // Below two thirds, participation counts before all else.
        if supermajority { 0 } else { participants },
        relevant_committee,
        finality,
        committee_finality,
        participants,
        // Older data changes the best less often.
        core::cmp::Reverse(attested),
        core::cmp::Reverse(signature),
    )
}
