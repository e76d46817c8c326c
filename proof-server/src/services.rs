//! What the server offers, by request: the two sub-servers, verification, and facts about itself.

use std::{sync::Arc, time::Duration};

use sextant_artifacts::CIRCUIT_VERSION;
use sextant_consensus::Program;
use sextant_protocol::{ErrorCode, ProofKind, Request, Response, ServerError, ServerInfo};
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    progress::ProgressSender, queue::Queues, sub_server::SubServer, verification::Verification,
    worker::lane::Job,
};

/// Name and version of this software.
pub(crate) const AGENT: &str = concat!("proof-server/", env!("CARGO_PKG_VERSION"));

/// Everything a connection can ask for.
pub(crate) struct Services {
    committee_change: SubServer,
    inclusion: SubServer,
    verification: Verification,
    max_deadline: Duration,
}

/// Numbers the services need from the configuration.
pub(crate) struct ServiceLimits {
    pub(crate) max_input: usize,
    pub(crate) max_deadline: Duration,
    pub(crate) parallel_checks: usize,
}

impl Services {
    /// Services on top of a proving lane's queues (one for each program, by tag) and a verification lane's queue.
    pub(crate) fn new(
        proving: &Arc<Queues<Job>>,
        verification: Arc<Queues<Job>>,
        limits: &ServiceLimits,
    ) -> Self {
        let checks = Arc::new(Semaphore::new(limits.parallel_checks));
        let sub_server = |program, queue| {
            SubServer::new(program, proving.clone(), queue, checks.clone(), limits.max_input)
        };
        Self {
            committee_change: sub_server(Program::CommitteeChange, 0),
            inclusion: sub_server(Program::Inclusion, 1),
            verification: Verification::new(verification),
            max_deadline: limits.max_deadline,
        }
    }

    /// Answers one request. Dropped half-way, whatever it had started ends.
    pub(crate) async fn answer(
        &self,
        request: Request,
        progress: ProgressSender,
    ) -> Result<Response, ServerError> {
        let deadline = self.deadline(&request);
        let work = async {
            match request {
                Request::Ping => Ok(Response::Pong),
                Request::Info => Ok(Response::Info(self.info())),
                Request::Verify(proof) => self.verification.verify(proof).await,
                Request::Prove(request) => match request.input.program() {
                    Some(program) => self.sub_server(program).prove(request, progress).await,
                    None => Err(ServerError::new(
                        ErrorCode::Unsupported,
                        format!("no program has the tag {}", request.input.program),
                    )),
                },
            }
        };
        timeout(deadline, work).await.unwrap_or_else(|_| {
            let message = format!("not done within {} ms", deadline.as_millis());
            Err(ServerError::new(ErrorCode::DeadlineExceeded, message))
        })
    }

    fn deadline(&self, request: &Request) -> Duration {
        match request {
            Request::Prove(request) if request.deadline_ms > 0 => {
                Duration::from_millis(request.deadline_ms).min(self.max_deadline)
            }
            _ => self.max_deadline,
        }
    }

    fn sub_server(&self, program: Program) -> &SubServer {
        match program {
            Program::CommitteeChange => &self.committee_change,
            Program::Inclusion => &self.inclusion,
        }
    }

    fn info(&self) -> ServerInfo {
        ServerInfo {
            agent: AGENT.into(),
            circuit_version: CIRCUIT_VERSION.into(),
            programs: Program::ALL.map(|program| self.sub_server(program).info()).into(),
            kinds: vec![ProofKind::Stark, ProofKind::Compressed],
        }
    }
}
