//! `sextant deploy`: a light client contract that begins at a block which its deployer trusts.

use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

use serde_json::json;
use sextant_client::{
    input::{self, Signers},
    sources::{Chain, Clock, LightClient, LightClientError, forks},
    verify::pinned_vk_hash,
};
use sextant_consensus::{
    Program,
    beacon::BeaconBlockHeader,
    chain::{ChainConfig, FAR_FUTURE_EPOCH},
};
use sextant_submit::{Address, Deployment, NextFork, Rules, Trust, probe_verifier};

use super::{
    Failure, Outcome,
    submit::{mined_json, rows},
    terms,
};
use crate::{args::Deploy, output};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// As a follower's limit: some less than the weak-subjectivity period.
const MAX_CHECKPOINT_AGE: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Where a contract begins, on which chain.
struct Beginning {
    header: BeaconBlockHeader,
    signers: Signers,
    chain: Chain,
}

/// Runs the command.
pub async fn run(arguments: Deploy) -> Outcome {
    let beginning = beginning(&arguments).await?;
    let chain = &beginning.chain;
    let deployment = deployment(&arguments, &beginning)?;
    deployment.check(chain.config.committee_size)?;
    check_age(&arguments, &beginning)?;
    let trust = &deployment.trust;
    probe_verifier(&arguments.sending.nodes()?, trust.verifier, trust.selector, trust.inclusion_key).await?;

    let sender = arguments.sending.sender().await?;
    let age = chain.age(beginning.header.slot);
    let mut result = terms::terms(&deployment, sender.chain_id(), age);
    if arguments.sending.dry_run {
        let gas = sender.dry_run(None, &deployment.init_code()).await?;
        result["outcome"] = "would be deployed".into();
        result["gas_limit"] = gas.into();
    } else {
        confirm(&arguments, &rows("light client, for good", &result).to_string())?;
        let deployed = deployment.deploy(&sender, &mut |_| Ok(())).await?;
        let mined = mined_json("deployed", &deployed.mined);
        for (name, value) in mined.as_object().into_iter().flatten() {
            result[name] = value.clone();
        }
        result["contract"] = json!(deployed.contract);
    }
    if arguments.sending.json {
        return output::print_json(&result);
    }
    output::print(&rows("light client", &result).to_string())
}

fn deployment(arguments: &Deploy, beginning: &Beginning) -> Result<Deployment, Failure> {
    let Beginning { header, signers, chain } = beginning;
    if chain.slot.subsec_nanos() != 0 {
        return Err("the contract counts slots in whole seconds".into());
    }
    let two_thirds = (chain.config.committee_size * 2).div_ceil(3);
    let current = chain.statement_config();
    Ok(Deployment {
        trust: Trust {
            verifier: arguments.verifier,
            selector: arguments.circuits.selector()?.into(),
            committee_change_key: pinned_vk_hash(Program::CommitteeChange).into(),
            inclusion_key: pinned_vk_hash(Program::Inclusion).into(),
            bundle_key: Some(pinned_vk_hash(Program::Bundle).into()),
            chain_digest: current.digest().into(),
            next_fork: match arguments.next_fork_epoch {
                Some(epoch) => Some(next_fork(&current, epoch)?),
                None => known_next_fork(chain),
            },
        },
        rules: Rules {
            genesis_time: chain.genesis_time,
            seconds_per_slot: chain.slot.as_secs(),
            max_age: arguments.max_age_days.saturating_mul(DAY.as_secs()),
            min_participation: arguments.min_participation.unwrap_or(u32::try_from(two_thirds)?),
        },
        slot: header.slot,
        root: header.root().into(),
        period: signers.period,
        committee_root: signers.committee.root().into(),
        guardian: guardian(arguments)?,
        delay: arguments.delay.unwrap_or_default(),
    })
}

/// Who may replace what is trusted; zero, which nobody can mean by naming it, for nobody.
fn guardian(arguments: &Deploy) -> Result<Address, Failure> {
    match arguments.guardian {
        Some(guardian) if guardian.is_zero() => {
            Err("--guardian: zero is nobody's address: leave it out if nothing may ever be replaced".into())
        }
        guardian => Ok(guardian.unwrap_or_default()),
    }
}

/// The chain with the next date that is known of it, which its statements do not have yet.
fn known_next_fork(chain: &Chain) -> Option<NextFork> {
    let current = chain.statement_config();
    let next =
        forks::agreeing(&chain.config, chain.current_epoch()).into_iter().find(|next| *next != current)?;
    let (_, fork) = current.forks.0.iter().zip(&next.forks.0).find(|(current, next)| current != next)?;
    let slot = fork.epoch.saturating_mul(chain.config.slots_per_epoch);
    Some(NextFork { slot, digest: next.digest().into() })
}

/// The chain with its first fork that has no date beginning at `epoch`.
fn next_fork(chain: &ChainConfig, epoch: u64) -> Result<NextFork, Failure> {
    let mut next = chain.clone();
    let forks = &mut next.forks.0;
    let fork = forks.iter_mut().find(|fork| fork.epoch == FAR_FUTURE_EPOCH);
    fork.ok_or("--next-fork-epoch: every fork that this build knows has a date")?.epoch = epoch;
    next.validate().map_err(|error| format!("--next-fork-epoch {epoch}: {error}"))?;
    let slot = epoch.checked_mul(chain.slots_per_epoch);
    let slot = slot.ok_or_else(|| format!("--next-fork-epoch {epoch}: no slot is that far ahead"))?;
    Ok(NextFork { slot, digest: next.digest().into() })
}

/// Weak subjectivity: who signed long ago can no longer be held to it, and may have sold the key.
fn check_age(arguments: &Deploy, beginning: &Beginning) -> Outcome {
    let age = beginning.chain.age(beginning.header.slot);
    let limit = MAX_CHECKPOINT_AGE.min(DAY.saturating_mul(u32::try_from(arguments.max_age_days)?));
    if age <= limit || arguments.allow_old_checkpoint {
        return Ok(());
    }
    let days = |time: Duration| time.as_secs() / DAY.as_secs();
    Err(format!(
        "the checkpoint is of slot {}, {} days ago, more than {}: whoever signed for it may have left with the stake (weak \
         subjectivity); take a newer one, or say --allow-old-checkpoint",
        beginning.header.slot,
        days(age),
        days(limit)
    )
    .into())
}

/// Nothing of this can be taken back: a person has seen it, or has said so beforehand.
fn confirm(arguments: &Deploy, terms: &str) -> Outcome {
    if arguments.yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(
            "a deployment is for good, and nobody is there to ask: look at it with --dry-run, then say --yes"
                .into(),
        );
    }
    eprint!("{terms}\nDeploy? [y/N] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err("not deployed".into()),
    }
}

async fn beginning(arguments: &Deploy) -> Result<Beginning, Failure> {
    let network = &arguments.network;
    if let Some(file) = &arguments.bootstrap {
        let config = network.config()?;
        let clock = Clock::of(&config.genesis_validators_root)
            .ok_or("the network's clock is not known: give --beacon")?;
        let bootstrap = input::bootstrap(config, file)?;
        let chain = Chain {
            config: config.clone(),
            genesis_time: clock.genesis_time,
            slot: clock.slot,
            execution_chain_id: Some(clock.execution_chain_id),
            pinned: None,
            ahead: Vec::new(),
        };
        let signers = Signers::of_bootstrap(config, &bootstrap)?;
        return Ok(Beginning { header: bootstrap.value.header.beacon, signers, chain });
    }
    let checkpoint = arguments.checkpoint.ok_or_else(|| Failure::usage("--beacon needs --checkpoint"))?;
    let beacon = arguments.beacon.nodes(&arguments.sending.access)?;
    let chain = beacon.chain(&network.expected()).await?;
    let client = LightClient::start(beacon, chain, &checkpoint).await?;
    let signers = client
        .signers(client.period())
        .ok_or(LightClientError::Stuck { period: client.period(), wanted: client.period() })?;
    Ok(Beginning { header: *client.finalized(), signers, chain: client.chain().clone() })
}
