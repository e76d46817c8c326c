//! One look at the chain and what is due after it; and the loop.

use std::{collections::BTreeMap, future::Future, pin::pin, sync::Arc, time::Instant};

use sextant_consensus::light_client::{LightClientFinalityUpdate, SyncCommittee};
use sextant_sources::{ExecutionNodes, LightClient, input::Sourced, prepare::Scan};

use crate::{
    Config, Event, FollowError, Health, ProofEntry, Prover, Report, State, Status, Submit,
    backoff::Backoff,
    chain::Kept,
    contract::View,
    event::OnEvent,
    state::Known,
    status::{hex, unix_now},
};

/// Follows one chain with one folder of state.
#[derive(Debug)]
pub struct Follower<P> {
    pub(crate) config: Config,
    pub(crate) state: State,
    pub(crate) known: Known,
    pub(crate) client: LightClient,
    pub(crate) execution: Option<ExecutionNodes>,
    pub(crate) scan: Scan,
    pub(crate) prover: P,
    pub(crate) submission: Option<Box<dyn Submit>>,
    /// Finalized slot, last period on the contract and last proof of logs for which nothing was left to be submitted.
    pub(crate) logs_looked: Option<(u64, u64, Option<u64>)>,
    /// Finalized slot, last period on the contract and number of proofs for which there was nothing to be bundled yet.
    pub(crate) bundled_looked: Option<(u64, u64, u64)>,
    /// The chain of committees, once it was read or begun.
    pub(crate) chain: Option<Kept>,
    pub(crate) resumed: bool,
    pub(crate) spec: Spec,
    pub(crate) health: Arc<Health>,
}

/// When the nodes were last asked about the chain itself, and what was told of it.
#[derive(Debug, Default)]
pub(crate) struct Spec {
    looked: Option<Instant>,
    /// Days left when a fork was last told of, by its name.
    told: BTreeMap<String, u64>,
}

/// Of several things that went wrong in one step the first counts.
#[derive(Default)]
struct First(Option<FollowError>);

impl First {
    /// The value, or that there is none.
    fn keep<T>(&mut self, outcome: Result<T, FollowError>) -> Option<T> {
        match outcome {
            Ok(value) => Some(value),
            Err(error) => {
                // What ends the follower goes before what passes.
                if self.0.as_ref().is_none_or(|first| first.is_passing() && !error.is_passing()) {
                    self.0 = Some(error);
                }
                None
            }
        }
    }

    fn ends(&self) -> bool {
        self.0.as_ref().is_some_and(|error| !error.is_passing())
    }
}

impl<P: Prover> Follower<P> {
    /// Every recorded proof, in order.
    ///
    /// # Errors
    /// [`FollowError::State`].
    pub fn proofs(&self) -> Result<Vec<ProofEntry>, FollowError> {
        Ok(self.state.proofs()?)
    }

    /// One look at the chain and at the contract, and every proof and submission that is due after it. May be dropped
    /// half-way: what was recorded stays. What fails holds nothing up that does without it.
    ///
    /// # Errors
    /// The first [`FollowError`]; [`FollowError::is_passing`] tells whether to try again.
    pub async fn step(&mut self, on_event: OnEvent<'_>) -> Result<(), FollowError> {
        let mut first = First::default();
        first.keep(self.look_at_chain(on_event).await);
        let finality = self.look(&mut first, on_event).await;
        let mut view = first.keep(self.view().await).flatten();
        first.keep(self.open_chain().await);
        if first.ends() {
            return first.0.map_or(Ok(()), Err);
        }
        // An update that no node has any more is no reason to leave the accounts alone. A prover that is busy is.
        let mut bundled = Vec::new();
        let handed_over = self.hand_over(&mut view, &mut bundled, on_event).await;
        let prover_failed = matches!(handed_over, Err(FollowError::Prover(_) | FollowError::OtherStatement));
        first.keep(handed_over);
        let finality = finality.filter(|_| !prover_failed);
        if let (Some(finality), false) = (&finality, first.ends()) {
            first.keep(self.prove_inclusion(finality, view.as_ref(), on_event).await);
            first.keep(self.prove_logs(finality, view.as_ref(), on_event).await);
        }
        if let (Some(view), false) = (&mut view, first.ends()) {
            first.keep(self.submit_bundled(view, &bundled, on_event).await);
            first.keep(self.submit_inclusion(view, on_event).await);
            first.keep(self.submit_logs(finality.as_ref(), view, on_event).await);
        }
        if !first.ends() {
            first.keep(self.extend_chain(on_event).await);
        }
        first.keep(self.prune(view.as_ref(), on_event));
        first.0.map_or(Ok(()), Err)
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
        let mut backoff = Backoff::default();
        let mut told = None;
        loop {
            let step = tokio::select! {
                step = self.step(&mut on_event) => step,
                () = &mut stop => break,
            };
            let pause = match step {
                Ok(()) => {
                    (backoff, told) = (Backoff::default(), None);
                    self.report();
                    self.health.succeeded();
                    self.config.poll
                }
                Err(error) if error.is_passing() => {
                    // A database whose disk has failed it answers nothing any more until it is opened again.
                    if matches!(error, FollowError::State(_)) {
                        let _ = self.state.reopen();
                    }
                    let pause = backoff.after(&self.config, &error);
                    let message = error.to_string();
                    self.health.trouble(&message);
                    self.report();
                    if error.stands() {
                        self.health.stands(&message);
                    }
                    // The health goes on telling what stands; events are what is new.
                    if !error.stands() || told.as_ref() != Some(&message) {
                        on_event(Event::trouble(&error, pause));
                    }
                    told = error.stands().then_some(message);
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

    /// Tells this one how it goes.
    #[must_use]
    pub fn with_health(mut self, health: Arc<Health>) -> Self {
        self.health = health;
        self.report();
        self
    }

    /// What is known, for whoever watches.
    fn report(&self) {
        let chain = self.client.chain();
        // What cannot be read now was told by the step that failed for it.
        if let (Ok(recorded), Ok(journal), Ok(contract)) =
            (self.state.recorded(), self.state.journal(), self.state.contract())
        {
            self.health.report(Report {
                finalized_slot: self.client.finalized().slot,
                finalized_time: chain.time_of_slot(self.client.finalized().slot),
                period: self.client.period(),
                known_period: self.client.known_period(),
                proven_period: self.known.proven_period,
                chain_period: self.chain.as_ref().map(|kept| kept.chain.newest.period),
                proofs: recorded,
                submitted: journal.accepted,
                contract: if self.submission.is_some() { contract } else { None },
                fork_ahead: chain
                    .ahead
                    .iter()
                    .filter(|fork| !fork.prepared)
                    .map(|fork| chain.time_of_epoch(fork.epoch))
                    .min(),
                submits: self.submission.is_some(),
            });
        }
    }

    /// What [`Self::run`] says first.
    pub fn started(&self) -> Event {
        Event::Started {
            finalized_slot: self.client.finalized().slot,
            proven_period: self.known.proven_period,
            resumed: self.resumed,
        }
    }

    /// Takes the chain's latest finality and the next committee, if nodes can have it yet, and keeps both. What was
    /// learned on the way is kept, whatever came after.
    async fn look(
        &mut self,
        first: &mut First,
        on_event: OnEvent<'_>,
    ) -> Option<Sourced<LightClientFinalityUpdate>> {
        let before = (self.known.finalized, self.client.known_period());
        let finality = first.keep(self.client.finality().await.map_err(Into::into));
        if finality.is_some() {
            first.keep(self.client.learn_on(u64::MAX).await.map_err(Into::into));
        }
        if before != (*self.client.finalized(), self.client.known_period()) {
            first.keep(self.keep_head(on_event))?;
        }
        finality.map(|(_, finality)| finality)
    }

    fn keep_head(&mut self, on_event: OnEvent<'_>) -> Result<(), FollowError> {
        let finalized = *self.client.finalized();
        self.state.advance(&finalized, &committees(&self.client))?;
        self.known.finalized = finalized;
        Status::write(&self.state)?;
        on_event(Event::Head {
            finalized_slot: finalized.slot,
            finalized_root: hex(&finalized.root()),
            known_period: self.client.known_period(),
        });
        Ok(())
    }

    /// Asks the nodes from time to time what they say of the chain itself, and tells of forks that need another version.
    async fn look_at_chain(&mut self, on_event: OnEvent<'_>) -> Result<(), FollowError> {
        let due = self.spec.looked.is_none_or(|looked| looked.elapsed() >= self.config.look_at_chain);
        if due {
            let chain = self.client.beacon().chain(&self.config.expected).await?;
            if chain.config != self.known.chain {
                self.state.record_chain(&chain.config)?;
                self.known.chain = chain.config.clone();
            }
            self.client.set_chain(chain);
            self.spec.looked = Some(Instant::now());
        }
        let chain = self.client.chain();
        for ahead in chain.ahead.iter().filter(|ahead| !ahead.prepared) {
            let time = chain.time_of_epoch(ahead.epoch);
            let days = time.saturating_sub(unix_now()) / (24 * 60 * 60);
            if self.spec.told.insert(ahead.fork.clone(), days) != Some(days) {
                on_event(Event::ForkAhead { fork: ahead.fork.clone(), epoch: ahead.epoch, time, days });
            }
        }
        Ok(())
    }

    /// Removes old proofs; none that the contract may still need.
    fn prune(&mut self, view: Option<&View>, on_event: OnEvent<'_>) -> Result<(), FollowError> {
        let Some(keep) = self.config.keep else { return Ok(()) };
        if self.submission.is_some() && view.is_none() {
            return Ok(());
        }
        let needed = |number: u64, entry: &ProofEntry| {
            view.is_some_and(|view| entry.to_period > view.known_period)
                || self.logs_are_due(number, entry)
                || self.chain_needs(entry)
        };
        match self.state.prune(keep, needed)? {
            0 => Ok(()),
            files => {
                on_event(Event::Pruned { files });
                Ok(())
            }
        }
    }
}

/// The committees that a light client knows, by period.
pub(crate) fn committees(client: &LightClient) -> Vec<(u64, SyncCommittee)> {
    let known = (client.period()..=client.known_period()).filter_map(|period| client.signers(period));
    known.map(|signers| (signers.period, signers.committee)).collect()
}
