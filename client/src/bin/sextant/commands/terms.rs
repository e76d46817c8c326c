//! What a deployment settles for good, for people and programs.

use std::time::Duration;

use serde_json::{Value, json};
use sextant_submit::{Deployment, NextFork};

/// Everything that cannot be changed later, or only by the guardian. `age` is the checkpoint's.
pub fn terms(deployment: &Deployment, chain_id: u64, age: Duration) -> Value {
    let Deployment { trust, rules, .. } = deployment;
    let next_fork = match &trust.next_fork {
        Some(NextFork { slot, digest }) => json!(format!("from slot {slot} on, chain digest {digest}")),
        None => Value::Null,
    };
    let guardian = match deployment.guardian.is_zero() {
        false => json!(deployment.guardian),
        true => Value::Null,
    };
    let mut terms = json!({
        "on_chain": chain_id,
        "genesis_time": rules.genesis_time,
        "seconds_per_slot": rules.seconds_per_slot,
        "chain_digest": trust.chain_digest,
        "next_fork": next_fork,
        "committee_change_key": trust.committee_change_key,
        "inclusion_key": trust.inclusion_key,
        "bundle_key": trust.bundle_key,
        "verifier": trust.verifier,
        "circuits": trust.selector,
        "guardian": guardian,
        "delay_seconds": deployment.delay,
        "max_age_seconds": rules.max_age,
        "min_participation": rules.min_participation,
        "checkpoint_slot": deployment.slot,
        "checkpoint_root": deployment.root,
        "checkpoint_age_seconds": age.as_secs(),
        "period": deployment.period,
        "committee_root": deployment.committee_root,
    });
    if deployment.guardian.is_zero() {
        let next =
            if trust.next_fork.is_some() { "the fork after the next" } else { "the chain's next fork" };
        terms["warning"] = json!(format!(
            "no guardian: nothing can ever be replaced, and the contract ends where {next} begins, or where a period passes \
             without finality"
        ));
    }
    terms
}
