//! Wrapping: a compressed proof becomes a small one of a field that BN254 SNARKs speak.
//!
//! Two steps of recursion: shrinking, and wrapping in the field of BN254's scalars. The second is by far the longest
//! stage of a SNARK on CPUs.

use std::{pin::pin, sync::Arc};

use anyhow::Context;
use sextant_machines::{Machines, OURS};
use sextant_protocol::Progress;
use sp1_hypercube::{SP1PcsProofOuter, SP1WrapProof};
use sp1_primitives::SP1OuterGlobalContext;
use sp1_prover::worker::RawTaskRequest;
use sp1_prover_types::ArtifactClient;
use sp1_verifier::SP1Proof;
use tokio::sync::Notify;

use crate::{
    EngineError, EngineSettings, ProgressSink, Work,
    compress::{Compressed, RecursionWorker, recursion_worker, task_context},
};

/// A wrapped proof, verified: what a SNARK's circuit verifies.
pub type Wrapped = SP1WrapProof<SP1OuterGlobalContext, SP1PcsProofOuter>;

/// A started engine for wrapping; wraps one proof at a time.
pub struct Wrapper {
    worker: RecursionWorker,
    /// Hears of the wrap prover being made, which SP1 does when a proof is shrunk.
    wrapping: Arc<Notify>,
}

impl Wrapper {
    /// Compiles the recursion programs and sets up the key for shrinking: tens of seconds.
    ///
    /// # Errors
    /// [`EngineError::Prover`] if SP1 does not start.
    pub fn start(settings: EngineSettings) -> Work<'static, Self> {
        Self::start_with(OURS, settings)
    }

    /// [`start`](Self::start) with other provers of shards than Sextant's.
    ///
    /// # Errors
    /// Those of [`start`](Self::start).
    pub fn start_with(machines: Machines, settings: EngineSettings) -> Work<'static, Self> {
        Box::pin(async move {
            let wrapping = Arc::new(Notify::new());
            let worker = recursion_worker(&machines, &settings, 0, 1, wrapping.clone()).await;
            Ok(Self { worker: worker.map_err(EngineError::Prover)?, wrapping })
        })
    }

    /// Wraps a compressed proof, reporting the two steps to `progress`. SP1 verifies after each.
    ///
    /// # Errors
    /// [`EngineError::Prover`] with SP1's reason, or if `proof` is of another kind.
    pub fn wrap(&self, proof: SP1Proof, progress: ProgressSink) -> Work<'_, Wrapped> {
        Box::pin(async move {
            let SP1Proof::Compressed(proof) = proof else {
                return Err(EngineError::Prover(anyhow::anyhow!("only compressed proofs are wrapped")));
            };
            let mut work = pin!(self.shrink_and_wrap(*proof));
            progress(Progress::Shrinking);
            let outcome = tokio::select! {
                outcome = &mut work => outcome,
                () = self.wrapping.notified() => {
                    progress(Progress::Wrapping);
                    work.await
                }
            };
            outcome.map_err(EngineError::Prover)
        })
    }

    async fn shrink_and_wrap(&self, proof: Compressed) -> anyhow::Result<Wrapped> {
        let artifacts = self.worker.artifact_client();
        let (input, output) = (artifacts.create_artifact()?, artifacts.create_artifact()?);
        artifacts.upload(&input, proof).await?;
        let request =
            RawTaskRequest { inputs: vec![input], outputs: vec![output.clone()], context: task_context() };
        self.worker.prover_engine().recursion_prover.run_shrink_wrap(request).await.context("wrapping")?;
        artifacts.download::<Wrapped>(&output).await
    }
}
