//! The operator's side of the queue at the broker.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use async_nats::jetstream::{self, stream::InfoError};
use bytes::Bytes;
use futures_util::TryStreamExt;
use sextant_protocol::{JobKey, wire};
use tokio::sync::watch;

use super::{
    broker::{Broker, Found, Only, Published, unreachable},
    names::{StreamOf, line_of_consumer},
    queue::{self, NatsQueue},
    take,
};
use crate::{
    Answer, Attendance, FleetError, InHand, Line, Made, Oversee, Pause, Paused, Pauses, Present, Queued,
    StageId, StageMessage, Worker, time::unix_ms,
};

/// How old the message is that comes after number `last` in a line.
pub(super) async fn age_of_next(
    broker: &Broker,
    line: &Line,
    last: u64,
) -> Result<Option<Duration>, FleetError> {
    let next = broker.next(StreamOf::Jobs, &broker.names.line(line), last.saturating_add(1)).await?;
    Ok(next.map(|found| Duration::from_millis(unix_ms().saturating_sub(found.time_ms))))
}

/// All pauses, with the number of the message that says so.
async fn said(broker: &Broker) -> Result<(u64, Pauses), FleetError> {
    match broker.last(StreamOf::Pauses, &broker.names.pauses()).await {
        Ok(None) => Ok((0, Pauses::default())),
        Ok(Some((number, bytes))) => Ok((number, queue::read::<Pauses>("the pauses", bytes)?.running())),
        Err(error) if take::is_no_stream(&error) => Ok((0, Pauses::default())),
        Err(error) => Err(error),
    }
}

/// Who is to take nothing now. A broker that has lost its streams knows of nobody.
pub(super) async fn pauses(broker: &Broker) -> Result<Pauses, FleetError> {
    Ok(said(broker).await?.1)
}

/// Changes the pauses, whoever else does so at the same time.
async fn change<T>(broker: &Broker, change: impl Fn(&mut Pauses) -> T) -> Result<T, FleetError> {
    loop {
        let (before, mut pauses) = said(broker).await?;
        let changed = change(&mut pauses);
        let (subject, bytes) = (broker.names.pauses(), wire::to_bytes(&pauses).into());
        let published = broker.publish(&subject, bytes, None, Only::After(before)).await?;
        if published != Published::Other {
            return Ok(changed);
        }
    }
}

/// Why a stream says nothing of itself: other than a broker that is away, one that has none will not have it in a while.
fn not_there(error: &InfoError) -> FleetError {
    let answer =
        std::error::Error::source(error).and_then(|source| source.downcast_ref::<jetstream::Error>());
    match answer {
        Some(answer) if answer.code() == 404 => FleetError::Refused {
            what: "the fleet's broker",
            reason: "it has no fleet: an entrypoint makes one when it starts".into(),
        },
        _ => unreachable(error),
    }
}

/// Says that a worker is there, until nobody holds its [`Attendance`] any more. Lost, it is said again.
async fn say(broker: Arc<Broker>, worker: Worker, lines: Vec<Line>, mut at: watch::Receiver<Option<InHand>>) {
    let since_ms = unix_ms();
    let (weak, often) = (Arc::downgrade(&broker), broker.config.queue.patience / 3);
    let subject = broker.names.worker(&worker);
    drop(broker);
    loop {
        let Some(broker) = weak.upgrade() else { return };
        let now = at.borrow_and_update().clone();
        let present = Present { worker: worker.clone(), lines: lines.clone(), since_ms, at: now };
        // Not acknowledged: nobody waits for it.
        let _ = broker.client.publish(subject.clone(), wire::to_bytes(&present).into()).await;
        let left = tokio::select! {
            changed = at.changed() => changed.is_err(),
            () = tokio::time::sleep(often) => false,
        };
        if left {
            // Nothing is nobody.
            let _ = broker.client.publish(subject, Bytes::new()).await;
            return;
        }
    }
}

impl NatsQueue {
    async fn seen(&self, line: &Line, found: Found, delivered: u64) -> Result<Option<Queued>, FleetError> {
        // Whoever takes what nobody can read sees to it.
        let Ok(message) = StageMessage::decode(found.payload) else { return Ok(None) };
        let (taken, name) = (found.number <= delivered, message.name());
        let (mut deliveries, mut reason) = (0, None);
        if taken {
            let broker = self.broker();
            deliveries = take::count(broker, &name).await?;
            let said = broker.last(StreamOf::Dead, &broker.names.reason(&name)).await?;
            reason = said.map(|(_, reason)| String::from_utf8_lossy(&reason).into_owned());
        }
        Ok(Some(Queued {
            id: message.id,
            release: line.release.clone(),
            lane: line.lane,
            attempt: message.attempt,
            input: message.work.stored.map(|object| object.name),
            since_ms: found.time_ms,
            taken,
            deliveries,
            reason,
        }))
    }

    async fn messages(&self, job: Option<JobKey>, most: usize) -> Result<Vec<Queued>, FleetError> {
        let broker = self.broker();
        let filter = job.map_or_else(|| broker.names.all(StreamOf::Jobs), |job| broker.names.messages(&job));
        let (mut messages, mut delivered) = (Vec::new(), BTreeMap::<Line, u64>::new());
        for subject in broker.subjects(StreamOf::Jobs, &filter).await? {
            let Some(line) = broker.names.line_of(&subject) else { continue };
            if !delivered.contains_key(&line) {
                let consumer = self.consumer(&line).await?;
                let info = broker
                    .insist(|| async { consumer.get_info().await.map_err(|error| unreachable(&error)) });
                delivered.insert(line.clone(), info.await?.delivered.stream_sequence);
            }
            // A stage with several parts has several messages there.
            let mut from = 0;
            while let Some(found) = broker.next(StreamOf::Jobs, &subject, from).await? {
                from = found.number.saturating_add(1);
                messages.extend(self.seen(&line, found, delivered[&line]).await?);
                if messages.len() >= most {
                    return Ok(messages);
                }
            }
        }
        messages.sort_by_key(|message| message.since_ms);
        Ok(messages)
    }

    async fn all_lines(&self) -> Result<Vec<Line>, FleetError> {
        let broker = self.broker();
        let stream = broker.stream(StreamOf::Jobs).await?;
        broker.insist(|| async { stream.get_info().await.map_err(|error| not_there(&error)) }).await?;
        let names = broker.insist(|| async {
            let names = stream.consumer_names().try_collect::<Vec<_>>();
            names.await.map_err(|error| unreachable(&error))
        });
        let taken = names.await?.iter().filter_map(|name| line_of_consumer(name)).collect::<BTreeSet<_>>();
        let subjects = broker.subjects(StreamOf::Jobs, &broker.names.all(StreamOf::Jobs)).await?;
        let held = subjects.iter().filter_map(|subject| broker.names.line_of(subject));
        Ok(taken.into_iter().chain(held).collect::<BTreeSet<_>>().into_iter().collect())
    }
}

impl Oversee for NatsQueue {
    fn lines(&self) -> Answer<'_, Vec<Line>> {
        Box::pin(self.all_lines())
    }

    fn messages(&self, job: Option<JobKey>, most: usize) -> Answer<'_, Vec<Queued>> {
        Box::pin(self.messages(job, most))
    }

    fn all_made(&self, job: JobKey) -> Answer<'_, Vec<(StageId, Made)>> {
        Box::pin(async move {
            let (broker, mut all) = (self.broker(), Vec::new());
            for subject in broker.subjects(StreamOf::Made, &broker.names.all_made(&job)).await? {
                let Some(id) = broker.names.made_for(job, &subject) else { continue };
                if let Some(made) = queue::made(broker, &id).await? {
                    all.push((id, made));
                }
            }
            all.sort_by(|(one, _), (other, _)| one.cmp(other));
            Ok(all)
        })
    }

    fn waiters(&self, job: JobKey) -> Answer<'_, u64> {
        Box::pin(async move {
            let broker = self.broker();
            let subjects = broker.subjects(StreamOf::Interest, &broker.names.interest(&job, "*")).await?;
            Ok(subjects.len() as u64)
        })
    }

    fn attend<'a>(&'a self, worker: &'a Worker, lines: &'a [Line]) -> Answer<'a, Attendance> {
        Box::pin(async move {
            let (attendance, at) = Attendance::new();
            let saying = say(self.broker().clone(), worker.clone(), lines.to_vec(), at);
            self.broker().keeper.runtime().spawn(saying);
            Ok(attendance)
        })
    }

    fn workers(&self) -> Answer<'_, Vec<Present>> {
        Box::pin(async move {
            let (broker, mut workers) = (self.broker(), Vec::new());
            for subject in broker.subjects(StreamOf::Workers, &broker.names.all(StreamOf::Workers)).await? {
                match broker.last(StreamOf::Workers, &subject).await? {
                    Some((_, bytes)) if !bytes.is_empty() => {
                        workers.push(queue::read::<Present>("what a worker says", bytes)?);
                    }
                    _ => {}
                }
            }
            Ok(workers)
        })
    }

    fn pauses(&self) -> Answer<'_, Vec<Pause>> {
        Box::pin(async move { Ok(pauses(self.broker()).await?.list) })
    }

    fn pause<'a>(&'a self, pause: &'a Pause) -> Answer<'a, ()> {
        Box::pin(async move { change(self.broker(), |pauses| pauses.add(pause.clone())).await })
    }

    fn resume<'a>(&'a self, of: &'a Paused) -> Answer<'a, bool> {
        Box::pin(async move { change(self.broker(), |pauses| pauses.end(of)).await })
    }
}
