//! Forwarding: an entrypoint's proofs are made by other servers.
//!
//! Upstreams come from the configuration alone. `pool` knows which are there and whom to ask, `upstream` keeps what is
//! known of one, `exchange` asks it, and `failure` says whose fault it is when that does not work. Here a request goes
//! from one to the next, and here is decided what to believe: an answer is verified like a stranger's proof before it is
//! passed on. Any number of upstreams may fail; a proof is deterministic in its meaning, so another one is asked.

mod exchange;
mod failure;
mod fetching;
mod pool;
mod search;
mod upstream;

use std::{path::PathBuf, sync::Arc};

pub(crate) use exchange::Connector;
use failure::{Failure, Fault};
pub(crate) use fetching::fetch;
pub(crate) use pool::Upstreams;
use search::Search;
use sextant_consensus::Program;
use sextant_protocol::{ErrorCode, ProofAnswer, ServerError, Token, proof::ProofView};
use tokio::sync::watch;
use upstream::Upstream;

use crate::{
    checked::{CheckedRequest, Expected},
    config::UpstreamConfig,
    made::ProofKey,
    metrics::Metrics,
    programs,
    reload::{self, Reloaded},
    tls::{self, TlsError},
    traces::Kind,
};

/// Clients in whose names one server is asked for one proof: a queue that is full refuses all of them.
const NAMES: usize = 8;

/// Why an entrypoint does not start.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// The upstreams' authorities.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The token for the upstreams cannot be read.
    #[error("upstream-token-file: {}: {source}", .path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
}

/// All upstreams of an entrypoint.
pub(crate) struct Forwarding {
    pub(crate) pools: Vec<Arc<Upstreams>>,
}

impl Forwarding {
    /// Whether there is anybody to forward to, for any program: what still works is not taken out with what does not.
    pub(crate) fn readiness(&self) -> Result<(), String> {
        if self.pools.iter().any(|pool| pool.count().1 > 0) {
            return Ok(());
        }
        let names: Vec<_> = self.pools.iter().map(|pool| programs::name(pool.program)).collect();
        Err(format!("no upstream for {} is up", names.join(" or ")))
    }

    /// What is there of each program, a line each.
    pub(crate) fn details(&self) -> Vec<String> {
        let line = |pool: &Arc<Upstreams>| {
            let (known, usable) = pool.count();
            format!("{}: {usable} of {known} upstreams up", programs::name(pool.program))
        };
        self.pools.iter().map(line).collect()
    }

    /// Puts the numbers of servers into the metrics.
    pub(crate) fn count(&self, metrics: &Metrics) {
        for pool in &self.pools {
            let (known, healthy) = pool.count();
            metrics.upstreams(pool.program, known, healthy);
        }
    }
}

/// How upstreams are reached, and how that is made anew from its files.
pub(crate) fn connector(
    config: &UpstreamConfig,
) -> Result<(watch::Receiver<Connector>, Reloaded), ForwardError> {
    let files = reload::files([config.ca.as_deref(), config.token_file.as_deref()]);
    let config = config.clone();
    reload::reloaded("upstream authorities and token", files, move || read_connector(&config))
}

fn read_connector(config: &UpstreamConfig) -> Result<Connector, ForwardError> {
    let tls = config.ca.as_deref().map(tls::client_config).transpose()?.map(Arc::new);
    let token = match &config.token_file {
        None => Token::default(),
        Some(path) => {
            let wrong = |source| ForwardError::Token { path: path.clone(), source };
            Token(std::fs::read_to_string(path).map_err(wrong)?.trim().to_owned())
        }
    };
    Ok(Connector { tls, token, allow_plain: config.allow_plain })
}

impl Upstreams {
    /// Has the proof made by an upstream, or another if that fails. Dropped half-way, it is cancelled there.
    pub(crate) async fn prove(&self, request: CheckedRequest) -> Result<ProofAnswer, ServerError> {
        let request = Arc::new(request);
        let ProofKey { kind, .. } = request.expected.key;
        let key = request.expected.key.job().0;
        let mut search = Search::new();
        while let Some(upstream) = search.next(|asked| self.choose(kind, asked)) {
            let failure = match self.ask(&upstream, &request).await {
                Ok(answer) => {
                    self.metrics.forwarded("ok");
                    upstream.served();
                    // They failed at what can be done.
                    search.suspects().iter().for_each(|suspect| suspect.failed(key));
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            self.metrics.forwarded(failure.label());
            self.blame(&upstream, &failure, key);
            if let Failure::Own(error) = failure {
                return Err(error);
            }
            search.note(upstream, failure);
        }
        Err(search.conclusion().unwrap_or_else(|| self.nobody()))
    }

    async fn ask(
        &self,
        upstream: &Arc<Upstream>,
        request: &Arc<CheckedRequest>,
    ) -> Result<ProofAnswer, Failure> {
        let answer = self.ask_for_all(upstream, request).await?;
        let expected = &request.expected;
        Self::believe(&answer, expected)?;
        let verifying = request.audience.trace().span("verify", Kind::Internal);
        let verified = self.verify(&answer).await;
        verifying.end(verified.as_ref().err().map_or("ok", Failure::label));
        verified?;
        Ok(ProofAnswer { input_digest: expected.input_digest, job: expected.key.job(), ..answer })
    }

    /// Asks in the name of one of those who wait, and in another's where that one has no room there: what is full is a
    /// client's share, and those who want the same are refused only with the last of them.
    async fn ask_for_all(
        &self,
        upstream: &Upstream,
        request: &CheckedRequest,
    ) -> Result<ProofAnswer, Failure> {
        let _open = upstream.open();
        let mut busy = ServerError::new(ErrorCode::Internal, "a job without clients");
        let mut tried = Vec::new();
        while tried.len() < NAMES {
            // Others may have come while the last one was refused.
            let waiting = request.audience.identities();
            let Some(name) = waiting.into_iter().find(|name| !tried.contains(name)) else { break };
            let span = request.audience.trace().span("forward", Kind::Client);
            span.set("server.address", upstream.address.to_string());
            let answer = exchange::prove(&self.connector(), upstream, request, &name, span.trace()).await;
            span.end(answer.as_ref().err().map_or("ok", Failure::label));
            match answer {
                Err(Failure::Refused(error)) if error.code == ErrorCode::Busy => busy = error,
                other => return other,
            }
            tried.push(name);
        }
        Err(Failure::Refused(busy))
    }

    /// Takes note of a server that was of no use, over the request or job that `key` names.
    fn blame(&self, upstream: &Upstream, failure: &Failure, key: [u8; 32]) {
        let (address, program) = (&upstream.address, programs::name(self.program));
        match failure.fault() {
            Fault::Lie => {
                tracing::error!(%address, program, %failure, "upstream");
                upstream.lied();
            }
            Fault::Servers => {
                tracing::warn!(%address, program, %failure, "upstream");
                upstream.failed(key);
            }
            Fault::Suspected | Fault::Nobodys => tracing::info!(%address, program, %failure, "upstream"),
        }
    }

    /// Whether an answer is of what was asked for.
    fn believe(answer: &ProofAnswer, expected: &Expected) -> Result<(), Failure> {
        let proof = ProofView::of(&answer.record).map_err(|error| Failure::Lied(error.to_string()))?;
        if proof.program != expected.program.tag() || proof.kind != expected.key.kind {
            return Err(Failure::Lied(format!("a {} proof by program {}", proof.kind, proof.program)));
        }
        if proof.public_values != expected.public_values {
            return Err(Failure::Lied("the proof states something else".into()));
        }
        Ok(())
    }

    /// Whether an answer is a proof of what it says.
    async fn verify(&self, answer: &ProofAnswer) -> Result<(), Failure> {
        let verified = self.verification.verify_made(answer.record.clone()).await;
        verified.map_err(Failure::Own)?.map_err(Failure::Lied)
    }
}

/// Programs that an entrypoint has upstreams for, with their names.
pub(crate) fn configured(config: &UpstreamConfig) -> Vec<(Program, Vec<String>)> {
    [
        (Program::CommitteeChange, config.committee_change.clone()),
        (Program::Inclusion, config.inclusion.clone()),
        (Program::Bundle, config.bundle.clone()),
        (Program::Chain, config.bundle.clone()),
    ]
    .into_iter()
    .filter(|(_, names)| !names.is_empty())
    .collect()
}
