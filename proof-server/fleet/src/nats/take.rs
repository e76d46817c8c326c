//! Taking one message, from whichever line has one first.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{self, AckKind, consumer::PullConsumer, consumer::pull::Batch};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, future::select_all};

use super::{
    broker::{Broker, Only, milliseconds},
    hold::{InHand, NatsHold},
    names::StreamOf,
    oversee,
    queue::NatsQueue,
    setup,
};
use crate::{FleetError, Lease, Line, StageMessage, Worker};

/// How long a wait is before it is begun anew: a line that has been made again meanwhile is found then.
const WAIT: Duration = Duration::from_secs(10);
/// How long one that is to take nothing waits until it looks again.
const PAUSED: Duration = Duration::from_secs(1);
/// Pause before a broker that does not answer is asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// Waits for a message that may be worked on.
pub(super) async fn take(queue: &NatsQueue, lines: &[Line], worker: &Worker) -> Result<Lease, FleetError> {
    let broker = queue.broker();
    loop {
        let message = match next(queue, lines, worker).await {
            Ok(Some(message)) => message,
            Ok(None) => continue,
            Err(error @ FleetError::Unreachable(_)) => {
                tracing::warn!(%error, "waiting for work");
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            Err(error) => return Err(error),
        };
        if let Some(lease) = lease(queue, message, worker).await? {
            match lease.admit(broker.config.queue.deliveries).await {
                Ok(Some(lease)) => return Ok(lease),
                Ok(None) => {}
                // It goes back, and comes again.
                Err(error) => tracing::warn!(%error, "seeing to a message"),
            }
        }
    }
}

/// One round: what is there, earlier lines first; then whatever comes within a while.
async fn next(
    queue: &NatsQueue,
    lines: &[Line],
    worker: &Worker,
) -> Result<Option<jetstream::Message>, FleetError> {
    let pauses = oversee::pauses(queue.broker()).await?;
    let lines: Vec<_> = lines.iter().filter(|line| pauses.allow(line, worker)).cloned().collect();
    if lines.is_empty() {
        tokio::time::sleep(PAUSED).await;
        return Ok(None);
    }
    let mut consumers = Vec::new();
    for line in &lines {
        consumers.push(queue.consumer(line).await?);
    }
    // One message at a time, never a stream of them: a worker that is busy must not be given the next one.
    if lines.len() > 1 {
        for (consumer, line) in consumers.iter().zip(&lines) {
            let there = async {
                let batch = consumer.fetch().max_messages(1).messages().await;
                first(queue, line, batch.map_err(|error| error.to_string())).await
            };
            let silent = |_| FleetError::Unreachable("nothing was said about a line".into());
            if let Some(message) = tokio::time::timeout(WAIT, there).await.map_err(silent)?? {
                return Ok(Some(message));
            }
        }
    }
    let mut waits = Vec::new();
    for (consumer, line) in consumers.iter().zip(&lines) {
        waits.push(Box::pin(async move {
            let batch = wait(consumer).await;
            first(queue, line, batch).await
        }));
    }
    let (message, _, others) = select_all(waits).await;
    for other in others {
        // Two lines at once: one of them goes back.
        if let Some(Ok(Some(message))) = other.now_or_never() {
            let _ = message.ack_with(AckKind::Nak(None)).await;
        }
    }
    message
}

async fn wait(consumer: &PullConsumer) -> Result<Batch, String> {
    let batch = consumer.batch().max_messages(1).expires(WAIT).messages().await;
    batch.map_err(|error| error.to_string())
}

/// The one message of a batch.
async fn first(
    queue: &NatsQueue,
    line: &Line,
    batch: Result<Batch, String>,
) -> Result<Option<jetstream::Message>, FleetError> {
    let message = match batch {
        Ok(mut batch) => batch.next().await.transpose().map_err(|error| error.to_string()),
        Err(error) => Err(error),
    };
    message.map_err(|reason| {
        // It may be gone: looked for again, or made.
        queue.forget_consumer(line);
        FleetError::Unreachable(reason)
    })
}

/// The lease of a message; `None` if nobody can read it.
async fn lease(
    queue: &NatsQueue,
    message: jetstream::Message,
    worker: &Worker,
) -> Result<Option<Lease>, FleetError> {
    let broker: &Arc<Broker> = queue.broker();
    let (deliveries, since_ms) = match message.info() {
        Ok(info) => (info.delivered, milliseconds(info.published.unix_timestamp_nanos())),
        Err(error) => {
            return Err(FleetError::Damaged { what: "a delivery".into(), reason: error.to_string() });
        }
    };
    let (message, acker) = message.split();
    let message = match StageMessage::decode(message.payload) {
        Ok(message) if !oversee::pauses(broker).await?.allow(&message.line(), worker) => {
            // Given out to somebody who had begun to wait before. Not counted: nobody has looked at it.
            let _ = acker.ack_with(AckKind::Nak(Some(PAUSED))).await;
            return Ok(None);
        }
        Ok(message) => message,
        Err(error) => {
            tracing::error!(%error, "a message is taken away");
            let _ = acker.ack_with(AckKind::Term).await;
            return Ok(None);
        }
    };
    let held = InHand { message: message.clone(), since_ms };
    let hold = NatsHold::new(broker.clone(), acker, held).await?;
    let workers = workers(broker, &message, deliveries).await?;
    Ok(Some(Lease::new(message, workers, worker.clone(), Arc::new(queue.clone()), Box::new(hold))))
}

/// Counts one more worker that has a message. The broker's own count will not do: it has in it what was given back since
/// another line was faster, and what came to a worker that had stopped waiting.
async fn workers(broker: &Broker, message: &StageMessage, deliveries: i64) -> Result<u32, FleetError> {
    let name = message.name();
    let subject = broker.names.taken(&name);
    let before = match deliveries {
        // Whatever is known of an earlier message of this name is over.
        ..=1 => 0,
        _ => count(broker, &name).await?,
    };
    let workers = before.saturating_add(1);
    let counted = Bytes::copy_from_slice(&workers.to_be_bytes());
    broker.publish(&subject, counted, None, Only::Always).await?;
    Ok(workers)
}

/// How many workers have had a message.
pub(super) async fn count(broker: &Broker, name: &str) -> Result<u32, FleetError> {
    let counted = broker.last(StreamOf::Made, &broker.names.taken(name)).await?;
    Ok(counted.map_or(0, |(_, count)| number(&count)))
}

/// A number of four bytes, big-endian; the largest if it is none.
fn number(bytes: &[u8]) -> u32 {
    bytes.try_into().map_or(u32::MAX, u32::from_be_bytes)
}

/// Whether the broker lacks a stream: it has lost it, or nobody has made it yet.
pub(super) fn is_no_stream(error: &FleetError) -> bool {
    matches!(error, FleetError::Refused { reason, .. } if reason.contains("error code 10059"))
}

/// The line's consumer.
pub(super) async fn consumer(broker: &Broker, line: &Line) -> Result<PullConsumer, FleetError> {
    match setup::line(broker, line).await {
        Err(error) if is_no_stream(&error) => {
            setup::streams(broker).await?;
            setup::line(broker, line).await
        }
        found => found,
    }
}
