//! The local queue.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use sextant_protocol::JobKey;
use tokio::sync::Notify;

use super::{
    hold::LocalHold,
    journal::Journal,
    state::{Picked, State},
};
use crate::{
    Answer, DeadLetter, Depth, FleetError, Interest, Lease, Line, Made, Outcome, Part, Queue, QueueLimits,
    Stage, StageId, StageMessage, Submitted, Watch, Worker, outcome::check_facts,
};

/// A queue in this process, kept in a folder if it has one.
#[derive(Clone)]
pub struct LocalQueue(Arc<Shared>);

pub(super) struct Shared {
    state: Mutex<State>,
    /// Messages have come, or have come back.
    pub(super) arrived: Notify,
    limits: QueueLimits,
    /// Whether each step touches the disk.
    on_disk: bool,
}

impl LocalQueue {
    /// A queue that lives as long as its process.
    #[must_use]
    pub fn in_memory(limits: QueueLimits) -> Self {
        Self::with(State::empty(limits), limits, false)
    }

    /// The queue in `folder`, which is made if it is not there. What the process before left undone waits again.
    ///
    /// # Errors
    /// [`FleetError::Refused`] if the folder cannot be used, or another process has it.
    pub fn open(folder: &Path, limits: QueueLimits) -> Result<Self, FleetError> {
        let state = State::load(limits, Journal::open(folder)?)?;
        Ok(Self::with(state, limits, true))
    }

    fn with(state: State, limits: QueueLimits, on_disk: bool) -> Self {
        Self(Arc::new(Shared { state: Mutex::new(state), arrived: Notify::new(), limits, on_disk }))
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }

    pub(super) async fn run<T: Send + 'static>(
        &self,
        step: impl FnOnce(&mut State) -> Result<T, FleetError> + Send + 'static,
    ) -> Result<T, FleetError> {
        self.0.run(step).await
    }

    /// One look at the lines: a lease, or when another look makes sense.
    async fn look(
        &self,
        lines: &[Line],
        worker: &Worker,
    ) -> Result<Result<Lease, Option<Instant>>, FleetError> {
        let (queue, lines, worker) = (self.clone(), lines.to_vec(), worker.clone());
        self.run(move |state| {
            Ok(state.pick(&lines, &worker)?.map(|Picked { message, delivery, over }| {
                let name = message.name();
                let hold = LocalHold { queue: Arc::downgrade(&queue.0), name, over };
                // Made where nothing is awaited: dropped from here on, it goes back.
                Lease::new(message, delivery, worker, Arc::new(queue), Box::new(hold))
            }))
        })
        .await
    }

    /// Tells the worker when nobody waits for its work any more.
    fn look_after(&self, name: String) {
        let queue = Arc::downgrade(&self.0);
        let often = (self.0.limits.patience / 4).clamp(Duration::from_millis(20), Duration::from_secs(5));
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(often).await;
                let Some(queue) = queue.upgrade() else { return };
                if !queue.state().look_after(&name) {
                    return;
                }
            }
        });
    }
}

impl Shared {
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock, and what is known is consistent between any two steps.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a step, which may write files.
    pub(super) async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        step: impl FnOnce(&mut State) -> Result<T, FleetError> + Send + 'static,
    ) -> Result<T, FleetError> {
        if !self.on_disk {
            return step(&mut self.state());
        }
        let shared = self.clone();
        let step = tokio::task::spawn_blocking(move || step(&mut shared.state()));
        step.await.map_err(|error| FleetError::Refused { what: "the queue", reason: error.to_string() })?
    }
}

impl Queue for LocalQueue {
    fn submit<'a>(&'a self, message: &'a StageMessage) -> Answer<'a, Submitted> {
        Box::pin(async move {
            message.encode()?;
            let message = message.clone();
            let submitted = self.run(move |state| state.submit(message)).await?;
            self.0.arrived.notify_waiters();
            Ok(submitted)
        })
    }

    fn take<'a>(&'a self, lines: &'a [Line], worker: &'a Worker) -> Answer<'a, Lease> {
        Box::pin(async move {
            let _idle = Idle::new(self.0.clone(), lines);
            loop {
                let mut arrived = std::pin::pin!(self.0.arrived.notified());
                // Before looking, so that nothing arrives unnoticed in between.
                arrived.as_mut().enable();
                match self.look(lines, worker).await? {
                    Ok(lease) => {
                        let name = lease.message().name();
                        if let Some(lease) = lease.admit(self.0.limits.deliveries).await? {
                            self.look_after(name);
                            return Ok(lease);
                        }
                    }
                    Err(None) => arrived.await,
                    Err(Some(soonest)) => tokio::select! {
                        () = arrived => {}
                        () = tokio::time::sleep_until(soonest.into()) => {}
                    },
                }
            }
        })
    }

    fn note_made<'a>(&'a self, id: &'a StageId, made: &'a Made) -> Answer<'a, ()> {
        let (id, made) = (id.clone(), made.clone());
        Box::pin(self.run(move |state| {
            check_facts(&made.facts)?;
            state.note_made(id, made)
        }))
    }

    fn made<'a>(&'a self, id: &'a StageId) -> Answer<'a, Option<Made>> {
        Box::pin(async move { Ok(self.0.state().made(id)) })
    }

    fn parts<'a>(&'a self, job: JobKey, generation: u32, stage: &'a Stage) -> Answer<'a, Vec<(Part, Made)>> {
        Box::pin(async move { Ok(self.0.state().parts(job, generation, stage)) })
    }

    fn finish<'a>(&'a self, outcome: &'a Outcome) -> Answer<'a, Outcome> {
        let outcome = outcome.clone();
        Box::pin(self.run(move |state| {
            check_facts(&outcome.facts)?;
            state.finish(outcome)
        }))
    }

    fn outcome(&self, job: JobKey) -> Answer<'_, Option<Outcome>> {
        Box::pin(async move { Ok(self.0.state().outcome(&job)) })
    }

    fn forget(&self, job: JobKey) -> Answer<'_, ()> {
        Box::pin(self.run(move |state| {
            state.forget(&job);
            Ok(())
        }))
    }

    fn watch(&self, job: JobKey, generation: u32) -> Answer<'_, Watch> {
        Box::pin(async move { Ok(Watch::new(self.0.state().watch(job), generation)) })
    }

    fn interest(&self, job: JobKey) -> Answer<'_, Interest> {
        Box::pin(async move {
            self.0.state().enter(job);
            let queue = Arc::downgrade(&self.0);
            Ok(Interest::new(move || {
                if let Some(queue) = queue.upgrade() {
                    queue.state().leave(job);
                }
            }))
        })
    }

    fn cancel<'a>(&'a self, outcome: &'a Outcome) -> Answer<'a, ()> {
        let outcome = outcome.clone();
        Box::pin(self.run(move |state| {
            check_facts(&outcome.facts)?;
            state.cancel(outcome)
        }))
    }

    fn depth<'a>(&'a self, line: &'a Line) -> Answer<'a, Depth> {
        Box::pin(async move { Ok(self.0.state().depth(line)) })
    }

    fn dead(&self) -> Answer<'_, Vec<DeadLetter>> {
        Box::pin(async move { Ok(self.0.state().dead()) })
    }

    fn bury<'a>(&'a self, letter: &'a DeadLetter) -> Answer<'a, ()> {
        let letter = letter.clone();
        Box::pin(self.run(move |state| state.bury(letter)))
    }

    fn unbury<'a>(&'a self, id: &'a StageId) -> Answer<'a, ()> {
        let id = id.clone();
        Box::pin(self.run(move |state| {
            state.unbury(&id);
            Ok(())
        }))
    }
}

/// A worker that waits, counted for each of its lines.
struct Idle {
    queue: Arc<Shared>,
    lines: Vec<Line>,
}

impl Idle {
    fn new(queue: Arc<Shared>, lines: &[Line]) -> Self {
        let mut state = queue.state();
        for line in lines {
            *state.idle.entry(line.clone()).or_default() += 1;
        }
        drop(state);
        Self { queue, lines: lines.to_vec() }
    }
}

impl Drop for Idle {
    fn drop(&mut self) {
        let mut state = self.queue.state();
        for line in &self.lines {
            if let Some(idle) = state.idle.get_mut(line) {
                *idle = idle.saturating_sub(1);
            }
        }
    }
}
