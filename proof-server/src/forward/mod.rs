//! Forwarding: an entrypoint's proofs are made by other servers.
//!
//! Upstreams come from the configuration alone. `pool` knows which are there and how busy they are, `exchange` asks one
//! of them, and here is decided whom to ask and what to believe: an answer is verified like a stranger's proof before
//! it is passed on. Any number of upstreams may fail; a proof is deterministic in its meaning, so another one is asked.

mod exchange;
mod failure;
mod pool;
mod upstream;

use std::{collections::HashSet, path::PathBuf, sync::Arc, time::Duration};

pub(crate) use exchange::Connector;
use failure::Failure;
pub(crate) use pool::Upstreams;
use sextant_consensus::Program;
use sextant_protocol::{ErrorCode, ProofRecord, Response, ServerError, Token};
use upstream::Upstream;

use crate::{
    checked::CheckedRequest,
    config::UpstreamConfig,
    metrics::Metrics,
    programs,
    tls::{self, TlsError},
};

/// Upstreams asked for one proof before the client hears that it does not work.
const ATTEMPTS: usize = 4;
/// How long an upstream that lied is not asked.
const LIED: Duration = Duration::from_secs(600);
/// How long one that failed is not asked, unless it answers a health check before.
const FAILED: Duration = Duration::from_secs(2);
/// Tries to get an answer verified when the verifier itself is busy or fails.
const VERIFICATIONS: u32 = 5;

/// Why an entrypoint does not start.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// The upstreams' authorities.
    #[error("upstream authorities: {0}")]
    Tls(#[from] TlsError),
    /// The token for the upstreams cannot be read.
    #[error("upstream token file {path}: {source}")]
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
    /// Whether every program has somebody to forward to.
    pub(crate) fn readiness(&self) -> Result<(), String> {
        match self.pools.iter().find(|pool| pool.count().1 == 0) {
            Some(pool) => Err(format!("no upstream for {} is up", programs::name(pool.program))),
            None => Ok(()),
        }
    }

    /// Puts the numbers of servers into the metrics.
    pub(crate) fn count(&self, metrics: &Metrics) {
        for pool in &self.pools {
            let (known, healthy) = pool.count();
            metrics.upstreams(pool.program, known, healthy);
        }
    }
}

/// How upstreams are reached.
pub(crate) fn connector(config: &UpstreamConfig) -> Result<Connector, ForwardError> {
    let tls = config.ca.as_deref().map(tls::client_config).transpose()?.map(Arc::new);
    let token = match &config.token_file {
        None => Token::default(),
        Some(path) => {
            let wrong = |source| ForwardError::Token { path: path.clone(), source };
            Token(std::fs::read_to_string(path).map_err(wrong)?.trim().to_owned())
        }
    };
    Ok(Connector { tls, token })
}

impl Upstreams {
    /// Has the proof made by the least busy upstream, or another if that fails. Dropped half-way, it is cancelled
    /// there.
    pub(crate) async fn prove(&self, request: CheckedRequest) -> Result<Response, ServerError> {
        let request = Arc::new(request);
        let mut asked = HashSet::new();
        let mut last = self.nobody();
        while asked.len() < ATTEMPTS {
            let Some(upstream) = self.least_busy(&asked) else { break };
            asked.insert(upstream.address);
            let failure = match self.ask(&upstream, &request).await {
                Ok(response) => {
                    self.metrics.forwarded("ok");
                    return Ok(response);
                }
                Err(failure) => failure,
            };
            last = self.blame(&upstream, failure)?;
        }
        Err(last)
    }

    async fn ask(
        &self,
        upstream: &Arc<Upstream>,
        request: &Arc<CheckedRequest>,
    ) -> Result<Response, Failure> {
        let _open = upstream.open();
        let vk_hash = programs::artifact(self.program).vk_hash;
        let response = exchange::prove(&self.connector, upstream, request, vk_hash).await?;
        let Response::Proof { proof, input_digest, .. } = &response else {
            return Err(Failure::Lied("it answered another question".into()));
        };
        if *input_digest != request.input_digest {
            return Err(Failure::Lied("it proved another input".into()));
        }
        self.believe(proof, request).await?;
        Ok(response)
    }

    async fn believe(&self, proof: &ProofRecord, request: &CheckedRequest) -> Result<(), Failure> {
        if proof.program != request.request.input.program || proof.kind != request.request.kind {
            return Err(Failure::Lied(format!("a {} proof by program {}", proof.kind, proof.program)));
        }
        if proof.public_values != request.public_values {
            return Err(Failure::Lied("the proof states something else".into()));
        }
        for attempt in 1.. {
            match self.verification.verify(proof.clone(), request.caller.identity.clone()).await {
                Ok(()) => return Ok(()),
                Err(error) if matches!(error.code, ErrorCode::InvalidProof | ErrorCode::Unsupported) => {
                    return Err(Failure::Lied(error.message));
                }
                Err(error) if attempt == VERIFICATIONS => return Err(Failure::Own(error)),
                Err(error) => {
                    let pause = Duration::from_millis(error.retry_after_ms.clamp(100, 5_000));
                    tokio::time::sleep(pause).await;
                }
            }
        }
        unreachable!("the loop returns")
    }

    /// Draws the consequences of a failure: what the client hears if nobody else does it, or at once.
    fn blame(&self, upstream: &Upstream, failure: Failure) -> Result<ServerError, ServerError> {
        let address = upstream.address;
        match failure {
            Failure::Own(error) => Err(error),
            Failure::Transport(reason) => {
                tracing::warn!(%address, %reason, "upstream failed");
                self.metrics.forwarded("failed");
                upstream.avoid(FAILED);
                let message = format!("the prover behind this server failed: {reason}");
                Ok(ServerError::retryable(ErrorCode::ProverFailed, message, 1_000))
            }
            Failure::Refused(error) => {
                tracing::warn!(%address, %error, "upstream refused");
                self.metrics.forwarded("refused");
                Ok(match error.code {
                    ErrorCode::Busy | ErrorCode::ShuttingDown | ErrorCode::ProverFailed => {
                        ServerError { retry_after_ms: error.retry_after_ms.max(1_000), ..error }
                    }
                    // The statement was checked here: that somebody else finds fault with it is not the client's.
                    _ => {
                        let message = format!("the prover behind this server refuses: {error}");
                        ServerError::retryable(ErrorCode::ProverFailed, message, 10_000)
                    }
                })
            }
            Failure::Lied(reason) => {
                tracing::error!(%address, %reason, "upstream answered falsely");
                self.metrics.forwarded("lied");
                upstream.avoid(LIED);
                let message = "the prover behind this server answered falsely";
                Ok(ServerError::retryable(ErrorCode::ProverFailed, message, 1_000))
            }
        }
    }
}

/// Programs that an entrypoint has upstreams for, with their names.
pub(crate) fn configured(config: &UpstreamConfig) -> Vec<(Program, Vec<String>)> {
    [
        (Program::CommitteeChange, config.committee_change.clone()),
        (Program::Inclusion, config.inclusion.clone()),
    ]
    .into_iter()
    .filter(|(_, names)| !names.is_empty())
    .collect()
}
