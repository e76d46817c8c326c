//! `sextant follow`: keeps proofs up to date until it is told to stop.

use std::{
    sync::Mutex,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sextant_client::{
    ClientConfig, ProofKind, ServerProver,
    follow::{Cadence, Config, Event, Follower, State},
    sources::{BeaconNodes, BlockId},
    verify::pinned_vk_hash,
};
use sextant_consensus::{Program, hash::Root};
use sextant_submit::{Ours, SubmitError, Submitter};
use tokio::signal::unix::{SignalKind, signal};

use super::{Failure, Outcome, prove::client_config};
use crate::{args::Follow, output, progress::Lines, render};

/// Runs the command.
pub async fn run(arguments: Follow) -> Outcome {
    let mut config = Config::new(&arguments.folder.path, arguments.network.expected());
    config.checkpoint = checkpoint(&arguments).await?;
    if arguments.allow_old_checkpoint {
        config.max_checkpoint_age = None;
    }
    config.max_head_age = (arguments.max_head_age > 0).then(|| Duration::from_secs(arguments.max_head_age));
    config.watched = arguments.watched.0.clone();
    config.cadence = if arguments.on_change { Cadence::OnChange } else { Cadence::EachHead };
    config.kind = arguments.kind;
    config.max_handovers = arguments.max_handovers;
    config.poll = Duration::from_secs(arguments.poll);

    let beacon = arguments.beacon.nodes().map_err(|error| format!("--beacon: {error}"))?;
    let execution = match arguments.rpc.rpc[..] {
        [] => None,
        _ => Some(arguments.rpc.nodes(arguments.beacon.config())?),
    };
    let client =
        ClientConfig { verifier: arguments.circuits.verifier()?, ..client_config(&arguments.server)? };
    let mut prover = ServerProver::new(&arguments.server.address, client)
        .with_deadline(arguments.deadline.map(Duration::from_secs));
    if !arguments.json {
        let lines = Mutex::new(Lines::default());
        // A poisoned lock means that printing panicked: then there is nothing left to print.
        prover = prover.with_progress(move |step| {
            if let Ok(mut lines) = lines.lock() {
                lines.show(step);
            }
        });
    }
    let submission = submission(&arguments).await?;
    let mut follower = Follower::open(config, beacon, execution, prover).await?;
    if let Some(submitter) = submission {
        meets(&follower, &submitter).await?;
        follower = follower.with_submission(Box::new(submitter));
    }

    let mut told = Ok(());
    let on_event = |event: Event| {
        if told.is_ok() {
            told = tell(&event, arguments.json);
        }
    };
    if arguments.once {
        let mut on_event = on_event;
        on_event(follower.started());
        follower.step(&mut on_event).await?;
    } else {
        follower.run(on_event, stopped()?).await?;
    }
    told
}

/// Where proofs are submitted to. Looked at before anything is proven.
async fn submission(arguments: &Follow) -> Result<Option<Submitter>, Failure> {
    let Some(contract) = arguments.submit else { return Ok(None) };
    if !matches!(arguments.kind, ProofKind::Groth16 | ProofKind::Plonk) {
        return Err("--submit needs proofs for contracts: --kind groth16".into());
    }
    let sender = arguments.signing.sender(&arguments.submit_rpc).await?;
    let submitter = Submitter::new(sender, contract).await?;
    let selector = match arguments.kind {
        ProofKind::Groth16 => Some(arguments.circuits.selector()?.into()),
        _ => None,
    };
    let ours = Ours {
        committee_change_key: pinned_vk_hash(Program::CommitteeChange).into(),
        inclusion_key: pinned_vk_hash(Program::Inclusion).into(),
        chain_digest: arguments.network.digest().into(),
        selector,
    };
    submitter.preflight(&ours).await?;
    Ok(Some(submitter))
}

/// Whether the contract knows the committee with which this follower's proofs begin, or will when they are submitted.
async fn meets(follower: &Follower<ServerProver>, submitter: &Submitter) -> Outcome {
    let (period, committee) = follower.next_signer()?;
    let first = follower.proofs()?.iter().map(|proof| proof.from_period).fold(period, u64::min);
    let known = submitter.knowledge(first, period - first + 1).await?;
    Ok(known.check_begins(period, &committee.into()).map_err(SubmitError::from)?)
}

/// The block to begin with, if the first start needs one.
async fn checkpoint(arguments: &Follow) -> Result<Option<Root>, Failure> {
    let Some(provider) = &arguments.checkpoint_provider else { return Ok(arguments.checkpoint) };
    if State::is_in(&arguments.folder.path) {
        return Ok(None);
    }
    let nodes = BeaconNodes::new(vec![provider.clone()], arguments.beacon.config())?;
    let (root, header) = nodes.header(BlockId::Finalized).await?;
    if arguments.trust_provider {
        return Ok(Some(root));
    }
    let (root, slot) = (render::hex(&root), header.slot);
    Err(format!(
        "{provider} names block {root} (slot {slot}) as finalized: compare it with another source and give \
         --checkpoint {root}, or say --trust-provider"
    )
    .into())
}

/// One line for one event.
fn tell(event: &Event, json: bool) -> Outcome {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if json {
        let mut value = serde_json::to_value(event)?;
        value["time"] = now.into();
        return output::print_json_line(&value);
    }
    let (hours, minutes, seconds) = (now / 3600 % 24, now / 60 % 60, now % 60);
    output::print(&format!(
        "{hours:02}:{minutes:02}:{seconds:02}  {}\n",
        output::one_line(&event.to_string())
    ))
}

/// Until the terminal or the service manager wants it to end.
fn stopped() -> Result<impl Future<Output = ()>, Failure> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
