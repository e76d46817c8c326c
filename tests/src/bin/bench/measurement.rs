//! One measurement: start the engine, prove, verify.

use std::{error::Error, sync::Arc, time::Instant};

use serde::{Deserialize, Serialize};
use sextant_engine::{Engine, EngineSettings, Pace, PlannedRun, Proven};
use sextant_protocol::ProofKind;
use sextant_tests::{guest::Guest, memory};
use sp1_sdk::{
    Elf, LightProver, Prover, ProvingKey, SP1_CIRCUIT_VERSION, SP1ProofWithPublicValues, SP1PublicValues,
};

/// What to prove.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// Form of the proof.
    pub kind: ProofKind,
    /// What [`Guest::named`] knows.
    pub fixture: &'a str,
}

/// What it took.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Measurement {
    /// From nothing to an engine that can begin the proof, program key included.
    pub start_seconds: f64,
    /// The fastest proof.
    pub seconds: f64,
    /// The first proof: the kernel has yet to hand out the memory.
    pub first_seconds: f64,
    /// Verifying the proof with SP1's verifier, keys at hand.
    pub verify_seconds: f64,
    /// Largest resident memory of the process until the proof was done, bytes.
    pub peak_memory: u64,
    /// Shards of the execution, by the engine's plan.
    pub shards: usize,
    /// What the plan expected the proof to take, seconds.
    pub expected_seconds: f64,
    /// The proof without what Sextant puts around it, bytes.
    pub proof_bytes: usize,
}

/// Proves `task` `runs` times in this process, and verifies the last proof.
pub fn measure(task: Task<'_>, runs: usize) -> Result<Measurement, Box<dyn Error>> {
    let Guest { elf, inputs } = Guest::named(task.fixture)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let settings = EngineSettings::for_machine(memory::of_machine()?, task.kind);
    let plan = sextant_engine::plan(elf, &inputs, &settings)?;
    let cores = std::thread::available_parallelism()?.get();
    let expected_seconds = plan.estimate(task.kind, &settings, &Pace::guess(cores)).seconds;
    let shards = plan.parts.len();
    let run = PlannedRun::new(elf, inputs, plan)?;
    let start = Instant::now();
    let engine = runtime.block_on(async {
        let engine = Engine::start(task.kind, settings).await?;
        engine.warm(elf).await.map(|()| engine)
    })?;
    let start_seconds = start.elapsed().as_secs_f64();

    let mut seconds = Vec::new();
    let mut last = None;
    for _ in 0..runs.max(1) {
        let start = Instant::now();
        last = Some(runtime.block_on(engine.prove(&run, Arc::new(|_| ())))?);
        seconds.push(start.elapsed().as_secs_f64());
    }
    let peak_memory = memory::peak()?;
    let proven = last.ok_or("no proof was made")?;
    let proof_bytes = bincode::serialize(&proven.proof)?.len();
    let verify_seconds = runtime.block_on(verify(elf, proven))?;
    Ok(Measurement {
        start_seconds,
        seconds: seconds.iter().copied().fold(f64::INFINITY, f64::min),
        first_seconds: seconds[0],
        verify_seconds,
        peak_memory,
        shards,
        expected_seconds,
        proof_bytes,
    })
}

/// Verifies with SP1's own verifier; seconds. The key is made from the ELF here, so that any guest will do.
async fn verify(elf: &'static [u8], proven: Proven) -> Result<f64, Box<dyn Error>> {
    let prover = LightProver::new().await;
    let key = prover.setup(Elf::Static(elf)).await?;
    let proof = SP1ProofWithPublicValues::new(
        proven.proof,
        SP1PublicValues::from(&proven.public_values),
        SP1_CIRCUIT_VERSION.into(),
    );
    let start = Instant::now();
    prover.verify(&proof, key.verifying_key(), None)?;
    Ok(start.elapsed().as_secs_f64())
}
