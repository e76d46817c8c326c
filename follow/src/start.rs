//! Starting from a checkpoint, or where the last run was.

use std::{future::Future, pin::pin, sync::Arc};

use sextant_sources::{
    BeaconNodes, Chain, ChainMismatch, ExecutionNodes, LightClient, difference, prepare::Scan,
};

use crate::{
    Config, Event, FollowError, Follower, Prover, State, StateError, Status,
    backoff::Backoff,
    follower::{Spec, committees},
    state::Known,
};

/// All that a follower has once it has started.
struct Begun {
    state: State,
    known: Known,
    client: LightClient,
    resumed: bool,
}

impl<P: Prover> Follower<P> {
    /// Opens the folder's state, or starts one from the checkpoint; asks the nodes which chain they are on.
    ///
    /// # Errors
    /// [`FollowError`]: everything that makes following pointless is said here, before any proof.
    pub async fn open(
        config: Config,
        beacon: BeaconNodes,
        execution: Option<ExecutionNodes>,
        prover: P,
    ) -> Result<Self, FollowError> {
        let begun = begin(&config, &beacon, execution.as_ref()).await?;
        Ok(Self::with(config, execution, prover, begun))
    }

    /// The same, but for nodes that are syncing, away or busy: they are waited for, each look that fails an event. `None`
    /// if `stop` is there first.
    ///
    /// # Errors
    /// [`FollowError`]: a refusal ends it.
    pub async fn open_in_time(
        config: Config,
        beacon: BeaconNodes,
        execution: Option<ExecutionNodes>,
        prover: P,
        on_event: &mut (dyn FnMut(Event) + Send),
        stop: impl Future<Output = ()>,
    ) -> Result<Option<Self>, FollowError> {
        let mut stop = pin!(stop);
        let mut backoff = Backoff::default();
        loop {
            let begun = tokio::select! {
                begun = begin(&config, &beacon, execution.as_ref()) => begun,
                () = &mut stop => return Ok(None),
            };
            let error = match begun {
                Ok(begun) => return Ok(Some(Self::with(config, execution, prover, begun))),
                Err(error) if error.passes_at_start() => error,
                Err(error) => return Err(error),
            };
            let pause = backoff.after(&config, &error);
            on_event(Event::trouble(&error, pause));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = &mut stop => return Ok(None),
            }
        }
    }

    fn with(config: Config, execution: Option<ExecutionNodes>, prover: P, begun: Begun) -> Self {
        let Begun { state, known, client, resumed } = begun;
        let client = client.with_max_age(config.max_head_age);
        let scan = Scan::new(config.logs.clone());
        Self {
            config,
            state,
            known,
            client,
            execution,
            scan,
            prover,
            submission: None,
            logs_looked: None,
            bundled_looked: None,
            chain: None,
            resumed,
            spec: Spec::default(),
            health: Arc::default(),
        }
    }
}

async fn begin(
    config: &Config,
    beacon: &BeaconNodes,
    execution: Option<&ExecutionNodes>,
) -> Result<Begun, FollowError> {
    if !(config.watched.is_empty() && config.logs.is_empty()) && execution.is_none() {
        return Err(FollowError::NoExecution);
    }
    // First of all the lock: nothing is asked for where another follower is at work.
    let state = State::open(&config.folder)?;
    let chain = beacon.chain(&config.expected).await?;
    if let (Some(execution), Some(id)) = (execution, chain.execution_chain_id) {
        execution.check_chain(id).await?;
    }
    let known = state.known()?;
    let resumed = known.is_some();
    let (known, client) = match known {
        Some(known) => resume(config, &state, known, beacon.clone(), chain)?,
        None => start(config, &state, beacon.clone(), chain).await?,
    };
    Status::write(&state)?;
    Ok(Begun { state, known, client, resumed })
}

/// Starts from the checkpoint.
async fn start(
    config: &Config,
    state: &State,
    beacon: BeaconNodes,
    chain: Chain,
) -> Result<(Known, LightClient), FollowError> {
    let checkpoint = config.checkpoint.ok_or(FollowError::NoCheckpoint)?;
    let client = LightClient::start(beacon, chain, &checkpoint).await?;
    let chain = client.chain();
    let (slot, age) = (client.finalized().slot, chain.age(client.finalized().slot));
    if let Some(limit) = config.max_checkpoint_age.filter(|limit| age > *limit) {
        return Err(FollowError::OldCheckpoint { slot, age, limit });
    }
    let known = Known {
        chain: chain.config.clone(),
        genesis_time: chain.genesis_time,
        slot_millis: slot_millis(chain),
        checkpoint,
        finalized: *client.finalized(),
        proven_period: client.period(),
        included_slot: 0,
    };
    state.begin(&known, &committees(&client))?;
    Ok((known, client))
}

/// Goes on where the last run was. Forks may have got their dates since then, and may have begun: what was final before
/// that is final under either schedule.
fn resume(
    config: &Config,
    state: &State,
    mut known: Known,
    beacon: BeaconNodes,
    chain: Chain,
) -> Result<(Known, LightClient), FollowError> {
    difference(&known.chain, &chain.config, known.chain.epoch(known.finalized.slot))?;
    for (what, got, expected) in [
        ("genesis time", known.genesis_time, chain.genesis_time),
        ("slot length in milliseconds", known.slot_millis, slot_millis(&chain)),
    ] {
        if got != expected {
            let (got, expected) = (got.to_string(), expected.to_string());
            return Err(ChainMismatch::Differs { what: what.into(), got, expected }.into());
        }
    }
    match config.checkpoint {
        Some(given) if given != known.checkpoint => {
            return Err(FollowError::OtherCheckpoint { started: known.checkpoint, given });
        }
        _ => {}
    }
    if known.chain != chain.config {
        known.chain = chain.config.clone();
        state.record_chain(&known.chain)?;
    }
    let period = known.chain.period(known.finalized.slot);
    let current = state.committee(period)?.ok_or(StateError::Content("committee of the finalized period"))?;
    let next = state.committee(period + 1)?;
    let client = LightClient::resume(beacon, chain, known.finalized, current, next);
    Ok((known, client))
}

fn slot_millis(chain: &Chain) -> u64 {
    u64::try_from(chain.slot.as_millis()).unwrap_or(u64::MAX)
}
