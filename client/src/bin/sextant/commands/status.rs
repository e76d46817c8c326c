//! `sextant status`: what a follower knows, whether it runs or not.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sextant_client::follow::{self, ContractStatus};

use super::Outcome;
use crate::{
    args::Status,
    output,
    render::{self, duration},
};

/// Runs the command.
pub fn run(arguments: Status) -> Outcome {
    let folder = arguments.folder.path.display();
    let status = follow::Status::read(&arguments.folder.path)?
        .ok_or_else(|| format!("{folder}: nothing was followed here yet, see `sextant follow`"))?;
    if arguments.json {
        return output::print_json(&serde_json::to_value(&status)?);
    }
    let next = &status.next_handover;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let due = match next.first_slot_time.checked_sub(now) {
        Some(seconds) if seconds > 0 => {
            format!("the period begins in {}", duration(Duration::from_secs(seconds)))
        }
        _ => "as soon as a block of that period is final and signed for".into(),
    };
    let mut table = render::Table::default();
    table.row("folder", folder);
    table.row("chain digest", &status.chain_digest);
    table.row("checkpoint", &status.checkpoint);
    table.row("finalized slot", status.finalized_slot);
    table.row("finalized block root", &status.finalized_root);
    table.row("period", status.period);
    table.row("committees known", format!("to period {}", status.known_period));
    table.row("committees proven", format!("to period {}", status.proven_period));
    table.row("proofs", status.proofs);
    if let Some(contract) = &status.contract {
        let ContractStatus { target, known_period, head_slot, in_step, looked_at } = contract;
        table.row("contract", target);
        let step = if *in_step { "in step" } else { "BEHIND the finalized head" };
        table.row(
            "contract knows",
            format!("committees to period {known_period}, {step}; head at slot {head_slot}"),
        );
        table.row(
            "looked at",
            format!("{} ago", duration(Duration::from_secs(now.saturating_sub(*looked_at)))),
        );
        table.row("submissions accepted", status.submitted);
    }
    for (label, proof) in
        [("last committee change", &status.last_committee_change), ("last inclusion", &status.last_inclusion)]
    {
        table.row(label, proof.as_ref().map_or("none".into(), ToString::to_string));
    }
    if let Some(proof) = &status.last_logs {
        table.row("last proof of logs", proof);
    }
    table.row("next handover", format!("period {} to {}: {due}", next.from_period, next.from_period + 1));
    output::print(&table.to_string())
}
