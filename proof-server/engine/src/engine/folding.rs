//! Recursion proofs as parts: made of shards, folded by whoever has some that follow each other, and at last one.

use sp1_hypercube::SP1VerifyingKey;
use sp1_verifier::SP1Proof;

use super::{Engine, Proven, Work, shards::of_another_run};
use crate::{
    EngineError, FoldedPart, Part, PartError, PlannedRun, ProgressSink, ShardPart, Span,
    compress::Compressed, deferred::Deferred, parts, records::Wanted,
};

impl Engine {
    /// Makes a recursion proof of a shard's proof, which is checked first.
    ///
    /// # Errors
    /// [`EngineError::Part`] says why it is refused, [`EngineError::Kind`] where the engine makes STARKs only.
    pub fn normalize<'a>(&'a self, run: &'a PlannedRun, part: &'a ShardPart) -> Work<'a, FoldedPart> {
        Box::pin(async move {
            let compressor = self.prover.compressor()?;
            let proof = self.checked(run, part).await?;
            let vk = self.verifying_key(run).await;
            let place = parts::place(&run.origin(), &run.plan, part)?;
            let folded = compressor
                .normalize(
                    &self.prover.core,
                    &vk,
                    &proof,
                    part.label.is_precompile(),
                    &Deferred::of(&run.proofs),
                )
                .await
                .map_err(EngineError::Prover)?;
            Part::new(Span::one(place), run.origin(), &folded).map_err(EngineError::Prover)
        })
    }

    /// Folds recursion proofs that follow each other, which are checked first, into one. Once it covers the whole run,
    /// [`Engine::finish`] takes it.
    ///
    /// # Errors
    /// [`EngineError::Part`] names the part that is missing between others, doubled, foreign or false; a sound one of
    /// another run is found when the whole is folded. [`EngineError::Kind`] where the engine makes STARKs only.
    pub fn fold<'a>(
        &'a self,
        run: &'a PlannedRun,
        parts: Vec<FoldedPart>,
        progress: ProgressSink,
    ) -> Work<'a, FoldedPart> {
        Box::pin(async move {
            let compressor = self.prover.compressor()?;
            let (parts, span) = parts::adjacent(&run.origin(), &run.plan, parts)?;
            let vk = self.verifying_key(run).await;
            let whole = span.len() as usize == run.plan.parts.len();
            let checked = tokio::task::block_in_place(|| {
                let proofs: Result<Vec<_>, _> =
                    parts.iter().map(|part| self.checker.folded(&vk, part)).collect();
                proofs.map(|proofs| (parts::links(run, &proofs, whole), proofs))
            });
            let (links, proofs) = checked?;
            if let Err(reason) = links {
                return Err(self.blame_folded(run, &vk, &parts, &proofs, reason).await);
            }
            let folded = compressor.fold(proofs, whole, &progress).await.map_err(EngineError::Prover)?;
            Part::new(span, run.origin(), &folded).map_err(EngineError::Prover)
        })
    }

    /// The compressed proof in a part that [`Engine::fold`] made of the whole run, verified.
    ///
    /// # Errors
    /// [`EngineError::Part`] names what is missing, or why the part is refused.
    pub fn finish<'a>(&'a self, run: &'a PlannedRun, part: FoldedPart) -> Work<'a, Proven> {
        Box::pin(async move {
            let (parts, span) = parts::adjacent(&run.origin(), &run.plan, vec![part])?;
            let names = &run.plan.parts;
            let missing = if span.first > 1 { names.first() } else { names.get(span.last as usize) };
            if let Some(part) = missing {
                return Err(PartError::Missing { part: *part }.into());
            }
            let vk = self.verifying_key(run).await;
            let proof = tokio::task::block_in_place(|| self.checker.whole(&vk, run, &parts[0]))?;
            Ok(Proven {
                proof: SP1Proof::Compressed(Box::new(proof)),
                public_values: run.plan.public_values.clone(),
            })
        })
    }

    /// The same of recursion proofs, each of which holds for itself.
    async fn blame_folded(
        &self,
        run: &PlannedRun,
        vk: &SP1VerifyingKey,
        parts: &[FoldedPart],
        proofs: &[Compressed],
        reason: String,
    ) -> EngineError {
        let expected = match self.expected(run, Wanted::All).await {
            Ok(expected) => expected,
            Err(error) => return error,
        };
        let is_false = |(part, proof): &(&FoldedPart, &Compressed)| {
            !parts::is_folded(&expected, part.label, vk.vk.initial_global_cumulative_sum, proof)
        };
        match parts.iter().zip(proofs).find(is_false) {
            Some((part, _)) => of_another_run(part.label),
            None => EngineError::Prover(anyhow::anyhow!("the parts: {reason}")),
        }
    }
}
