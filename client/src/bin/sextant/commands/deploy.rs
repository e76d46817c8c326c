//! `sextant deploy`: a light client contract that begins at a block which its deployer trusts.

use std::time::Duration;

use serde_json::json;
use sextant_client::{
    input::{self, Signers},
    sources::{LightClient, LightClientError},
    verify::pinned_vk_hash,
};
use sextant_consensus::Program;
use sextant_submit::{Address, B256, Deployment};

use super::{
    Failure, Outcome,
    submit::{mined_json, rows},
};
use crate::{args::Deploy, output};

/// Where a contract begins, and the chain's clock.
struct Beginning {
    slot: u64,
    root: B256,
    signers: Signers,
    genesis_time: u64,
    seconds_per_slot: u64,
    digest: B256,
}

/// Runs the command.
pub async fn run(arguments: Deploy) -> Outcome {
    let beginning = beginning(&arguments).await?;
    let deployment = Deployment {
        verifier: arguments.verifier,
        committee_change_key: pinned_vk_hash(Program::CommitteeChange).into(),
        inclusion_key: pinned_vk_hash(Program::Inclusion).into(),
        chain_digest: beginning.digest,
        genesis_time: beginning.genesis_time,
        seconds_per_slot: beginning.seconds_per_slot,
        max_age: arguments.max_age_days * 24 * 60 * 60,
        min_participation: arguments.min_participation,
        slot: beginning.slot,
        root: beginning.root,
        period: beginning.signers.period,
        committee_root: beginning.signers.committee.root().into(),
        guardian: arguments.guardian.unwrap_or(Address::ZERO),
        delay: arguments.delay.unwrap_or_default(),
    };
    let sender = arguments.sending.sender().await?;
    let mut result = if arguments.sending.dry_run {
        let gas = sender.dry_run(None, &deployment.init_code()).await?;
        json!({ "outcome": "would be deployed", "gas_limit": gas })
    } else {
        let deployed = deployment.deploy(&sender, &mut |_| Ok(())).await?;
        let mut result = mined_json("deployed", &deployed.mined);
        result["contract"] = json!(deployed.contract);
        result
    };
    result["checkpoint_slot"] = deployment.slot.into();
    result["checkpoint_root"] = json!(deployment.root);
    result["period"] = deployment.period.into();
    result["committee_root"] = json!(deployment.committee_root);
    result["chain_digest"] = json!(deployment.chain_digest);
    if arguments.sending.json {
        return output::print_json(&result);
    }
    output::print(&rows("light client", &result).to_string())
}

async fn beginning(arguments: &Deploy) -> Result<Beginning, Failure> {
    let network = &arguments.network;
    if let (Some(file), Some(genesis_time)) = (&arguments.bootstrap, arguments.genesis_time) {
        let chain = network.config()?;
        let bootstrap = input::bootstrap(chain, file)?;
        let header = bootstrap.value.header.beacon;
        return Ok(Beginning {
            slot: header.slot,
            root: header.root().into(),
            signers: Signers::of_bootstrap(chain, &bootstrap)?,
            genesis_time,
            seconds_per_slot: arguments.seconds_per_slot,
            digest: chain.digest().into(),
        });
    }
    let checkpoint = arguments.checkpoint.ok_or("--beacon needs --checkpoint")?;
    let beacon = arguments.beacon.nodes()?;
    let chain = beacon.chain(&network.expected()).await?;
    let (genesis_time, slot_length) = (chain.genesis_time, chain.slot);
    if slot_length < Duration::from_secs(1) {
        return Err("the contract counts slots in whole seconds".into());
    }
    let client = LightClient::start(beacon, chain, &checkpoint).await?;
    let header = client.finalized();
    let signers = client
        .signers(client.period())
        .ok_or(LightClientError::Stuck { period: client.period(), wanted: client.period() })?;
    Ok(Beginning {
        slot: header.slot,
        root: header.root().into(),
        signers,
        genesis_time,
        seconds_per_slot: slot_length.as_secs(),
        digest: client.chain().config.digest().into(),
    })
}
