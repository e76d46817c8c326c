//! Two servers that want the same proofs, each of which must be answered once.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sextant_fleet::{Outcome, Part, Queue, Store, nats::NatsFleet};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinSet,
};

use crate::{Settings, fake};

/// Wishes of one server that are under way at once.
const WINDOW: usize = 300;
/// After so long without an answer a job is asked for once more: the broker may have lost it.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Wishes {
    asking: JoinSet<Result<(u32, Outcome), String>>,
    answered: watch::Receiver<usize>,
    again: Arc<AtomicUsize>,
}

/// What came of all of them.
pub struct Answers {
    pub answered: usize,
    pub asked_again: usize,
}

impl Wishes {
    pub fn ask(settings: Settings, fleets: &[NatsFleet]) -> Self {
        let (count, answered) = watch::channel(0);
        let (count, again) = (Arc::new(count), Arc::new(AtomicUsize::new(0)));
        let mut asking = JoinSet::new();
        for fleet in fleets {
            let window = Arc::new(Semaphore::new(WINDOW));
            for number in 0..settings.jobs {
                let (fleet, window, count, again) =
                    (fleet.clone(), window.clone(), count.clone(), again.clone());
                asking.spawn(async move {
                    let _place = window.acquire_owned().await.map_err(|error| error.to_string())?;
                    let outcome = wish(&fleet, number, &again)
                        .await
                        .map_err(|error| format!("job {number}: {error}"))?;
                    count.send_modify(|count| *count += 1);
                    Ok((number, outcome))
                });
            }
        }
        Self { asking, answered, again }
    }

    /// Waits for so many answers.
    pub async fn until(&self, answers: usize) {
        // All senders are gone only when all is answered.
        let _ = self.answered.clone().wait_for(|count| *count >= answers).await;
    }

    /// All answers; the two servers must have had the same.
    pub async fn all(mut self) -> Result<Answers, String> {
        let mut outcomes = HashMap::<u32, Outcome>::new();
        let mut answered = 0;
        while let Some(answer) = self.asking.join_next().await {
            let (number, outcome) = answer.map_err(|error| error.to_string())??;
            answered += 1;
            match outcomes.get(&number) {
                Some(other) if *other != outcome => return Err(format!("job {number} has two outcomes")),
                _ => outcomes.insert(number, outcome),
            };
        }
        Ok(Answers { answered, asked_again: self.again.load(Ordering::Relaxed) })
    }
}

async fn wish(fleet: &NatsFleet, number: u32, again: &AtomicUsize) -> Result<Outcome, String> {
    let job = fake::job(number);
    let say = |error: sextant_fleet::FleetError| error.to_string();
    let _interest = fleet.queue().interest(job).await.map_err(say)?;
    let mut generation = 0;
    let outcome = loop {
        let mut watch = fleet.queue().watch(job, generation).await.map_err(say)?;
        let first = fake::message(job, generation, fake::CORE, Part::WHOLE, Vec::new());
        fleet.queue().submit(&first).await.map_err(say)?;
        match tokio::time::timeout(PATIENCE, watch.outcome()).await {
            Ok(outcome) => break outcome.ok_or("the connection is gone")?,
            Err(_) => {
                again.fetch_add(1, Ordering::Relaxed);
                generation += 1;
            }
        }
    };
    let object = outcome.result.clone().map_err(|error| error.to_string())?;
    let bytes = fleet.store().get(&object).await.map_err(say)?.ok_or("its proof is gone")?;
    match bytes == fake::expected(job) {
        true => Ok(outcome),
        false => Err("its proof is of something else".into()),
    }
}
