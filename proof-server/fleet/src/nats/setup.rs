//! The streams, and the consumers that stand for lines.

use std::time::Duration;

use async_nats::jetstream::{
    consumer::{AckPolicy, PullConsumer, pull},
    context::CreateStreamErrorKind,
    stream::{Config, ConsumerErrorKind, DiscardPolicy, RetentionPolicy, StorageType},
};

use super::{
    broker::{Broker, api, unreachable},
    names::StreamOf,
};
use crate::{FleetError, HOUR, Line};

/// For so long a message is known by its id, though it is done with: longer than any stage takes.
const KNOWN_FOR: Duration = Duration::from_secs(20 * 60);
/// Bytes of all messages that wait.
const JOBS: i64 = 1 << 30;
/// Messages that workers of one line may have at once.
const IN_HAND: i64 = 2_000;
/// A line that nobody has taken from for so long is forgotten; its messages are not.
const UNUSED: Duration = Duration::from_secs(7 * 24 * 3600);

/// Makes all streams, or brings them to the limits.
pub(super) async fn streams(broker: &Broker) -> Result<(), FleetError> {
    for stream in StreamOf::ALL {
        let config = config(broker, stream);
        broker.context.create_or_update_stream(config).await.map_err(|error| match error.kind() {
            CreateStreamErrorKind::JetStream(error) => match api("making a stream", &error) {
                // The stream itself finds no room, with nothing in it yet: waiting would not help.
                FleetError::Full(_) => FleetError::Refused {
                    what: "making a stream",
                    reason: format!("{error}; the streams take {} MiB of max_file_store", room(broker) >> 20),
                },
                other => other,
            },
            CreateStreamErrorKind::TimedOut | CreateStreamErrorKind::JetStreamUnavailable => {
                unreachable(&error)
            }
            _ => FleetError::Refused { what: "making a stream", reason: error.to_string() },
        })?;
    }
    Ok(())
}

/// Bytes that the streams reserve, all together.
fn room(broker: &Broker) -> u64 {
    let reserved = StreamOf::ALL.map(|stream| u64::try_from(config(broker, stream).max_bytes).unwrap_or(0));
    reserved.iter().sum()
}

fn config(broker: &Broker, stream: StreamOf) -> Config {
    let (queue, store) = (&broker.config.queue, &broker.config.store);
    let age = match stream {
        StreamOf::Jobs => queue.message_age,
        StreamOf::Made => queue.made_age,
        StreamOf::Done => queue.outcome_age,
        StreamOf::Interest | StreamOf::Workers => queue.patience,
        // Until somebody ends them.
        StreamOf::Pauses => Duration::ZERO,
        // Nothing in an account counts for longer.
        StreamOf::Accounts => HOUR,
        StreamOf::Dead => queue.dead_age,
        StreamOf::Objects(bucket) => store.bucket(bucket).age,
    };
    let config = Config {
        name: broker.names.stream(stream),
        subjects: vec![broker.names.all(stream)],
        storage: StorageType::File,
        num_replicas: broker.config.replicas,
        max_age: age,
        duplicate_window: if age.is_zero() { KNOWN_FOR } else { KNOWN_FOR.min(age) },
        // What is full says so.
        discard: DiscardPolicy::New,
        max_messages_per_subject: 1,
        ..Config::default()
    };
    match stream {
        StreamOf::Jobs => Config {
            retention: RetentionPolicy::WorkQueue,
            max_messages: i64::try_from(queue.messages).unwrap_or(i64::MAX),
            max_bytes: JOBS,
            max_messages_per_subject: -1,
            ..config
        },
        StreamOf::Objects(bucket) => {
            Config { max_bytes: i64::try_from(store.bucket(bucket).bytes).unwrap_or(i64::MAX), ..config }
        }
        _ => Config { discard: DiscardPolicy::Old, ..config },
    }
}

/// The consumer of a line, made if it is not there.
pub(super) async fn line(broker: &Broker, line: &Line) -> Result<PullConsumer, FleetError> {
    let name = line.to_string();
    let config = pull::Config {
        durable_name: Some(name.clone()),
        filter_subject: broker.names.line(line),
        ack_policy: AckPolicy::Explicit,
        ack_wait: broker.config.lease,
        // The bound is kept by those who take, who know the reason.
        max_deliver: -1,
        max_ack_pending: IN_HAND,
        inactive_threshold: UNUSED,
        ..pull::Config::default()
    };
    let stream = broker.stream(StreamOf::Jobs).await?;
    stream.get_or_create_consumer(&name, config).await.map_err(|error| match error.kind() {
        ConsumerErrorKind::JetStream(error) => api("making a line", &error),
        _ => unreachable(&error),
    })
}
