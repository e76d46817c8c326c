//! Statements that share the proof of a bundle: who asks for one within a while of another has the same SNARK, each with the
//! place of their own statement.
//!
//! Such a proof is a job like any other, of the one statement, and waits for two more: the statement's compressed proof,
//! which others may want as well, and the SNARK of the bundle, which belongs to all who are in it. Who leaves, leaves those
//! as anybody does. [`gathering`] knows who is in which bundle, [`roll`] in which order.

mod gathering;
mod roll;

use std::{
    sync::{Arc, OnceLock, Weak},
    time::Duration,
};

use bytes::Bytes;
use sextant_consensus::hash::Root;
use sextant_protocol::{
    ErrorCode, Progress, ProofAnswer, ProofKind, ProofRecord, ServerError, encoding, request::ProvingCost,
};
use tokio_util::sync::CancellationToken;

use self::{
    gathering::{Gatherings, Seat},
    roll::Standing,
};
use crate::{
    access::Caller,
    audience::{Audience, ProgressSender},
    blocking::blocking,
    checked::Expected,
    errors::shutting_down,
    evidence::Checked,
    jobs::{Found, JobId, JobOutcome},
    sub_server::SubServer,
    time::millis,
};

/// Shortest and longest time after which a bundle for whose proof there was no place is tried again.
const PAUSE: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// What statements of one bundle have in common: their chain, and how many servers they have passed through, because what a
/// server passes on it passes on for all of them.
type Common = (Root, u32);

/// Gathers statements.
pub(crate) struct Window {
    gatherings: Gatherings<Common, Bytes, Result<Arc<Whole>, ServerError>>,
    /// Makes the bundles' proofs. It knows this window itself.
    bundler: OnceLock<Weak<SubServer>>,
}

/// The SNARK of a bundle, or the job that makes it, held for all who are in it.
struct Whole {
    id: JobId,
    found: Found,
}

/// A statement in a bundle to be.
pub(crate) struct Member {
    window: Arc<Window>,
    seat: Seat<Bytes, Result<Arc<Whole>, ServerError>>,
    caller: Caller,
    hops: u32,
}

impl Window {
    /// Gathers for so long from the first statement on.
    pub(crate) fn new(length: Duration) -> Arc<Self> {
        Arc::new(Self { gatherings: Gatherings::new(length), bundler: OnceLock::new() })
    }

    /// Names who makes the proofs of bundles.
    pub(crate) fn bundled_by(&self, bundler: &Arc<SubServer>) {
        // Once, when the server is put together.
        let _ = self.bundler.set(Arc::downgrade(bundler));
    }

    /// Whether there is anybody who makes SNARKs of bundles, as far as is known now.
    pub(crate) fn makes_bundles(&self) -> bool {
        let kinds = self.bundler().and_then(|bundler| bundler.kinds());
        kinds.is_some_and(|kinds| kinds.contains(&ProofKind::Groth16))
    }

    /// Takes a statement about `chain` into the bundle that is open for it, in the name of `caller`.
    pub(crate) fn enter(self: &Arc<Self>, chain: Root, caller: &Caller, hops: u32) -> Member {
        let seat = self.gatherings.enter((chain, hops));
        // Whoever's connection breaks is waited for already, by the job that this is for.
        let caller = Caller { gone: CancellationToken::new(), ..caller.clone() };
        Member { window: self.clone(), seat, caller, hops }
    }

    fn bundler(&self) -> Option<Arc<SubServer>> {
        self.bundler.get().and_then(Weak::upgrade)
    }
}

impl Member {
    /// In whose name it is asked for.
    pub(crate) fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The statement's answer, once the bundle's proof is made: `own` is that with its compressed proof, `expected` what is
    /// asked for. Tells `audience` where it stands. Dropped half-way, it leaves the bundle to the others.
    pub(crate) async fn answer(
        &self,
        own: ProofAnswer,
        expected: Expected,
        audience: &Arc<Audience>,
    ) -> Result<ProofAnswer, ServerError> {
        let told = |Standing { made, total }: Standing, left: Duration| {
            let (done, total) = (made as u32, total as u32);
            audience.send(Progress::Gathering { done, total, wait_ms: millis(left) });
        };
        let (index, parts) = self.seat.gather(own.record, told).await;
        let whole = self.seat.whole(|| self.start(parts, audience)).await.as_ref();
        let bundle =
            self.outcome(whole.map_err(ServerError::clone)?, audience).await.map_err(of_the_bundle)?;
        let Expected { program, key, public_values, input_digest } = expected;
        let cost = ProvingCost {
            cycles: own.cost.cycles,
            queued_ms: own.cost.queued_ms + bundle.cost.queued_ms,
            proving_ms: own.cost.proving_ms + bundle.cost.proving_ms,
            peak_memory: own.cost.peak_memory.max(bundle.cost.peak_memory),
        };
        blocking(move || {
            let bundle: ProofRecord =
                encoding::decode("proof record", &bundle.record, bundle.record.len())
                    .map_err(|error| ServerError::new(ErrorCode::Internal, error.to_string()))?;
            let record = ProofRecord::in_bundle(program, public_values, index, &bundle);
            Ok(ProofAnswer::new(&record, input_digest, cost, key.job()))
        })
        .await?
    }

    /// Has the bundle of these proofs made, as soon as there is a place for that.
    async fn start(&self, parts: Arc<[Bytes]>, audience: &Arc<Audience>) -> Result<Arc<Whole>, ServerError> {
        loop {
            let bundler = self.window.bundler().ok_or_else(shutting_down)?;
            match bundler.bundle(&parts, &self.caller, self.hops, audience.trace()).await {
                Ok((id, found)) => return Ok(Arc::new(Whole { id, found })),
                Err(error) if error.code == ErrorCode::Busy => {
                    let pause = Duration::from_millis(error.retry_after_ms).clamp(PAUSE.0, PAUSE.1);
                    tokio::time::sleep(pause).await;
                }
                Err(error) => return Err(of_the_bundle(error)),
            }
        }
    }

    /// Waits for the bundle's proof with the others, each in their own name.
    async fn outcome(&self, whole: &Whole, audience: &Arc<Audience>) -> JobOutcome {
        let waiter = match &whole.found {
            Found::Cached(answer) => return Ok(answer.clone()),
            Found::Shared(waiter) | Found::Started(waiter) => waiter,
        };
        let bundler = self.window.bundler().ok_or_else(shutting_down)?;
        match bundler.wait_too(&whole.id, &self.caller, ProgressSender::of_part(audience.clone())) {
            Some(own) => own.outcome().await,
            // It is over.
            None => waiter.outcome().await,
        }
    }
}

/// What a statement's proof is made from, of which the bundle takes the compressed form.
pub(crate) fn compressed_of(checked: Checked) -> (Checked, Expected) {
    let Checked { source, expected, held } = checked;
    let Expected { program, key, public_values, input_digest } = expected;
    let of = |kind, public_values| Expected {
        program,
        key: crate::evidence::key(program, key.statement, kind),
        public_values,
        input_digest,
    };
    let own = of(ProofKind::Compressed, public_values.clone());
    (Checked { source, expected: own, held }, of(ProofKind::Bundled, public_values))
}

/// What became of the bundle is nothing that the statement will fail by again: with others, or alone, it may be made.
fn of_the_bundle(error: ServerError) -> ServerError {
    let message = format!("the bundle with this statement: {}", error.message);
    match error.code {
        ErrorCode::ProverFailed if error.retry_after_ms == 0 => {
            ServerError::retryable(error.code, message, 1_000)
        }
        _ => ServerError { message, ..error },
    }
}
