//! The prover of a follower: a proof server.

use std::{fmt, sync::Arc, time::Duration};

use sextant_consensus::public_values::Statement;
use sextant_follow::{Proven, Prover, ProverError};
use sextant_protocol::{Progress, ProofKind, ProofRecord, StatementInput};

use crate::{Client, ClientConfig, ClientError, Proof};

/// Asks a proof server, over a connection of its own for each proof, so that a server may come and go. What it answers is
/// verified here before it counts.
#[derive(Clone)]
pub struct ServerProver {
    server: String,
    config: ClientConfig,
    deadline: Option<Duration>,
    on_progress: Arc<dyn Fn(Progress) + Send + Sync>,
}

impl ServerProver {
    /// A prover at `server` (`host:port`).
    pub fn new(server: impl Into<String>, config: ClientConfig) -> Self {
        Self { server: server.into(), config, deadline: None, on_progress: Arc::new(|_| {}) }
    }

    /// Gives each proof so long, queueing included. Default: the server's maximum.
    pub fn with_deadline(mut self, deadline: Option<Duration>) -> Self {
        self.deadline = deadline;
        self
    }

    /// Tells each step of a proof.
    pub fn with_progress(mut self, on_progress: impl Fn(Progress) + Send + Sync + 'static) -> Self {
        self.on_progress = Arc::new(on_progress);
        self
    }

    async fn ask(&self, input: StatementInput, kind: ProofKind) -> Result<Proof, ClientError> {
        let client = Client::connect_with(&self.server, self.config.clone()).await?;
        let mut proving = client.prove(input, kind, self.deadline).await?;
        while let Some(step) = proving.next_progress().await {
            (self.on_progress)(step);
        }
        proving.finish().await
    }
}

impl fmt::Debug for ServerProver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerProver").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Prover for ServerProver {
    async fn prove(&self, input: StatementInput, kind: ProofKind) -> Result<Proven, ProverError> {
        match self.ask(input, kind).await {
            Ok(Proof { record, statement, cost }) => Ok(Proven { record, statement, cost }),
            Err(error) => Err(ProverError {
                retry_after: match &error {
                    ClientError::Server(refusal) if refusal.retry_after_ms > 0 => {
                        Some(Duration::from_millis(refusal.retry_after_ms))
                    }
                    _ => None,
                },
                message: error.to_string(),
            }),
        }
    }

    async fn verify(&self, record: ProofRecord) -> Result<Statement, ProverError> {
        match self.config.verifier.verify_apart(record).await {
            Ok((_, statement)) => Ok(statement),
            Err(error) => Err(ProverError { message: error.to_string(), retry_after: None }),
        }
    }
}
