//! Several endpoints that should say the same: the first usable answer counts. One that fails is followed by the next
//! at once; when all have failed for passing reasons, they are asked again after a while.

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::Client;
use tokio::time::{Instant, sleep_until};

use crate::{
    Endpoint, Failure, Reason, SourceError,
    http::{self, Request},
    input::Answer,
};

/// How long to wait, and how often to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceConfig {
    /// For one request to one endpoint, body included. Default: 20 s.
    pub timeout: Duration,
    /// For a TCP and TLS connection. Default: 5 s.
    pub connect_timeout: Duration,
    /// How many times all endpoints are asked. Default: 4.
    pub rounds: u32,
    /// Pause after the first round; each later one doubles it, and a random part of up to half is taken off.
    /// Default: 500 ms.
    pub backoff: Duration,
    /// Longest pause, also where a node's `Retry-After` asks for more. Default: 15 s.
    pub max_backoff: Duration,
    /// Authorities that certify HTTPS nodes, PEM, beside the system's and those that are built in. Default: none.
    pub ca_file: Option<PathBuf>,
}

impl Default for SourceConfig {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(5),
            rounds: 4,
            backoff: Duration::from_millis(500),
            max_backoff: Duration::from_secs(15),
            ca_file: None,
        }
    }
}

/// Why there are no sources to ask.
#[derive(Debug, thiserror::Error)]
pub enum PoolError {
    /// No URL given.
    #[error("no endpoint given")]
    NoEndpoint,
    /// The HTTP client cannot be set up.
    #[error("HTTP client: {0}")]
    Client(#[from] reqwest::Error),
    /// A file of authorities that cannot be used.
    #[error("authorities of HTTPS nodes: {}: {reason}", .file.display())]
    Roots {
        /// The file.
        file: PathBuf,
        /// Why not.
        reason: String,
    },
}

/// An answer that is true, and what it is worth.
#[derive(Debug)]
pub(crate) struct Rated<T> {
    pub value: T,
    /// Whether nobody can have a better one. Where not, the others are asked too.
    pub whole: bool,
    /// Among those that are not whole the highest counts, of equal ones the first.
    pub worth: u64,
}

impl<T> Rated<T> {
    /// As good as any.
    pub fn whole(value: T) -> Self {
        Self { value, whole: true, worth: u64::MAX }
    }
}

/// The endpoints of one kind of node.
#[derive(Debug)]
pub(crate) struct Pool {
    client: Client,
    config: SourceConfig,
    endpoints: Vec<Endpoint>,
    /// Until when each wants to be left alone.
    resting: Mutex<Vec<Instant>>,
    /// The one that answered last is asked first.
    preferred: AtomicUsize,
    /// Whose SSZ was of no use: they are asked for JSON.
    json_only: Vec<AtomicBool>,
}

impl Pool {
    pub fn new(endpoints: Vec<Endpoint>, config: SourceConfig) -> Result<Self, PoolError> {
        if endpoints.is_empty() {
            return Err(PoolError::NoEndpoint);
        }
        Ok(Self {
            client: http::client(&endpoints, &config)?,
            resting: Mutex::new(vec![Instant::now(); endpoints.len()]),
            preferred: AtomicUsize::new(0),
            json_only: endpoints.iter().map(|_| AtomicBool::new(false)).collect(),
            endpoints,
            config,
        })
    }

    /// Asks until an endpoint's answer is accepted by `read`.
    pub async fn ask<T>(
        &self,
        request: &Request,
        read: impl Fn(Answer) -> Result<T, Reason>,
    ) -> Result<T, SourceError> {
        self.ask_best(request, |answer| read(answer).map(Rated::whole)).await
    }

    /// The same where there is another way to know it: nobody is asked twice.
    pub async fn ask_once<T>(
        &self,
        request: &Request,
        read: impl Fn(Answer) -> Result<T, Reason>,
    ) -> Result<T, SourceError> {
        self.ask_in_rounds(1, request, |answer| read(answer).map(Rated::whole)).await
    }

    /// The same where answers may be true and yet say less than another node's: all are asked once, until one is whole,
    /// and the best counts.
    pub async fn ask_best<T>(
        &self,
        request: &Request,
        read: impl Fn(Answer) -> Result<Rated<T>, Reason>,
    ) -> Result<T, SourceError> {
        self.ask_in_rounds(self.config.rounds.max(1), request, read).await
    }

    async fn ask_in_rounds<T>(
        &self,
        rounds: u32,
        request: &Request,
        read: impl Fn(Answer) -> Result<Rated<T>, Reason>,
    ) -> Result<T, SourceError> {
        let count = self.endpoints.len();
        let mut failures: Vec<Option<Reason>> = (0..count).map(|_| None).collect();
        for round in 0..rounds {
            // Whoever has nothing new to say is not asked again.
            let hopeful = |failure: &Option<Reason>| failure.as_ref().is_none_or(Reason::is_passing);
            if !failures.iter().any(hopeful) {
                break;
            }
            self.pause(round, &failures).await;
            let first = self.preferred.load(Ordering::Relaxed);
            let mut best: Option<Rated<T>> = None;
            for index in (0..count).map(|step| (first + step) % count) {
                if !hopeful(&failures[index]) || !self.may_ask(index, &failures) {
                    continue;
                }
                match self.ask_one(index, request, &read).await {
                    Ok(rated) if rated.whole => {
                        self.preferred.store(index, Ordering::Relaxed);
                        return Ok(rated.value);
                    }
                    Ok(rated) if best.as_ref().is_none_or(|best| best.worth < rated.worth) => {
                        best = Some(rated);
                    }
                    Ok(_) => {}
                    Err(reason) => {
                        self.rest(index, &reason);
                        failures[index] = Some(reason);
                    }
                }
            }
            if let Some(best) = best {
                return Ok(best.value);
            }
        }
        let failures = self.endpoints.iter().zip(failures);
        Err(SourceError {
            request: request.name.clone(),
            failures: failures
                .filter_map(|(endpoint, reason)| {
                    Some(Failure { endpoint: endpoint.to_string(), reason: reason? })
                })
                .collect(),
        })
    }

    /// Asks one endpoint, and at once in another way where its answer shows that this may help.
    async fn ask_one<T>(
        &self,
        index: usize,
        request: &Request,
        read: impl Fn(Answer) -> Result<T, Reason>,
    ) -> Result<T, Reason> {
        let json_only = &self.json_only[index];
        let mut request = request.clone();
        request.ssz &= !json_only.load(Ordering::Relaxed);
        loop {
            let answer = http::ask(&self.client, &self.endpoints[index], &request, self.config.timeout);
            let reason = match answer.await.and_then(&read) {
                Ok(value) => return Ok(value),
                Err(reason) => reason,
            };
            match request.instead(&reason) {
                Some(other) => {
                    json_only.fetch_or(request.ssz && !other.ssz, Ordering::Relaxed);
                    request = other;
                }
                None => return Err(reason),
            }
        }
    }

    /// What the endpoint of this name answers to one call, for explanations: no retries, little patience.
    pub async fn explain(&self, endpoint: &str, request: &Request) -> Option<Answer> {
        const PATIENCE: Duration = Duration::from_secs(3);
        let endpoint = self.endpoints.iter().find(|candidate| candidate.to_string() == endpoint)?;
        http::ask(&self.client, endpoint, request, PATIENCE.min(self.config.timeout)).await.ok()
    }

    /// Waits before every round but the first: twice as long each time, and until somebody has rested.
    async fn pause(&self, round: u32, failures: &[Option<Reason>]) {
        let mut until = self.earliest(failures);
        if round > 0 {
            let full =
                self.config.backoff.saturating_mul(1 << (round - 1).min(16)).min(self.config.max_backoff);
            // Clients that failed together must not come back together.
            until = until.max(Instant::now() + full.mul_f64(0.5 + fastrand::f64() / 2.0));
        }
        sleep_until(until).await;
    }

    /// When the first endpoint that may still answer has rested.
    fn earliest(&self, failures: &[Option<Reason>]) -> Instant {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        let hopeful = resting
            .iter()
            .zip(failures)
            .filter(|(_, failure)| failure.as_ref().is_none_or(Reason::is_passing));
        hopeful.map(|(until, _)| *until).min().unwrap_or_else(Instant::now)
    }

    /// An endpoint that asked to be left alone is skipped, unless it is the one that a round waited for.
    fn may_ask(&self, index: usize, failures: &[Option<Reason>]) -> bool {
        let until = self.resting.lock().unwrap_or_else(PoisonError::into_inner)[index];
        until <= Instant::now().max(self.earliest(failures))
    }

    fn rest(&self, index: usize, reason: &Reason) {
        if let Reason::Status { retry_after: Some(wish), .. } = reason {
            let until = Instant::now() + (*wish).min(self.config.max_backoff);
            self.resting.lock().unwrap_or_else(PoisonError::into_inner)[index] = until;
        }
    }
}
