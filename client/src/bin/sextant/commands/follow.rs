//! `sextant follow`: keeps proofs up to date until it is told to stop.

use std::{
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sextant_client::{
    ClientConfig, ClientError, ProofKind, ServerProver,
    follow::{Cadence, Config, Event, Follower, Health, State, operations},
    sources::{BeaconNodes, BlockId, ExecutionNodes},
    verify::pinned_vk_hash,
};
use sextant_consensus::{Program, hash::Root};
use sextant_submit::{Address, Ours, PreflightError, Submitter};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use super::{Failure, Outcome, asking::client_config};
use crate::{args::Follow, output, progress::Display, render};

/// Runs the command.
pub async fn run(arguments: Follow) -> Outcome {
    let mut config = Config::new(&arguments.folder.path, arguments.network.expected());
    if arguments.allow_old_checkpoint {
        config.max_checkpoint_age = None;
    }
    config.max_head_age = (arguments.max_head_age > 0).then(|| Duration::from_secs(arguments.max_head_age));
    config.watched = arguments.watched.0.clone();
    config.logs = arguments.logs.0.clone();
    config.max_logs = arguments.max_logs.into();
    config.cadence = if arguments.on_change { Cadence::OnChange } else { Cadence::EachHead };
    config.kind = arguments.kind;
    // Who looks once waits for nothing.
    let window = |seconds| if arguments.once { Duration::ZERO } else { Duration::from_secs(seconds) };
    config.bundle_for = arguments.bundle_for.map(window);
    config.chain = arguments.keep_chain.clone();
    config.max_handovers = arguments.max_handovers;
    config.keep = (arguments.keep > 0).then_some(arguments.keep);
    config.poll = Duration::from_secs(arguments.poll);

    refuse_wrong_kinds(&arguments)?;
    let beacon =
        arguments.beacon.nodes(&arguments.access).map_err(|error| Failure::from(error).of("--beacon"))?;
    let execution = match arguments.rpc.rpc[..] {
        [] => None,
        _ => Some(arguments.rpc.nodes(&arguments.access)?),
    };
    let client =
        ClientConfig { verifier: arguments.circuits.verifier()?, ..client_config(&arguments.server)? };
    let mut prover = ServerProver::new(&arguments.server.address, client)
        .with_deadline(arguments.deadline.map(Duration::from_secs));
    if !arguments.json {
        let display = Display::lines();
        prover = prover.with_events(move |event| display.show(event));
    }
    let watches = !(config.watched.is_empty() && config.logs.is_empty());
    let programs = if watches { &Program::OF_CHAINS[..] } else { &[Program::CommitteeChange] };
    // What the server does not do, time does not change. One that cannot be asked now is asked later.
    let mut wanted = match arguments.bundle_for {
        None => vec![(programs, arguments.kind)],
        Some(_) => vec![(programs, ProofKind::Compressed), (&[Program::Bundle], arguments.kind)],
    };
    if arguments.keep_chain.is_some() {
        wanted.push((&[Program::Chain], ProofKind::Compressed));
    }
    for (programs, kind) in wanted {
        if let Err(ClientError::NotOffered(error)) = prover.check_offer(programs, kind).await {
            return Err(ClientError::from(error).into());
        }
    }
    let health = Arc::new(Health::default());
    if let Some(address) = arguments.operations_listen {
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|error| format!("--operations-listen {address}: {error}"))?;
        eprintln!("operations on http://{}", listener.local_addr()?);
        tokio::spawn(operations::serve(listener, health.clone(), arguments.max_head_age));
    }
    let mut told = Ok(());
    let mut on_event = |event: Event| {
        if told.is_ok() {
            told = tell(&event, arguments.json);
        }
    };
    let mut stop = pin!(stopped()?);
    let mut on_start = |event: Event| {
        if let Event::Trouble { message, .. } = &event {
            health.trouble(message);
        }
        on_event(event);
    };
    let begun = begin(&arguments, config, beacon, execution, prover, &mut on_start, &mut stop).await?;
    let Some(follower) = begun else {
        on_event(Event::Stopped);
        return told;
    };
    let mut follower = follower.with_health(health.clone());
    if arguments.once {
        on_event(follower.started());
        follower.step(&mut on_event).await?;
    } else {
        follower.run(on_event, stop).await?;
    }
    told
}

/// What is wanted of the proofs takes one kind of them.
fn refuse_wrong_kinds(arguments: &Follow) -> Result<(), Failure> {
    let kind = arguments.kind;
    if arguments.submit.is_some() && !matches!(kind, ProofKind::Groth16 | ProofKind::Plonk) {
        return Err(Failure::usage("--submit needs proofs for contracts: --kind groth16"));
    }
    if arguments.bundle_for.is_some() && kind != ProofKind::Groth16 {
        return Err(Failure::usage("--bundle-for: bundles for contracts are of --kind groth16"));
    }
    if arguments.keep_chain.is_some() && kind != ProofKind::Compressed {
        return Err(Failure::usage("--keep-chain: a chain is made of compressed proofs: --kind compressed"));
    }
    Ok(())
}

/// Opens the folder and looks at the contract. Nodes that are away or busy are waited for, but with `--once`.
async fn begin(
    arguments: &Follow,
    mut config: Config,
    beacon: BeaconNodes,
    execution: Option<ExecutionNodes>,
    prover: ServerProver,
    on_event: &mut (dyn FnMut(Event) + Send),
    mut stop: impl Future<Output = ()> + Unpin,
) -> Result<Option<Follower<ServerProver>>, Failure> {
    let waiting = Waiting { once: arguments.once, shortest: config.poll, longest: config.max_backoff };
    let checkpoint = waiting.until_it_works("", || checkpoint(arguments), on_event, &mut stop);
    let Some(checkpoint) = checkpoint.await? else { return Ok(None) };
    config.checkpoint = checkpoint;
    let opened = match arguments.once {
        true => Some(Follower::open(config, beacon, execution, prover).await?),
        false => Follower::open_in_time(config, beacon, execution, prover, on_event, &mut stop).await?,
    };
    let Some(follower) = opened else { return Ok(None) };
    let Some(contract) = arguments.submit else { return Ok(Some(follower)) };
    let looked = || submitter(arguments, contract);
    let submitter = waiting.until_it_works("contract: ", looked, on_event, &mut stop).await?;
    Ok(submitter.map(|submitter| follower.with_submission(Box::new(submitter))))
}

/// What a start waits for.
struct Waiting {
    /// For nothing.
    once: bool,
    /// Pauses between two tries, which grow.
    shortest: Duration,
    longest: Duration,
}

impl Waiting {
    /// Tries until it works; what fails and passes is an event each time. `None` if `stop` is there first.
    async fn until_it_works<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        what: &str,
        attempt: impl Fn() -> F,
        on_event: &mut (dyn FnMut(Event) + Send),
        mut stop: impl Future<Output = ()> + Unpin,
    ) -> Result<Option<T>, Failure> {
        let mut pause = self.shortest;
        loop {
            let error = tokio::select! {
                tried = attempt() => match tried {
                    Ok(value) => return Ok(Some(value)),
                    Err(error) => error,
                },
                () = &mut stop => return Ok(None),
            };
            if self.once || !error.is_passing() {
                return Err(error);
            }
            let retry_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
            on_event(Event::Trouble { message: format!("{what}{}", error.message()), retry_ms });
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = &mut stop => return Ok(None),
            }
            pause = (pause * 2).min(self.longest);
        }
    }
}

/// Where proofs are submitted to. Looked at before anything is proven.
async fn submitter(arguments: &Follow, contract: Address) -> Result<Submitter, Failure> {
    let nodes = ExecutionNodes::new(arguments.submit_rpc.clone(), arguments.access.config());
    let nodes = nodes.map_err(|error| Failure::from(error).of("--submit-rpc"))?;
    let sender = arguments.signing.sender(nodes).await?;
    let submitter = Submitter::new(sender, contract).await?;
    let selector = match arguments.kind {
        ProofKind::Groth16 => Some(arguments.circuits.selector()?.into()),
        _ => None,
    };
    // Of the chain it may take another digest for a while, around a fork: each look compares that.
    let trust = submitter.knowledge(0, 0).await?.trust;
    if arguments.bundle_for.is_some() && trust.bundle_key.is_none() {
        return Err(Failure::from(PreflightError::NoBundles).of("--bundle-for"));
    }
    let ours = Ours {
        committee_change_key: pinned_vk_hash(Program::CommitteeChange).into(),
        inclusion_key: pinned_vk_hash(Program::Inclusion).into(),
        bundle_key: pinned_vk_hash(Program::Bundle).into(),
        chain_digest: trust.chain_digest,
        selector,
    };
    submitter.preflight(&ours).await?;
    Ok(submitter)
}

/// The block to begin with, if the first start needs one.
async fn checkpoint(arguments: &Follow) -> Result<Option<Root>, Failure> {
    let Some(provider) = &arguments.checkpoint_provider else { return Ok(arguments.checkpoint) };
    if State::is_in(&arguments.folder.path) {
        return Ok(None);
    }
    let nodes = BeaconNodes::new(vec![provider.clone()], arguments.access.config())?;
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
