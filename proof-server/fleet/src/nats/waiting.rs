//! Those who wait for jobs: what they hear, and that they are there.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use bytes::Bytes;
use futures_util::StreamExt;
use sextant_protocol::{JobKey, Progress, wire};
use tokio::sync::watch;

use super::{
    broker::{Broker, Only, unreachable},
    names::StreamOf,
    queue,
};
use crate::{FleetError, Interest, Watch, watch::News};

/// How often an outcome is looked for, besides being heard: what is said while a connection is made again is not heard.
const LOOK: Duration = Duration::from_secs(5);

/// Hears of a job from now on.
pub(super) async fn watch(broker: &Arc<Broker>, job: JobKey, generation: u32) -> Result<Watch, FleetError> {
    let subscribe =
        async |subject| broker.client.subscribe(subject).await.map_err(|error| unreachable(&error));
    // Before looking, so that nothing is said in between.
    let mut steps = subscribe(broker.names.progress(&job)).await?;
    let mut outcomes = subscribe(broker.names.done(&job)).await?;
    let outcome = queue::outcome(broker, &job).await?.map(|(_, outcome)| outcome);
    let (news, heard) = watch::channel(News { progress: None, outcome });
    let weak = Arc::downgrade(broker);
    broker.keeper.runtime().spawn(async move {
        loop {
            tokio::select! {
                () = news.closed() => return,
                Some(step) = steps.next() => {
                    if let Ok(step) = wire::from_bytes::<Progress>("progress", step.payload, 1 << 10) {
                        news.send_modify(|news| news.progress = Some(step));
                    }
                }
                // That something was said is heard even of what the broker then refused: what stands is looked up.
                Some(_) = outcomes.next() => look(&weak, job, &news).await,
                () = tokio::time::sleep(LOOK) => look(&weak, job, &news).await,
            }
        }
    });
    Ok(Watch::new(heard, generation))
}

async fn look(broker: &Weak<Broker>, job: JobKey, news: &watch::Sender<News>) {
    let Some(broker) = broker.upgrade() else { return };
    match queue::outcome(&broker, &job).await {
        Ok(Some((_, outcome))) => news.send_modify(|news| news.outcome = Some(outcome)),
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "looking for an outcome"),
    }
}

/// Says that somebody waits, until dropped. It is believed a while longer.
pub(super) async fn interest(broker: &Arc<Broker>, job: JobKey) -> Result<Interest, FleetError> {
    let subject = broker.names.interest(&job, &format!("{:016x}", fastrand::u64(..)));
    let say = async |broker: &Broker| broker.publish(&subject, Bytes::new(), None, Only::Always).await;
    say(broker).await?;
    let (weak, often) = (Arc::downgrade(broker), broker.config.queue.patience / 3);
    let saying = broker.keeper.runtime().spawn({
        let subject = subject.clone();
        async move {
            loop {
                tokio::time::sleep(often).await;
                let Some(broker) = weak.upgrade() else { return };
                if let Err(error) = broker.publish(&subject, Bytes::new(), None, Only::Always).await {
                    tracing::warn!(%error, "saying that somebody waits");
                }
            }
        }
    });
    Ok(Interest::new(move || saying.abort()))
}

/// Whether somebody waits.
pub(super) async fn is_wanted(broker: &Broker, job: &JobKey) -> Result<bool, FleetError> {
    let subjects = broker.subjects(StreamOf::Interest, &broker.names.interest(job, "*")).await?;
    Ok(!subjects.is_empty())
}
