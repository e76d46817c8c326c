//! Shards as parts: proven one by one, checked, and put together to a STARK.

use sp1_prover::SP1CoreProofData;
use sp1_verifier::SP1Proof;

use super::{Engine, Proven, Work, finished};
use crate::{
    EngineError, Label, Part, PartError, PartName, PlannedRun, ProgressSink, ShardPart,
    core::CoreShardProof,
    parts::{self, Expected},
    progress::Counts,
    records::{Shard, Wanted},
};

impl Engine {
    /// Proves one shard of `run`; of what else is in the run only what the shard needs is traced. `progress` hears when
    /// the shard is traced and when it is proven.
    ///
    /// # Errors
    /// [`PartError::Unknown`] if the plan has no such shard, and those of [`Engine::prove`].
    pub fn prove_part<'a>(
        &'a self,
        run: &'a PlannedRun,
        name: PartName,
        progress: ProgressSink,
    ) -> Work<'a, ShardPart> {
        Box::pin(async move {
            parts::known(&run.plan, name)?;
            let key = self.prover.core.key(&run.program).await;
            let (mut traced, tracing) = self.trace(run, Wanted::One(name));
            let Some(shard) = traced.recv().await else {
                finished(tracing).await?;
                return Err(EngineError::Plan(format!("the run has no {name}")));
            };
            let counts = Counts::new(progress, 1);
            counts.found();
            let proof = self.prover.core.prove(key, shard.record).await;
            finished(tracing).await?;
            counts.proven();
            Part::new(name, run.origin(), &proof).map_err(EngineError::Prover)
        })
    }

    /// Whether `part` is a proof of such a shard of the run's program; a hundred milliseconds. A sound proof of the same
    /// shard of another run passes: [`Engine::assemble`] and [`Engine::audit`] find it.
    ///
    /// # Errors
    /// [`EngineError::Part`] says why it is refused.
    pub fn check<'a>(&'a self, run: &'a PlannedRun, part: &'a ShardPart) -> Work<'a, ()> {
        Box::pin(async move { self.checked(run, part).await.map(drop) })
    }

    /// Puts the shards of `run`, which may come from anywhere and in any order, together to a STARK, which is verified.
    ///
    /// # Errors
    /// [`EngineError::Part`] names the shard that is missing, doubled, foreign or false. To find a sound one of another
    /// run, all of `run` is traced again, seconds a shard.
    pub fn assemble<'a>(&'a self, run: &'a PlannedRun, parts: Vec<ShardPart>) -> Work<'a, Proven> {
        Box::pin(async move {
            let parts = parts::in_order(&run.origin(), &run.plan, parts)?;
            let vk = self.verifying_key(run).await;
            let proofs: Result<Vec<CoreShardProof>, _> = parts.iter().map(Part::decode).collect();
            let proof = SP1CoreProofData(proofs?);
            if let Err(reason) = tokio::task::block_in_place(|| self.checker.core(&vk, run, &proof)) {
                return Err(self.blame(run, &parts, reason).await);
            }
            Ok(Proven { proof: SP1Proof::Core(proof.0), public_values: run.plan.public_values.clone() })
        })
    }

    /// Like [`Engine::check`], and whether the part is of this run: the shard is traced again, seconds.
    ///
    /// # Errors
    /// [`EngineError::Part`] says why it is refused, and those of [`Engine::prove`].
    pub fn audit<'a>(&'a self, run: &'a PlannedRun, part: &'a ShardPart) -> Work<'a, ()> {
        Box::pin(async move {
            let proof = self.checked(run, part).await?;
            let expected = self.expected(run, Wanted::One(part.label)).await?;
            stated(part.label, expected.first(), &proof)
        })
    }

    /// The proof in a part that somebody sent, if it is one of such a shard.
    pub(super) async fn checked(
        &self,
        run: &PlannedRun,
        part: &ShardPart,
    ) -> Result<CoreShardProof, EngineError> {
        parts::place(&run.origin(), &run.plan, part)?;
        let vk = self.verifying_key(run).await;
        Ok(tokio::task::block_in_place(|| self.checker.shard(&vk, part))?)
    }

    /// What the proofs of the shards have to state, in the order of the proof.
    pub(super) async fn expected(
        &self,
        run: &PlannedRun,
        wanted: Wanted,
    ) -> Result<Vec<Expected>, EngineError> {
        let (mut traced, tracing) = self.trace(run, wanted);
        let mut expected = Vec::new();
        while let Some(Shard { name, record, place }) = traced.recv().await {
            expected.push((name, tokio::task::block_in_place(|| Expected::of(&record))));
            drop((record, place));
        }
        finished(tracing).await?;
        expected.sort_by_key(|(name, _)| *name);
        Ok(expected.into_iter().map(|(_, expected)| expected).collect())
    }

    /// Which shard makes that all of them together are no proof, for the `reason`.
    async fn blame(&self, run: &PlannedRun, parts: &[ShardPart], reason: String) -> EngineError {
        let find = async {
            let mut proofs = Vec::new();
            for part in parts {
                proofs.push(self.checked(run, part).await?);
            }
            let expected = self.expected(run, Wanted::All).await?;
            for ((part, proof), expected) in parts.iter().zip(&proofs).zip(&expected) {
                stated(part.label, Some(expected), proof)?;
            }
            Ok(())
        };
        find.await.err().unwrap_or_else(|| EngineError::Prover(anyhow::anyhow!("the parts: {reason}")))
    }
}

/// Whether a shard's proof states what was expected.
fn stated(name: PartName, expected: Option<&Expected>, proof: &CoreShardProof) -> Result<(), EngineError> {
    let stated = expected.is_some_and(|expected| expected.is_stated(&proof.public_values));
    stated.then_some(()).ok_or_else(|| of_another_run(name))
}

pub(super) fn of_another_run(part: impl Into<Label>) -> EngineError {
    let reason = "it is of another run of the program".into();
    PartError::Invalid { part: part.into(), reason }.into()
}
