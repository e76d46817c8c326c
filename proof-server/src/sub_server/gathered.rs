//! What a sub-server does for statements that share the proof of a bundle: each has its own proof made here, and the bundle's
//! by the sub-server of bundles, by the same jobs as if somebody had asked for them.

use std::sync::Arc;

use bytes::Bytes;
use sextant_consensus::public_values::Statement;
use sextant_protocol::{ErrorCode, Progress, ProofKind, ServerError};

use super::{Shared, SubServer};
use crate::{
    access::Caller,
    audience::{Audience, ProgressSender},
    evidence::{Checked, parts::Parts},
    jobs::{Entrant, Found, JobId, JobOutcome, Waiter},
    memory::Held,
    traces::Trace,
    window::{self, Member, Window},
};

impl SubServer {
    /// Takes a place in a bundle for a statement.
    pub(super) fn enter(
        &self,
        window: &Arc<Window>,
        checked: &Checked,
        caller: &Caller,
        hops: u32,
    ) -> Result<Member, ServerError> {
        let statement = Statement::abi_decode(self.program, &checked.expected.public_values)
            .map_err(|error| ServerError::new(ErrorCode::Internal, error.to_string()))?;
        Ok(window.enter(statement.chain_digest(), caller, hops))
    }

    /// Has a statement's own proof made while others come, and waits for the bundle's.
    pub(super) async fn prove_with_others(
        self: Arc<Self>,
        member: Member,
        checked: Checked,
        hops: u32,
        audience: Arc<Audience>,
    ) -> JobOutcome {
        let (own, expected) = window::compressed_of(checked);
        let own = self.make_part(own, member.caller(), hops, &audience).await?;
        let answer = member.answer(own, expected, &audience).await?;
        self.shared.metrics.proof(self.program, ProofKind::Bundled, answer.record.len());
        audience.send(Progress::Done);
        Ok(answer)
    }

    /// The compressed proof of a statement that goes into a bundle: found or made like any other, for which those who wait
    /// for the bundle have paid. It is verified: one that does not hold would take the others with it.
    async fn make_part(
        self: &Arc<Self>,
        checked: Checked,
        caller: &Caller,
        hops: u32,
        audience: &Arc<Audience>,
    ) -> JobOutcome {
        let Shared { jobs, verification, .. } = &*self.shared;
        let id = JobId { proof: checked.expected.key, hops };
        let answer = match jobs.cache().get(&id.proof.job()).await {
            Some(answer) => answer,
            None => {
                let progress = ProgressSender::of_part(audience.clone());
                let entrant = Entrant { caller, progress, held: None, trace: audience.trace().clone() };
                let found = jobs.find_or_start(
                    id,
                    entrant,
                    || self.prover.may_join(&caller.identity),
                    |audience| self.start(checked, None, hops, audience),
                )?;
                self.prover.reorder();
                match found {
                    Found::Cached(answer) => answer,
                    Found::Shared(waiter) | Found::Started(waiter) => waiter.outcome().await?,
                }
            }
        };
        match verification.verify_made(answer.record.clone()).await? {
            Ok(()) => Ok(answer),
            Err(reason) => {
                let message = format!("the statement's own proof: {reason}");
                Err(ServerError::new(ErrorCode::Internal, message))
            }
        }
    }

    /// The SNARK of the bundle of these compressed proofs, encoded records that verify, or the job that makes it. This is the
    /// sub-server of bundles.
    pub(crate) async fn bundle(
        self: &Arc<Self>,
        parts: &[Bytes],
        caller: &Caller,
        hops: u32,
        trace: &Trace,
    ) -> Result<(JobId, Found), ServerError> {
        let checked = Parts::verified(parts, Held::nothing(&caller.identity)).await?;
        let id = JobId { proof: checked.expected.key, hops };
        let compressed = self.compressed(id.proof).await;
        if let Some(answer) = self.shared.jobs.cache().get(&id.proof.job()).await {
            return Ok((id, Found::Cached(answer)));
        }
        let entrant =
            Entrant { caller, progress: ProgressSender::nobody(), held: None, trace: trace.clone() };
        let may_join = || self.prover.may_join(&caller.identity);
        let (statements, metrics) = (parts.len(), self.shared.metrics.clone());
        let found = self.shared.jobs.find_or_start(id, entrant, may_join, |audience| {
            let work = self.start(checked, compressed, hops, audience)?;
            Ok(async move {
                let answer = work.await?;
                metrics.bundled(statements);
                Ok(answer)
            })
        })?;
        Ok((id, found))
    }

    /// Waits for a job of [`Self::bundle`] as one more of those for whom it is made; `None` if it is over.
    pub(crate) fn wait_too(&self, id: &JobId, caller: &Caller, progress: ProgressSender) -> Option<Waiter> {
        let waiter = self.shared.jobs.join(id, caller, progress)?;
        self.prover.reorder();
        Some(waiter)
    }
}
