//! A job that another server has taken on: of all that prove, those know it that were asked for it. Who that is nobody
//! here can tell, so all are asked at once; those that do not know it say so at once.

use std::{collections::HashSet, net::SocketAddr, sync::Arc};

use sextant_protocol::{ErrorCode, JobKey, ProofAnswer, ServerError, proof::ProofView};
use tokio::task::JoinSet;

use super::{Upstreams, exchange, failure::Failure, search::better, upstream::Upstream};
use crate::{access::Caller, audience::ProgressSender, made::ProofKey};

/// Waits for the job at whichever upstream has it, and passes its steps on. `None` if none knows it.
///
/// # Errors
/// The most hopeful of what was said instead.
pub(crate) async fn fetch(
    pools: &[Arc<Upstreams>],
    job: JobKey,
    caller: &Caller,
    progress: &ProgressSender,
) -> Result<Option<ProofAnswer>, ServerError> {
    let mut asked: HashSet<SocketAddr> = HashSet::new();
    let mut asking = JoinSet::new();
    for pool in pools {
        for upstream in pool.usable() {
            // One server may prove both programs.
            if asked.insert(upstream.address) {
                let (pool, caller, progress) = (pool.clone(), caller.clone(), progress.clone());
                asking.spawn(async move { pool.fetch(&upstream, job, &caller, &progress).await });
            }
        }
    }
    let mut best: Option<ServerError> = None;
    while let Some(ended) = asking.join_next().await {
        let failure = match ended {
            // The others are not waited for: dropping them cancels there.
            Ok(Ok(answer)) => return Ok(Some(answer)),
            Ok(Err(Failure::Refused(error))) if error.code == ErrorCode::UnknownJob => continue,
            Ok(Err(failure)) => failure.answer(),
            Err(panic) => ServerError::new(ErrorCode::Internal, panic.to_string()),
        };
        best = Some(better(best, failure));
    }
    best.map_or(Ok(None), Err)
}

impl Upstreams {
    async fn fetch(
        &self,
        upstream: &Upstream,
        job: JobKey,
        caller: &Caller,
        progress: &ProgressSender,
    ) -> Result<ProofAnswer, Failure> {
        let fetched = async {
            let on_step = |step| progress.send(step);
            let answer = exchange::fetch(&self.connector(), upstream, job, caller, on_step).await?;
            is_of(&answer, job)?;
            self.verify(&answer).await?;
            Ok(ProofAnswer { job, ..answer })
        };
        let fetched = fetched.await;
        match &fetched {
            Ok(_) => self.metrics.forwarded("ok"),
            Err(Failure::Refused(error)) if error.code == ErrorCode::UnknownJob => {}
            Err(failure) => {
                self.metrics.forwarded(failure.label());
                self.blame(upstream, failure, job.0);
            }
        }
        fetched
    }
}

/// A job's name is made of all that its proof says: whoever shows another proof under it is found out.
fn is_of(answer: &ProofAnswer, job: JobKey) -> Result<(), Failure> {
    let proof = ProofView::of(&answer.record).map_err(|error| Failure::Lied(error.to_string()))?;
    if ProofKey::of(&proof).job() == job {
        Ok(())
    } else {
        Err(Failure::Lied("the proof is of another job".into()))
    }
}
