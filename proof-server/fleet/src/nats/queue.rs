//! The queue at the broker.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_nats::jetstream::consumer::PullConsumer;
use bytes::Bytes;
use sextant_protocol::{
    JobKey,
    wire::{self, Wire},
};

use super::{
    broker::{Broker, Only, Published, unreachable},
    names::StreamOf,
    oversee, take, waiting,
};
use crate::{
    Answer, DeadLetter, Depth, FleetError, Interest, Lease, Line, MAX_MESSAGE, Made, Outcome, Part, Queue,
    Stage, StageId, StageMessage, Submitted, Watch, Worker, outcome as outcomes,
};

/// The queue of a fleet.
#[derive(Clone)]
pub struct NatsQueue {
    broker: Arc<Broker>,
    consumers: Arc<Mutex<HashMap<Line, PullConsumer>>>,
}

impl NatsQueue {
    pub(super) fn new(broker: Arc<Broker>) -> Self {
        Self { broker, consumers: Arc::default() }
    }

    pub(super) fn broker(&self) -> &Arc<Broker> {
        &self.broker
    }

    pub(super) async fn consumer(&self, line: &Line) -> Result<PullConsumer, FleetError> {
        let known = self.consumers.lock().unwrap_or_else(PoisonError::into_inner).get(line).cloned();
        if let Some(consumer) = known {
            return Ok(consumer);
        }
        let consumer = take::consumer(&self.broker, line).await?;
        let mut consumers = self.consumers.lock().unwrap_or_else(PoisonError::into_inner);
        consumers.insert(line.clone(), consumer.clone());
        Ok(consumer)
    }

    pub(super) fn forget_consumer(&self, line: &Line) {
        self.consumers.lock().unwrap_or_else(PoisonError::into_inner).remove(line);
    }

    async fn bury(&self, letter: &DeadLetter) -> Result<(), FleetError> {
        let subject = self.broker.names.letter(&letter.message.id.to_string());
        self.broker.publish(&subject, wire::to_bytes(letter).into(), None, Only::Always).await.map(|_| ())
    }
}

/// What came of a job, with the number of the message that says so.
pub(super) async fn outcome(broker: &Broker, job: &JobKey) -> Result<Option<(u64, Outcome)>, FleetError> {
    let Some((number, bytes)) = broker.last(StreamOf::Done, &broker.names.done(job)).await? else {
        return Ok(None);
    };
    Ok(Some((number, outcomes::decode(bytes)?)))
}

pub(super) async fn made(broker: &Broker, id: &StageId) -> Result<Option<Made>, FleetError> {
    let found = broker.last(StreamOf::Made, &broker.names.made(id)).await?;
    found.map(|(_, bytes)| read("what was made", bytes)).transpose()
}

pub(super) fn read<T: Wire>(what: &'static str, bytes: Bytes) -> Result<T, FleetError> {
    // A dead letter holds a message, and little more.
    wire::from_bytes(what, bytes, 2 * MAX_MESSAGE).map_err(|error| FleetError::damaged(what, &error))
}

impl Queue for NatsQueue {
    fn submit<'a>(&'a self, message: &'a StageMessage) -> Answer<'a, Submitted> {
        Box::pin(async move {
            let (bytes, id) = (message.encode()?, &message.id);
            // First, since the broker knows ids for a while only.
            if let Some((_, outcome)) = outcome(&self.broker, &id.job).await?
                && outcome.answers(id.generation)
            {
                return Ok(Submitted::Over(Box::new(outcome)));
            }
            if made(&self.broker, id).await?.is_some() {
                return Ok(Submitted::Known);
            }
            let subject = self.broker.names.message(message);
            let published =
                self.broker.publish(&subject, bytes.into(), Some(&message.name()), Only::Always).await?;
            Ok(if published == Published::New { Submitted::New } else { Submitted::Known })
        })
    }

    fn take<'a>(&'a self, lines: &'a [Line], worker: &'a Worker) -> Answer<'a, Lease> {
        Box::pin(take::take(self, lines, worker))
    }

    fn note_made<'a>(&'a self, id: &'a StageId, made: &'a Made) -> Answer<'a, ()> {
        Box::pin(async move {
            outcomes::check_facts(&made.facts)?;
            let subject = self.broker.names.made(id);
            // What is there stands.
            self.broker.publish(&subject, wire::to_bytes(made).into(), None, Only::After(0)).await.map(|_| ())
        })
    }

    fn made<'a>(&'a self, id: &'a StageId) -> Answer<'a, Option<Made>> {
        Box::pin(made(&self.broker, id))
    }

    fn parts<'a>(&'a self, job: JobKey, generation: u32, stage: &'a Stage) -> Answer<'a, Vec<(Part, Made)>> {
        Box::pin(async move {
            let filter = self.broker.names.parts(&job, generation, stage);
            let mut parts = Vec::<(Part, Made)>::new();
            for subject in self.broker.subjects(StreamOf::Made, &filter).await? {
                let name = subject.rsplit('.').next().unwrap_or_default();
                let Some((_, bytes)) = self.broker.last(StreamOf::Made, &subject).await? else { continue };
                parts.push((name.parse()?, read("what was made", bytes)?));
            }
            parts.sort_by(|(one, _), (other, _)| one.cmp(other));
            Ok(parts)
        })
    }

    fn finish<'a>(&'a self, outcome: &'a Outcome) -> Answer<'a, Outcome> {
        Box::pin(async move {
            outcomes::check_facts(&outcome.facts)?;
            let subject = self.broker.names.done(&outcome.job);
            loop {
                let known = self::outcome(&self.broker, &outcome.job).await?;
                let before = match known {
                    Some((_, known)) if known.answers(outcome.generation) => return Ok(known),
                    Some((number, _)) => number,
                    None => 0,
                };
                let payload = wire::to_bytes(outcome).into();
                let published = self.broker.publish(&subject, payload, None, Only::After(before)).await?;
                if published != Published::Other {
                    return Ok(outcome.clone());
                }
            }
        })
    }

    fn outcome(&self, job: JobKey) -> Answer<'_, Option<Outcome>> {
        Box::pin(async move { Ok(outcome(&self.broker, &job).await?.map(|(_, outcome)| outcome)) })
    }

    fn forget(&self, job: JobKey) -> Answer<'_, ()> {
        Box::pin(async move { self.broker.purge(StreamOf::Done, &self.broker.names.done(&job)).await })
    }

    fn watch(&self, job: JobKey, generation: u32) -> Answer<'_, Watch> {
        Box::pin(waiting::watch(&self.broker, job, generation))
    }

    fn interest(&self, job: JobKey) -> Answer<'_, Interest> {
        Box::pin(waiting::interest(&self.broker, job))
    }

    fn cancel<'a>(&'a self, outcome: &'a Outcome) -> Answer<'a, ()> {
        Box::pin(async move {
            // Those who are at it find it when they look.
            self.finish(outcome).await?;
            self.broker.purge(StreamOf::Jobs, &self.broker.names.messages(&outcome.job)).await
        })
    }

    fn depth<'a>(&'a self, line: &'a Line) -> Answer<'a, Depth> {
        Box::pin(async move {
            let consumer = self.consumer(line).await?;
            let info = self
                .broker
                .insist(|| async { consumer.get_info().await.map_err(|error| unreachable(&error)) });
            let info = info.await?;
            let count = |number: usize| number as u64;
            let oldest = match info.num_pending {
                0 => None,
                _ => oversee::age_of_next(&self.broker, line, info.delivered.stream_sequence).await?,
            };
            Ok(Depth {
                waiting: info.num_pending,
                running: count(info.num_ack_pending),
                idle: count(info.num_waiting),
                oldest,
            })
        })
    }

    fn dead(&self) -> Answer<'_, Vec<DeadLetter>> {
        Box::pin(async move {
            let mut letters = Vec::new();
            for subject in self.broker.subjects(StreamOf::Dead, &self.broker.names.letter(">")).await? {
                if let Some((_, bytes)) = self.broker.last(StreamOf::Dead, &subject).await? {
                    letters.push(read("a dead letter", bytes)?);
                }
            }
            Ok(letters)
        })
    }

    fn bury<'a>(&'a self, letter: &'a DeadLetter) -> Answer<'a, ()> {
        Box::pin(self.bury(letter))
    }

    fn unbury<'a>(&'a self, id: &'a StageId) -> Answer<'a, ()> {
        Box::pin(async move {
            self.broker.purge(StreamOf::Dead, &self.broker.names.letter(&id.to_string())).await
        })
    }
}
