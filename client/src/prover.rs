//! Proofs from a server that may be busy, restart, or lose its connection: asked for again as long as that helps.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use backon::{BackoffBuilder, ExponentialBuilder};
use sextant_consensus::{Program, public_values::Statement};
use sextant_follow::{Proven, Prover, ProverError};
use sextant_protocol::{ErrorCode, Progress, ProofKind, ProofRecord, ServerError, StatementInput};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::{
    BundlingError, CheckedBundle, CheckedInput, CheckedProof, Client, ClientConfig, ClientError,
    DeadlineElapsed, Proof, TransportError, offer::check_offer,
};

/// For the server to hear that a proof is not wanted any more.
const CANCELLING: Duration = Duration::from_secs(2);

/// What becomes known while a proof is made.
#[derive(Clone, Debug)]
pub enum ProvingEvent {
    /// The server is at this step.
    Step(Progress),
    /// No proof came yet; the server is asked again.
    Waiting {
        /// Why not.
        reason: String,
        /// When it is asked again.
        again_in: Duration,
    },
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Ask again when the server has no place now, at the time that it names.
    pub busy: bool,
    /// How long to try to come back after a connection broke. A server keeps the job of a client that vanished for some
    /// seconds (`reconnect-grace`); whoever is back by then finds it where it is.
    pub reconnect: Duration,
}

impl Patience {
    /// The first trouble ends it.
    pub const NONE: Self = Self { busy: false, reconnect: Duration::ZERO };
    /// Comes back when the connection breaks, and hears what a busy server says.
    pub const RECONNECT: Self = Self { busy: false, reconnect: Duration::from_secs(60) };
    /// Comes back, and waits its turn.
    pub const ALL: Self = Self { busy: true, reconnect: Duration::from_secs(60) };
}

/// Asks a proof server, over a connection of its own for each try, so that a server may come and go. What it answers is
/// verified here before it counts.
#[derive(Clone)]
pub struct ServerProver {
    server: String,
    config: ClientConfig,
    deadline: Option<Duration>,
    patience: Patience,
    stop: CancellationToken,
    on_event: Arc<dyn Fn(ProvingEvent) + Send + Sync>,
    /// The connection on which the server was asked what it offers, for the first request.
    asked: Arc<Mutex<Option<Client>>>,
}

impl ServerProver {
    /// A prover at `server` (`host:port`), with [`Patience::RECONNECT`].
    pub fn new(server: impl Into<String>, config: ClientConfig) -> Self {
        Self {
            server: server.into(),
            config,
            deadline: None,
            patience: Patience::RECONNECT,
            stop: CancellationToken::new(),
            on_event: Arc::new(|_| {}),
            asked: Arc::default(),
        }
    }

    /// Gives each proof so long, queueing and waiting included. Default: the server's maximum for each try.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Option<Duration>) -> Self {
        self.deadline = deadline;
        self
    }

    /// Waits for what `patience` says.
    #[must_use]
    pub fn with_patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        if patience.reconnect.is_zero() {
            self.config.reconnects = 0;
        }
        self
    }

    /// Gives up, and tells the server so, once `stop` is cancelled.
    #[must_use]
    pub fn with_stop(mut self, stop: CancellationToken) -> Self {
        self.stop = stop;
        self
    }

    /// Tells what becomes known about each proof.
    #[must_use]
    pub fn with_events(mut self, on_event: impl Fn(ProvingEvent) + Send + Sync + 'static) -> Self {
        self.on_event = Arc::new(on_event);
        self
    }

    /// Asks the server whether it makes proofs of all these programs in this form.
    ///
    /// # Errors
    /// [`ClientError::NotOffered`] if it does not; others if it cannot be asked.
    pub async fn check_offer(&self, programs: &[Program], kind: ProofKind) -> Result<(), ClientError> {
        let client = Client::connect_with(&self.server, self.config.clone()).await?;
        let info = client.info().await?;
        programs.iter().try_for_each(|program| check_offer(&info, *program, kind))?;
        *self.asked() = Some(client);
        Ok(())
    }

    /// A refusal, with what the server offers instead where it is of what it does not offer.
    async fn explained(&self, error: ClientError, program: Program, kind: ProofKind) -> ClientError {
        match &error {
            ClientError::Server(refusal) if refusal.code == ErrorCode::Unsupported => {
                match self.check_offer(&[program], kind).await {
                    Err(not_offered @ ClientError::NotOffered(_)) => not_offered,
                    // What it says of itself fits: its own words are all there is.
                    _ => error,
                }
            }
            _ => error,
        }
    }

    /// The one proof of several that were looked at, in a follower's terms.
    async fn one_of(
        &self,
        checked: Result<CheckedBundle, BundlingError>,
        kind: ProofKind,
    ) -> Result<Proven, ProverError> {
        let checked = checked.map_err(|error| no_proof(&error))?;
        let program = checked.statement().program();
        match self.bundle(checked, kind).await {
            Ok(proof) => Ok(proven(proof)),
            Err(error) => Err(told(&self.explained(error, program, kind).await)),
        }
    }

    fn asked(&self) -> MutexGuard<'_, Option<Client>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A proof of `checked`, asked for until it is there, waiting does not help any more, or the deadline has passed.
    ///
    /// # Errors
    /// What the last try gave; [`ClientError::Cancelled`] if it was stopped.
    pub async fn ask(&self, checked: CheckedInput, kind: ProofKind) -> Result<Proof, ClientError> {
        self.ask_until_done(Question::Prove(checked, kind)).await
    }

    /// The Groth16 proof of a compressed one, asked for like [`Self::ask`].
    ///
    /// # Errors
    /// As there.
    pub async fn wrap(&self, checked: CheckedProof) -> Result<Proof, ClientError> {
        self.ask_until_done(Question::Wrap(checked)).await
    }

    /// One proof of a bundle's proofs, asked for like [`Self::ask`].
    ///
    /// # Errors
    /// As there.
    pub async fn bundle(&self, checked: CheckedBundle, kind: ProofKind) -> Result<Proof, ClientError> {
        self.ask_until_done(Question::Bundle(checked, kind)).await
    }

    async fn ask_until_done(&self, question: Question) -> Result<Proof, ClientError> {
        let end = self.deadline.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
        let mut trying = Trying::default();
        loop {
            let left = end.map(|(at, _)| at.saturating_duration_since(Instant::now()));
            let error = match self.try_once(question.clone(), left, &mut trying).await {
                Ok(proof) => return Ok(proof),
                Err(error) => error,
            };
            let Some(pause) = trying.pause(&error, self.patience) else { return Err(error) };
            if let Some((at, after)) = end
                && Instant::now() + pause >= at
            {
                // Busy to the end is what the caller wants to know; a proof would have come too late.
                return Err(match error {
                    ClientError::Transport(_) => DeadlineElapsed { what: "proof", after }.into(),
                    refused => refused,
                });
            }
            (self.on_event)(ProvingEvent::Waiting { reason: error.to_string(), again_in: pause });
            tokio::select! {
                () = sleep(pause) => {}
                () = self.stop.cancelled() => return Err(ClientError::Cancelled { told: false }),
            }
        }
    }

    async fn try_once(
        &self,
        question: Question,
        deadline: Option<Duration>,
        trying: &mut Trying,
    ) -> Result<Proof, ClientError> {
        let asked = self.asked().take();
        let client = match asked {
            Some(client) if !client.is_lost() => client,
            _ => tokio::select! {
                client = Client::connect_with(&self.server, self.config.clone()) => client?,
                () = self.stop.cancelled() => return Err(ClientError::Cancelled { told: false }),
            },
        };
        trying.connected();
        let mut proving = match question {
            Question::Prove(checked, kind) => tokio::select! {
                proving = client.prove_checked(checked, kind, deadline) => proving?,
                () = self.stop.cancelled() => return Err(ClientError::Cancelled { told: false }),
            },
            Question::Wrap(checked) => client.wrap_checked(checked, deadline)?,
            Question::Bundle(checked, kind) => client.bundle(checked, kind, deadline)?,
        };
        loop {
            tokio::select! {
                step = proving.next_progress() => match step {
                    Some(step) => (self.on_event)(ProvingEvent::Step(step)),
                    None => return proving.finish().await,
                },
                () = self.stop.cancelled() => {
                    // Dropping it cancels it; an answer to what is sent after that shows that the server has heard.
                    drop(proving);
                    let told = matches!(timeout(CANCELLING, client.ping()).await, Ok(Ok(())));
                    return Err(ClientError::Cancelled { told });
                }
            }
        }
    }
}

/// What is asked for.
#[derive(Clone)]
enum Question {
    Prove(CheckedInput, ProofKind),
    Wrap(CheckedProof),
    Bundle(CheckedBundle, ProofKind),
}

/// How it went so far.
#[derive(Default)]
struct Trying {
    /// When the last connection was made: where none ever was, the address is wrong or nobody is there.
    connected: Option<Instant>,
    /// Since when there is none, and the pauses until the next try.
    broken: Option<(Instant, backon::ExponentialBackoff)>,
}

impl Trying {
    fn connected(&mut self) {
        self.connected = Some(Instant::now());
    }

    /// How long to wait before the next try; `None` if another does not help.
    fn pause(&mut self, error: &ClientError, patience: Patience) -> Option<Duration> {
        use TransportError::{Broken, Closed, Connect, Refused, Silent};
        match error {
            ClientError::Server(refusal) | ClientError::Transport(Refused(refusal)) => {
                self.broken = None;
                (patience.busy && may_pass(refusal)).then(|| {
                    // Not all at the same moment.
                    let after = Duration::from_millis(refusal.retry_after_ms.max(500));
                    after.mul_f64(1.0 + 0.1 * fastrand::f64())
                })
            }
            ClientError::Transport(Broken(_) | Closed | Silent { .. }) => {
                // After one that held for long this is another trouble.
                if self.connected?.elapsed() > patience.reconnect {
                    self.broken = None;
                }
                self.come_back(patience)
            }
            ClientError::Transport(Connect { .. })
            | ClientError::Deadline(DeadlineElapsed { what: "connection" | "handshake", .. }) => {
                self.connected?;
                self.come_back(patience)
            }
            _ => None,
        }
    }

    fn come_back(&mut self, patience: Patience) -> Option<Duration> {
        let (since, pauses) = self.broken.get_or_insert_with(|| {
            let pauses = ExponentialBuilder::new()
                .with_min_delay(Duration::from_millis(200))
                .with_max_delay(Duration::from_secs(5))
                .with_jitter()
                .without_max_times();
            (Instant::now(), pauses.build())
        });
        if since.elapsed() < patience.reconnect { pauses.next() } else { None }
    }
}

/// Refusals that are about now, not about the request.
fn may_pass(refusal: &ServerError) -> bool {
    matches!(refusal.code, ErrorCode::Busy | ErrorCode::ShuttingDown)
}

/// Refusals that are about what the server is and what it is asked for: it says the same until one of them changes.
fn stands(error: &ClientError) -> bool {
    match error {
        ClientError::NotOffered(_) | ClientError::Check(_) => true,
        ClientError::Transport(error) => error.stands(),
        ClientError::Server(refusal) => refusal.stands(),
        _ => false,
    }
}

impl fmt::Debug for ServerProver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerProver").field("server", &self.server).finish_non_exhaustive()
    }
}

impl Prover for ServerProver {
    async fn prove(&self, input: StatementInput, kind: ProofKind) -> Result<Proven, ProverError> {
        let program = input.program();
        let proof = async { self.ask(CheckedInput::check(input).await?, kind).await };
        let error = match proof.await {
            Ok(proof) => return Ok(proven(proof)),
            Err(error) => error,
        };
        let error = match program {
            Some(program) => self.explained(error, program, kind).await,
            None => error,
        };
        Err(told(&error))
    }

    async fn bundle_of(&self, proofs: Vec<ProofRecord>, kind: ProofKind) -> Result<Proven, ProverError> {
        self.one_of(CheckedBundle::check(proofs, &self.config.verifier).await, kind).await
    }

    async fn chain_of(&self, proofs: Vec<ProofRecord>) -> Result<Proven, ProverError> {
        let checked = CheckedBundle::chain(proofs, &self.config.verifier).await;
        self.one_of(checked, ProofKind::Compressed).await
    }

    async fn snark_of(&self, proof: ProofRecord) -> Result<Proven, ProverError> {
        let program = proof.program();
        let checked = CheckedProof::check(proof, &self.config.verifier).await;
        let checked = checked.map_err(|error| no_proof(&error))?;
        let error = match (self.wrap(checked).await, program) {
            (Ok(proof), _) => return Ok(proven(proof)),
            (Err(error), Some(program)) => self.explained(error, program, ProofKind::Groth16).await,
            (Err(error), None) => error,
        };
        Err(told(&error))
    }

    async fn verify(&self, record: ProofRecord) -> Result<Statement, ProverError> {
        match self.config.verifier.verify_apart(record).await {
            Ok((_, statement)) => Ok(statement),
            Err(error) => Err(no_proof(&error)),
        }
    }
}

fn proven(Proof { record, statement, cost }: Proof) -> Proven {
    Proven { record, statement, cost }
}

/// A failure to get a proof, in a follower's words.
fn told(error: &ClientError) -> ProverError {
    ProverError {
        retry_after: match error {
            ClientError::Server(refusal) if refusal.retry_after_ms > 0 => {
                Some(Duration::from_millis(refusal.retry_after_ms))
            }
            _ => None,
        },
        stands: stands(error),
        message: error.to_string(),
    }
}

/// What was given is no proof, and will be none.
fn no_proof(error: &impl fmt::Display) -> ProverError {
    ProverError { message: error.to_string(), stands: true, ..ProverError::default() }
}
