//! A lease of the broker: kept alive by the keeper's thread as long as it is held.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::{AckKind, message::Acker};
use bytes::Bytes;
use sextant_protocol::{Progress, wire};
use tokio::{sync::watch, task::JoinHandle};

use super::{
    broker::{Broker, Only, unreachable},
    names::StreamOf,
    queue, waiting,
};
use crate::{Answer, FleetError, Hold, Over, StageMessage, time};

pub(super) struct NatsHold {
    broker: Arc<Broker>,
    acker: Arc<Acker>,
    message: StageMessage,
    over: watch::Receiver<Option<Over>>,
    beats: JoinHandle<()>,
}

/// What has to be known of a message in hand.
pub(super) struct InHand {
    pub(super) message: StageMessage,
    /// When it was submitted, milliseconds since 1970.
    pub(super) since_ms: u64,
}

impl NatsHold {
    /// Holds a message from now on. Whether its work should stop has been looked at once when this returns.
    pub(super) async fn new(broker: Arc<Broker>, acker: Acker, held: InHand) -> Result<Self, FleetError> {
        let over = look(&broker, &held).await?;
        let (sender, over) = watch::channel(over);
        let (acker, message) = (Arc::new(acker), held.message.clone());
        let beats = beat(broker.clone(), acker.clone(), held, sender);
        let beats = broker.keeper.runtime().spawn(beats);
        Ok(Self { broker, acker, message, over, beats })
    }
}

impl Drop for NatsHold {
    fn drop(&mut self) {
        self.beats.abort();
    }
}

/// Says that somebody is at it, and looks whether somebody should be.
async fn beat(broker: Arc<Broker>, acker: Arc<Acker>, held: InHand, over: watch::Sender<Option<Over>>) {
    let held = Arc::new(held);
    let mut looking: Option<JoinHandle<()>> = None;
    loop {
        tokio::time::sleep(broker.config.lease / 3).await;
        // A broker that is away is told later: what is sent meanwhile waits for it.
        if let Err(error) = acker.ack_with(AckKind::Progress).await {
            tracing::warn!(name = held.message.name(), %error, "a heartbeat was not sent");
        }
        // Beside the heartbeats: a broker that answers slowly must not hold them up.
        if looking.as_ref().is_none_or(JoinHandle::is_finished) {
            let (broker, held, over) = (broker.clone(), held.clone(), over.clone());
            looking = Some(tokio::spawn(async move {
                match look(&broker, &held).await {
                    Ok(None) => {}
                    Ok(found) => {
                        over.send_replace(found);
                    }
                    Err(error) => {
                        tracing::warn!(name = held.message.name(), %error, "looking after a lease")
                    }
                }
            }));
        }
    }
}

/// Whether the work on a message should stop.
async fn look(broker: &Broker, held: &InHand) -> Result<Option<Over>, FleetError> {
    let id = &held.message.id;
    let answered = queue::outcome(broker, &id.job).await?;
    if answered.is_some_and(|(_, outcome)| outcome.answers(id.generation)) {
        return Ok(Some(Over::Answered));
    }
    let patience = time::millis(broker.config.queue.patience);
    let impatient = time::unix_ms().saturating_sub(held.since_ms) > patience;
    let unwanted = impatient && !held.message.unattended && !waiting::is_wanted(broker, &id.job).await?;
    Ok(unwanted.then_some(Over::Unwanted))
}

impl Hold for NatsHold {
    fn settle(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.beats.abort();
            // Confirmed, so that nobody gets it again.
            self.broker
                .insist(|| async { self.acker.double_ack().await.map_err(|error| unreachable(&error)) })
                .await
        })
    }

    fn put_back(&self, delay: Duration, reason: &str) {
        self.beats.abort();
        let (broker, acker) = (self.broker.clone(), self.acker.clone());
        let subject = broker.names.reason(&self.message.name());
        let reason = Bytes::copy_from_slice(reason.as_bytes());
        self.broker.keeper.runtime().spawn(async move {
            // First: whoever gets it last says why.
            if let Err(error) = broker.publish(&subject, reason, None, Only::Always).await {
                tracing::warn!(%error, "a reason is lost");
            }
            let delay = (!delay.is_zero()).then_some(delay);
            if let Err(error) = acker.ack_with(AckKind::Nak(delay)).await {
                tracing::warn!(%error, "a message comes back when its lease runs out");
            }
        });
    }

    fn last_reason(&self) -> Answer<'_, Option<String>> {
        Box::pin(async move {
            let subject = self.broker.names.reason(&self.message.name());
            let reason = self.broker.last(StreamOf::Dead, &subject).await?;
            Ok(reason.map(|(_, reason)| String::from_utf8_lossy(&reason).into_owned()))
        })
    }

    fn over(&self) -> watch::Receiver<Option<Over>> {
        self.over.clone()
    }

    fn progress(&self, step: Progress) {
        let (client, subject) =
            (self.broker.client.clone(), self.broker.names.progress(&self.message.id.job));
        self.broker.keeper.runtime().spawn(async move {
            // Lost progress is no loss.
            let _ = client.publish(subject, wire::to_bytes(&step).into()).await;
        });
    }
}
