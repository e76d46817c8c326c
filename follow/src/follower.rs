//! Starting, going on, and the loop.

use std::{future::Future, pin::pin, time::Duration};

use sextant_consensus::{
    hash::Root,
    light_client::{LightClientFinalityUpdate, SyncCommittee},
};
use sextant_sources::{BeaconNodes, Chain, ExecutionNodes, LightClient, input::Sourced};

use crate::{
    Config, Event, FollowError, ProofEntry, Prover, State, StateError, Status, Submit, state::Known,
    status::hex,
};

/// Follows one chain with one folder of state.
#[derive(Debug)]
pub struct Follower<P> {
    pub(crate) config: Config,
    pub(crate) state: State,
    pub(crate) known: Known,
    pub(crate) client: LightClient,
    pub(crate) execution: Option<ExecutionNodes>,
    pub(crate) prover: P,
    pub(crate) submission: Option<Box<dyn Submit>>,
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
        if !config.watched.is_empty() && execution.is_none() {
            return Err(FollowError::NoExecution);
        }
        // First of all the lock: nothing is asked for where another follower is at work.
        let state = State::open(&config.folder)?;
        let chain = beacon.chain(&config.expected).await?;
        if let (Some(execution), Some(id)) = (&execution, chain.execution_chain_id) {
            execution.check_chain(id).await?;
        }
        let known = state.known()?;
        let resumed = known.is_some();
        let (known, client) = match known {
            Some(known) => resume(&config, &state, known, beacon, chain)?,
            None => start(&config, &state, beacon, chain).await?,
        };
        Status::write(&state)?;
        let client = client.with_max_age(config.max_head_age);
        Ok(Self { config, state, known, client, execution, prover, submission: None, resumed })
    }

    /// Every recorded proof, in order.
    ///
    /// # Errors
    /// [`FollowError::State`].
    pub fn proofs(&self) -> Result<Vec<ProofEntry>, FollowError> {
        Ok(self.state.proofs()?)
    }

    /// The committee with which the proof of the next handover begins: its period and root.
    ///
    /// # Errors
    /// [`FollowError::State`].
    pub fn next_signer(&self) -> Result<(u64, Root), FollowError> {
        let period = self.known.proven_period;
        let committee = self.state.committee(period)?;
        let committee = committee.ok_or(StateError::Content("committee of the proven period"))?;
        Ok((period, committee.root()))
    }

    /// One look at the chain, and every proof that is due after it. May be dropped half-way: what was recorded stays.
    ///
    /// # Errors
    /// [`FollowError`]; [`FollowError::is_passing`] tells whether to try again.
    pub async fn step(&mut self, on_event: &mut (dyn FnMut(Event) + Send)) -> Result<(), FollowError> {
        let proven = self.prove_due(on_event).await;
        // Whatever is missing, what is there can be submitted; and a chain that is stuck holds up no proof.
        let submitted = match &proven {
            Err(error) if !error.is_passing() => Ok(()),
            _ => self.submit_due(on_event).await,
        };
        proven.and(submitted)
    }

    async fn prove_due(&mut self, on_event: &mut (dyn FnMut(Event) + Send)) -> Result<(), FollowError> {
        let finality = self.look(on_event).await?;
        let handovers = self.prove_handovers(on_event).await;
        match handovers {
            // An update that no node has any more is no reason to leave the accounts alone.
            Err(error) if !error.is_nodes() => Err(error),
            handovers => {
                self.prove_inclusion(&finality, on_event).await?;
                handovers
            }
        }
    }

    /// Steps until `stop` is there, or something happens that time does not heal.
    ///
    /// # Errors
    /// The first [`FollowError`] that is not passing.
    pub async fn run(
        mut self,
        mut on_event: impl FnMut(Event) + Send,
        stop: impl Future<Output = ()>,
    ) -> Result<(), FollowError> {
        let mut stop = pin!(stop);
        on_event(self.started());
        let mut failures = 0;
        loop {
            let step = tokio::select! {
                step = self.step(&mut on_event) => step,
                () = &mut stop => break,
            };
            let pause = match step {
                Ok(()) => {
                    failures = 0;
                    self.config.poll
                }
                Err(error) if error.is_passing() => {
                    failures += 1;
                    let pause = self.backoff(failures, &error);
                    let retry_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                    on_event(Event::Trouble { message: error.to_string(), retry_ms });
                    pause
                }
                Err(error) => return Err(error),
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = &mut stop => break,
            }
        }
        on_event(Event::Stopped);
        Ok(())
    }

    /// What [`Self::run`] says first.
    pub fn started(&self) -> Event {
        Event::Started {
            finalized_slot: self.client.finalized().slot,
            proven_period: self.known.proven_period,
            resumed: self.resumed,
        }
    }

    fn backoff(&self, failures: u32, error: &FollowError) -> Duration {
        let full = self.config.poll.saturating_mul(1 << (failures - 1).min(16)).min(self.config.max_backoff);
        // Followers that lost the same server must not come back together.
        let pause = full.mul_f64(0.5 + fastrand::f64() / 2.0);
        pause.max(error.retry_after().unwrap_or_default().min(self.config.max_backoff))
    }

    /// Takes the chain's latest finality and keeps what it taught.
    async fn look(
        &mut self,
        on_event: &mut (dyn FnMut(Event) + Send),
    ) -> Result<Sourced<LightClientFinalityUpdate>, FollowError> {
        let before = (self.known.finalized, self.client.known_period());
        let advance = self.client.advance().await?;
        let finalized = *self.client.finalized();
        if before != (finalized, self.client.known_period()) {
            self.state.advance(&finalized, &committees(&self.client))?;
            self.known.finalized = finalized;
            Status::write(&self.state)?;
            on_event(Event::Head {
                finalized_slot: finalized.slot,
                finalized_root: hex(&finalized.root()),
                known_period: self.client.known_period(),
            });
        }
        Ok(advance.finality)
    }
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
        slot_millis: u64::try_from(chain.slot.as_millis()).unwrap_or(u64::MAX),
        checkpoint,
        finalized: *client.finalized(),
        proven_period: client.period(),
        included_slot: 0,
    };
    state.begin(&known, &committees(&client))?;
    Ok((known, client))
}

/// Goes on where the last run was.
fn resume(
    config: &Config,
    state: &State,
    known: Known,
    beacon: BeaconNodes,
    chain: Chain,
) -> Result<(Known, LightClient), FollowError> {
    config.expected.confirm(&known.chain)?;
    match config.checkpoint {
        Some(given) if given != known.checkpoint => {
            return Err(FollowError::OtherCheckpoint { started: known.checkpoint, given });
        }
        _ => {}
    }
    let period = known.chain.period(known.finalized.slot);
    let current = state.committee(period)?.ok_or(StateError::Content("committee of the finalized period"))?;
    let next = state.committee(period + 1)?;
    let client = LightClient::resume(beacon, chain, known.finalized, current, next);
    Ok((known, client))
}

/// The committees that a light client knows, by period.
fn committees(client: &LightClient) -> Vec<(u64, SyncCommittee)> {
    let known = (client.period()..=client.known_period()).filter_map(|period| client.signers(period));
    known.map(|signers| (signers.period, signers.committee)).collect()
}
