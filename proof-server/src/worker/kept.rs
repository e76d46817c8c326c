//! What stages have made, kept for the stage that comes next: of this job or of a later one, in this server or in the one
//! that is started after it. What is lost, or is not what it should be, is made again.

use std::sync::Arc;

use sextant_artifacts::CIRCUIT_VERSION;
use sextant_fleet::{FleetError, ObjectName, Stage, StageId, Store, StoreLimits, local::LocalStore};
use sextant_protocol::{ProofAnswer, ProofKind, ProofRecord, encoding, request::ProvingCost};

use super::{Proved, WorkerMode, output};
use crate::{cache::Cache, config::CacheConfig, made::ProofKey};

/// The folder in that of finished proofs.
const FOLDER: &str = "stages";

/// Outputs of stages, for whoever needs the same.
pub(crate) struct Kept {
    store: Box<dyn Store>,
    finished: Arc<Cache>,
}

impl Kept {
    /// In memory, or in the folder of `finished` proofs, with what is there already.
    ///
    /// # Errors
    /// If nothing can be written there.
    pub(crate) fn new(config: &CacheConfig, finished: Arc<Cache>) -> Result<Self, FleetError> {
        let limits = StoreLimits::of(config.stages);
        let store = match &config.folder {
            Some(folder) => LocalStore::open(&folder.join(FOLDER), limits)?,
            None => LocalStore::in_memory(limits),
        };
        Ok(Self { store: Box::new(store), finished })
    }

    /// What `stage` has made on the way to `proof`.
    pub(crate) async fn find(&self, proof: &ProofKey, stage: WorkerMode) -> Option<Proved> {
        let name = name(proof, stage)?;
        let bytes =
            self.store.read(&name).await.inspect_err(|error| failed("read", &name, error)).ok().flatten();
        match bytes.map(|bytes| output::decode(proof, stage, bytes)) {
            Some(Ok(made)) => Some(made),
            Some(Err(reason)) => {
                tracing::warn!(%name, reason, "what a stage had made is not that; it is made again");
                self.forget(proof, stage).await;
                None
            }
            None if stage == WorkerMode::Compressed => self.finished(&compressed(proof)).await,
            None => None,
        }
    }

    /// A proof that was made for somebody who wanted no more.
    async fn finished(&self, proof: &ProofKey) -> Option<Proved> {
        let ProofAnswer { record, cost, .. } = self.finished.get(&proof.job()).await?;
        let proof: ProofRecord = encoding::decode("proof record", &record, record.len()).ok()?;
        let ProvingCost { cycles, proving_ms, peak_memory, .. } = cost;
        let made = Proved { proof, cycles, proving_ms, peak_memory };
        (made.proof.circuit_version == CIRCUIT_VERSION).then_some(made)
    }

    /// Keeps what `stage` has made.
    pub(crate) async fn keep(&self, proof: &ProofKey, stage: WorkerMode, made: &Proved) {
        let Some(name) = name(proof, stage) else { return };
        if let Err(error) = self.store.put(&name, output::encode(stage, made, None)).await {
            failed("kept", &name, &error);
        }
    }

    /// Takes away what `stage` has made: it is of no use, or not needed any more.
    pub(crate) async fn forget(&self, proof: &ProofKey, stage: WorkerMode) {
        let Some(name) = name(proof, stage) else { return };
        if let Err(error) = self.store.remove(&name).await {
            failed("removed", &name, &error);
        }
    }
}

/// Where it lies. What the last stage makes is a finished proof, which is kept elsewhere; but for a compressed one, which
/// is the beginning of another kind as well.
fn name(proof: &ProofKey, stage: WorkerMode) -> Option<ObjectName> {
    match stage {
        WorkerMode::Compressed => Some(ObjectName::proof(&compressed(proof).job())),
        WorkerMode::Wrap => Some(ObjectName::part(&StageId::whole(proof.job(), 0, Stage::literal("wrap")))),
        WorkerMode::Stark | WorkerMode::Groth16 | WorkerMode::Verify => None,
    }
}

const fn compressed(proof: &ProofKey) -> ProofKey {
    ProofKey { kind: ProofKind::Compressed, ..*proof }
}

fn failed(what: &str, name: &ObjectName, error: &FleetError) {
    tracing::warn!(%name, %error, "what a stage has made cannot be {what}");
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use sextant_protocol::{proof::Circuits, wire};
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::{metrics::Metrics, worker::output::Output};

    fn made(name: u8) -> (ProofKey, Proved) {
        let record = ProofRecord {
            program: 1,
            kind: ProofKind::Compressed,
            circuits: Circuits::Release,
            circuit_version: CIRCUIT_VERSION.into(),
            vk_hash: [9; 32],
            public_values: vec![name],
            proof: vec![name; 1000],
        };
        let statement = Sha256::digest([name]).into();
        let key = ProofKey { vk_hash: [9; 32], statement, kind: ProofKind::Groth16 };
        (key, Proved { proof: record, cycles: 1, proving_ms: 2, peak_memory: 3 })
    }

    fn kept(folder: &Path) -> Kept {
        let config = CacheConfig {
            folder: Some(folder.into()),
            stages: 1 << 20,
            disk: 1 << 20,
            ..CacheConfig::default()
        };
        let finished = Cache::new(&config, &Arc::new(Metrics::new())).unwrap();
        Kept::new(&config, Arc::new(finished)).unwrap()
    }

    /// The files that are kept, by the stage that has made them.
    fn files(folder: &Path) -> [Vec<std::path::PathBuf>; 2] {
        ["proofs", "parts"].map(|bucket| {
            let folder = folder.join(FOLDER).join(bucket);
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
        })
    }

    #[tokio::test]
    async fn what_a_stage_has_made_is_found_for_its_statement_and_stage_alone() {
        let folder = tempfile::tempdir().unwrap();
        let ((key, output), (other, _)) = (made(1), made(2));
        let kept = kept(folder.path());
        kept.keep(&key, WorkerMode::Wrap, &output).await;
        assert_eq!(kept.find(&key, WorkerMode::Wrap).await, Some(output.clone()));
        assert_eq!(kept.find(&key, WorkerMode::Compressed).await, None);
        assert_eq!(kept.find(&other, WorkerMode::Wrap).await, None);
        kept.keep(&key, WorkerMode::Compressed, &output).await;
        // A compressed proof is the same whatever it is wanted for; a later server finds it too.
        let later = self::kept(folder.path());
        assert_eq!(later.find(&compressed(&key), WorkerMode::Compressed).await, Some(output.clone()));
        later.forget(&key, WorkerMode::Wrap).await;
        assert_eq!(kept.find(&key, WorkerMode::Wrap).await, None);
        // What the last stages make is a finished proof, and none of this.
        for stage in [WorkerMode::Stark, WorkerMode::Groth16] {
            kept.keep(&key, stage, &output).await;
            assert_eq!(kept.find(&key, stage).await, None);
        }
    }

    #[tokio::test]
    async fn what_is_damaged_or_of_something_else_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let kept = kept(folder.path());
        let ((key, output), (other, its)) = (made(1), made(2));
        let is_gone = async |what: &str| {
            assert_eq!(kept.find(&key, WorkerMode::Compressed).await, None, "{what}");
            let found = files(folder.path());
            assert!(
                !found[0].iter().any(|file| file.ends_with(compressed(&key).job().to_string())),
                "{what}"
            );
        };
        let place = |key: &ProofKey| {
            folder.path().join(FOLDER).join("proofs").join(compressed(key).job().to_string())
        };

        kept.keep(&key, WorkerMode::Compressed, &output).await;
        let mut bytes = fs::read(place(&key)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(place(&key), bytes).unwrap();
        is_gone("damaged").await;

        // Whole files under another name.
        kept.keep(&other, WorkerMode::Compressed, &its).await;
        fs::copy(place(&other), place(&key)).unwrap();
        is_gone("of another statement").await;
        kept.keep(&key, WorkerMode::Wrap, &output).await;
        fs::copy(&files(folder.path())[1][0], place(&key)).unwrap();
        is_gone("of another stage").await;

        let name = name(&key, WorkerMode::Compressed).unwrap();
        let (stage, circuit_version) = ("compressed".into(), "v1".into());
        let earlier = Output { stage, circuit_version, made: output, by: None };
        kept.store.put(&name, wire::to_bytes(&earlier).into()).await.unwrap();
        is_gone("of another release").await;
    }
}
