//! The connection, and the few things that are asked of the broker.

use std::{collections::BTreeSet, fmt::Display, time::Duration};

use async_nats::{
    Client, ConnectOptions, Event,
    jetstream::{
        self, Context,
        context::{PublishError, PublishErrorKind},
        message::PublishMessage,
        stream::{LastRawMessageErrorKind, Stream},
    },
};
use bytes::Bytes;
use futures_util::TryStreamExt;

use super::{
    config::{NatsConfig, without_tls},
    keeper::Keeper,
    names::{Names, StreamOf},
};
use crate::FleetError;

/// The broker's numbers for: too many messages or bytes, no memory, no storage.
const FULL: [u64; 3] = [10077, 10023, 10047];
/// Pause before what has failed is tried again.
const AGAIN: Duration = Duration::from_millis(250);

pub(super) struct Broker {
    pub(super) config: NatsConfig,
    pub(super) names: Names,
    pub(super) client: Client,
    pub(super) context: Context,
    pub(super) version: String,
    /// Last: the connection's own tasks run there.
    pub(super) keeper: Keeper,
}

/// What a subject must hold for a message to be taken.
#[derive(Clone, Copy, Debug)]
pub(super) enum Only {
    /// Anything.
    Always,
    /// The message with this number; 0 is none.
    After(u64),
}

/// A message that a stream holds.
pub(super) struct Found {
    pub(super) number: u64,
    /// When it was published, milliseconds since 1970.
    pub(super) time_ms: u64,
    pub(super) payload: Bytes,
}

/// What came of publishing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Published {
    New,
    /// A message of the same id was taken before.
    Known,
    /// The subject holds something else.
    Other,
}

impl Broker {
    pub(super) async fn connect(config: NatsConfig) -> Result<Self, FleetError> {
        let keeper = Keeper::start().map_err(|error| FleetError::disk("a thread", &error))?;
        let mut options = ConnectOptions::new().name("sextant").request_timeout(Some(config.answer));
        options = options.event_callback(async |event| match event {
            // Such as a subject that this user may not publish to: what is asked then has no answer.
            Event::ServerError(error) => tracing::error!(%error, "the fleet's broker"),
            event => tracing::info!(%event, "the fleet's broker"),
        });
        if let Some((user, password)) = config.user.clone() {
            options = options.user_and_password(user, password);
        }
        // Others of its cluster, which a broker names, would be asked without TLS, and anybody on the way can name some.
        if config.user.is_some() && !config.allow_plain {
            options = match without_tls(&config.servers).is_empty() {
                true => options.require_tls(true),
                false => options.ignore_discovered_servers(),
            };
        }
        if let Some(authorities) = config.authorities.clone() {
            options = options.add_root_certificates(authorities);
        }
        if let Some((certificate, key)) = config.certificate.clone() {
            options = options.add_client_certificate(certificate, key);
        }
        let servers: Vec<String> = config.servers.split(',').map(|server| server.trim().to_owned()).collect();
        // Where the connection lives, so that nothing else can starve it.
        let connecting = keeper.runtime().spawn(async move { options.connect(servers).await });
        let client =
            connecting.await.map_err(|error| unreachable(&error))?.map_err(|error| match error.kind() {
                async_nats::ConnectErrorKind::Authentication
                | async_nats::ConnectErrorKind::AuthorizationViolation
                | async_nats::ConnectErrorKind::Tls => {
                    FleetError::Refused { what: "the fleet's broker", reason: error.to_string() }
                }
                _ => unreachable(&error),
            })?;
        let version = client.server_info().version;
        check_version(&version, config.accept_old)?;
        let mut context = jetstream::new(client.clone());
        context.set_timeout(config.answer);
        let names = Names(config.prefix.clone());
        Ok(Self { config, names, client, context, version, keeper })
    }

    pub(super) async fn stream(&self, stream: StreamOf) -> Result<Stream<()>, FleetError> {
        let name = self.names.stream(stream);
        self.context.get_stream_no_info(name).await.map_err(|error| unreachable(&error))
    }

    /// Publishes what a stream keeps. `id` makes twice once.
    pub(super) async fn publish(
        &self,
        subject: &str,
        payload: Bytes,
        id: Option<&str>,
        only: Only,
    ) -> Result<Published, FleetError> {
        let mut message = PublishMessage::build().payload(payload);
        if let Some(id) = id {
            message = message.message_id(id);
        }
        if let Only::After(number) = only {
            message = message.expected_last_subject_sequence(number);
        }
        self.insist(|| async {
            let sent = self.context.send_publish(subject.to_owned(), message.clone()).await;
            let acknowledged = match sent {
                Ok(sent) => sent.await,
                Err(error) => Err(error),
            };
            match acknowledged {
                Ok(ack) if ack.duplicate => Ok(Published::Known),
                Ok(_) => Ok(Published::New),
                Err(error) if error.kind() == PublishErrorKind::WrongLastSequence => Ok(Published::Other),
                Err(error) => Err(not_published(&error)),
            }
        })
        .await
    }

    /// The last message of a subject, with its number.
    pub(super) async fn last(
        &self,
        stream: StreamOf,
        subject: &str,
    ) -> Result<Option<(u64, Bytes)>, FleetError> {
        let stream = self.stream(stream).await?;
        self.insist(|| async {
            match stream.get_last_raw_message_by_subject(subject).await {
                Ok(message) => Ok(Some((message.sequence, message.payload))),
                Err(error) => match error.kind() {
                    LastRawMessageErrorKind::NoMessageFound => Ok(None),
                    LastRawMessageErrorKind::JetStream(error) => Err(api("reading a message", &error)),
                    LastRawMessageErrorKind::InvalidSubject | LastRawMessageErrorKind::Other => {
                        Err(unreachable(&error))
                    }
                },
            }
        })
        .await
    }

    /// The first message of a subject, or of all that a filter describes, from a number on.
    pub(super) async fn next(
        &self,
        stream: StreamOf,
        subject: &str,
        from: u64,
    ) -> Result<Option<Found>, FleetError> {
        let stream = self.stream(stream).await?;
        self.insist(|| async {
            match stream.get_first_raw_message_by_subject(subject, from).await {
                Ok(message) => Ok(Some(Found {
                    number: message.sequence,
                    time_ms: milliseconds(message.time.unix_timestamp_nanos()),
                    payload: message.payload,
                })),
                Err(error) => match error.kind() {
                    LastRawMessageErrorKind::NoMessageFound => Ok(None),
                    LastRawMessageErrorKind::JetStream(error) => Err(api("reading a message", &error)),
                    LastRawMessageErrorKind::InvalidSubject | LastRawMessageErrorKind::Other => {
                        Err(unreachable(&error))
                    }
                },
            }
        })
        .await
    }

    /// The subjects that hold something, of those that `filter` describes. Of the stream's leader: nothing that was
    /// acknowledged before is missing. Each once: they come in pages, and one that is new moves others to the next page.
    pub(super) async fn subjects(
        &self,
        stream: StreamOf,
        filter: &str,
    ) -> Result<BTreeSet<String>, FleetError> {
        let stream = self.stream(stream).await?;
        self.insist(|| async {
            let list = stream.info_with_subjects(filter).await.map_err(|error| unreachable(&error))?;
            let subjects = list.map_ok(|(subject, _)| subject).try_collect::<BTreeSet<_>>();
            subjects.await.map_err(|error| unreachable(&error))
        })
        .await
    }

    /// Takes away all that `filter` describes.
    pub(super) async fn purge(&self, stream: StreamOf, filter: &str) -> Result<(), FleetError> {
        let stream = self.stream(stream).await?;
        self.insist(|| async {
            let purged = stream.purge().filter(filter).await;
            purged.map(|_| ()).map_err(|error| unreachable(&error))
        })
        .await
    }

    /// Tries again what a broker that is away does not answer.
    pub(super) async fn insist<T, F: Future<Output = Result<T, FleetError>> + Send>(
        &self,
        attempt: impl Fn() -> F,
    ) -> Result<T, FleetError> {
        let began = std::time::Instant::now();
        loop {
            match attempt().await {
                Err(FleetError::Unreachable(reason)) if began.elapsed() < self.config.outage => {
                    tracing::warn!(reason, "the fleet's broker does not answer");
                    tokio::time::sleep(AGAIN).await;
                }
                outcome => return outcome,
            }
        }
    }
}

/// Why a message was not taken.
pub(super) fn not_published(error: &PublishError) -> FleetError {
    let source =
        std::error::Error::source(error).and_then(|source| source.downcast_ref::<jetstream::Error>());
    match (source, error.kind()) {
        (Some(error), _) => api("publishing", error),
        (None, PublishErrorKind::MaxPayloadExceeded) => {
            FleetError::Refused { what: "publishing", reason: error.to_string() }
        }
        (None, _) => unreachable(error),
    }
}

/// What the broker has answered.
pub(super) fn api(what: &'static str, error: &jetstream::Error) -> FleetError {
    if FULL.contains(&error.error_code().0) {
        FleetError::Full("the fleet's broker")
    } else if error.code() == 503 {
        // It is starting, or choosing a leader.
        unreachable(error)
    } else {
        FleetError::Refused { what, reason: error.to_string() }
    }
}

/// Whole milliseconds since 1970.
pub(super) fn milliseconds(nanoseconds: i128) -> u64 {
    u64::try_from(nanoseconds / 1_000_000).unwrap_or(0)
}

pub(super) fn unreachable(error: &dyn Display) -> FleetError {
    FleetError::Unreachable(error.to_string())
}

fn check_version(found: &str, accept_old: bool) -> Result<(), FleetError> {
    let numbers = |version: &str| {
        let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
        (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    };
    if accept_old || numbers(found) >= numbers(NatsConfig::OLDEST) {
        return Ok(());
    }
    Err(FleetError::Version {
        found: found.into(),
        needed: NatsConfig::OLDEST,
        lacks: "pausing a line, and the repairs of clusters since",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_broker_is_taken_only_if_asked_to() {
        for (version, good) in
            [("2.9.10", false), ("2.10.29", false), ("2.11.0", true), ("2.15.3", true), ("", false)]
        {
            assert_eq!(check_version(version, false).is_ok(), good, "{version}");
            assert!(check_version(version, true).is_ok(), "{version}");
        }
    }
}
