//! `update_ranking`: updates of one period, the best first.

use serde::Deserialize;
use sextant_consensus::light_client::LightClientUpdate;
use sextant_consensus::networks::MAINNET;
use sextant_consensus::store::is_better_update;

use crate::case::{Case, Failure};
use crate::config::preset;

#[derive(Deserialize)]
struct Meta {
    updates_count: usize,
}

pub(super) fn run(case: &Case) -> Result<usize, Failure> {
    let [slots_per_epoch, epochs_per_period, committee_size] = preset(&case.preset)?;
    // Only the preset's numbers matter to the ranking.
    let chain = sextant_consensus::chain::ChainConfig {
        slots_per_epoch,
        epochs_per_period,
        committee_size,
        ..MAINNET
    };
    let meta: Meta = case.yaml("meta.yaml")?;
    let updates = (0..meta.updates_count)
        .map(|index| {
            let bytes = case.ssz(&format!("updates_{index}"))?;
            LightClientUpdate::from_ssz(case.fork()?, chain.size(), &bytes)
                .map_err(|e| format!("updates_{index}: {e}"))
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    // The order is total: compare all pairs, not only neighbours.
    for (better, new) in updates.iter().enumerate() {
        for (worse, old) in updates.iter().enumerate().skip(better + 1) {
            if !is_better_update(&chain, new, old) || is_better_update(&chain, old, new) {
                return Err(format!("update {better} is not better than update {worse}"));
            }
        }
    }
    Ok(updates.len() * (updates.len() - 1) / 2)
}
