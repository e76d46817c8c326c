//! The stages of a SNARK after the compressed proof: wrapping, then gnark. A process each.

use std::sync::Arc;

use anyhow::Context;
use serde::de::DeserializeOwned;
use sextant_engine::{EngineSettings, Wrapped, Wrapper, groth16};
use sextant_protocol::{Progress, ProofKind, ProofRecord, ServerError};

use super::{
    super::{ProgressSink, Prover, WorkerArgs, blocking, internal},
    encode, failed, verified,
};
use crate::{circuits::Circuits, worker::WorkerMode};

/// A stage on the way to a SNARK.
pub(in crate::worker::job) enum SnarkStage {
    /// A compressed proof becomes a wrapped one.
    Wrap(Box<Wrapper>),
    /// A wrapped proof becomes a Groth16 one.
    Groth16(Arc<Circuits>),
}

impl SnarkStage {
    pub(super) async fn start(args: &WorkerArgs) -> anyhow::Result<Self> {
        Ok(match args.mode {
            WorkerMode::Wrap => Self::Wrap(Box::new(
                Wrapper::start(EngineSettings::for_machine(args.memory, ProofKind::Compressed)).await?,
            )),
            _ => Self::Groth16(Arc::new(args.circuits.open()?.context("a folder with circuits is needed")?)),
        })
    }

    /// The record with this stage's proof in place of the one before. Between wrapping and gnark it is no proof that
    /// anybody verifies.
    pub(super) async fn go_on(
        &self,
        record: ProofRecord,
        progress: ProgressSink,
        worker: &Prover,
    ) -> Result<ProofRecord, ServerError> {
        match self {
            Self::Wrap(wrapper) => {
                // It was kept, or came from somebody else: a moment against minutes.
                let (mut record, verdict) = worker.check(record).await?;
                verdict.map_err(|error| internal(format!("the stage before made no proof: {error}")))?;
                let proof = decode(&record.proof)?;
                let wrapped = wrapper.wrap(proof, progress).await.map_err(|error| failed(&error))?;
                record.proof = encode(&wrapped)?;
                Ok(record)
            }
            Self::Groth16(circuits) => {
                let mut record = record;
                progress(Progress::Snark);
                let wrapped: Wrapped = decode(&record.proof)?;
                let folder = circuits.folder.clone();
                let proof = blocking(move || groth16::prove(&wrapped, &folder)).await?;
                record.proof = proof.map_err(|error| failed(&error))?;
                record.kind = ProofKind::Groth16;
                record.circuits = circuits.worth;
                progress(Progress::Verifying);
                verified(record, worker).await
            }
        }
    }
}

/// What another worker of this server wrote.
fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ServerError> {
    bincode::deserialize(bytes).map_err(|error| internal(format!("the stage before: {error}")))
}
