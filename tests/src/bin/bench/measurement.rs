//! One measurement: start what proves, prove, verify.

use std::{error::Error, str::FromStr, sync::Arc, time::Instant};

use serde::{Deserialize, Serialize};
use sextant_engine::{Engine, EngineSettings, Machines, Pace, PlannedRun, Proven, Wrapper};
use sextant_protocol::ProofKind;
use sextant_tests::{guest::Guest, memory};
use sp1_sdk::{
    Elf, LightProver, Prover, ProvingKey, SP1_CIRCUIT_VERSION, SP1Proof, SP1ProofWithPublicValues,
    SP1PublicValues,
};

/// What to prove.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// What is made.
    pub product: Product,
    /// What [`Guest::named`] knows.
    pub fixture: &'a str,
    /// Whose provers of shards.
    pub by: By,
}

/// What is made: a proof, or what a SNARK's circuit verifies of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// A core proof.
    Stark,
    /// A compressed proof.
    Compressed,
    /// The shrunk and wrapped proof of a compressed one, which is there already.
    Wrapped,
}

impl Product {
    /// Its name on the command line and in the table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stark => "stark",
            Self::Compressed => "compressed",
            Self::Wrapped => "wrapped",
        }
    }

    /// The proof that it is or is made of.
    fn kind(self) -> ProofKind {
        if self == Self::Stark { ProofKind::Stark } else { ProofKind::Compressed }
    }
}

impl FromStr for Product {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = [Self::Stark, Self::Compressed, Self::Wrapped];
        let found = known.into_iter().find(|product| product.name() == name);
        found.ok_or_else(|| format!("{name} is not measured here: stark, compressed or wrapped"))
    }
}

/// Whose provers of shards prove. All around them is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Sextant's.
    Us,
    /// SP1's, as they are released.
    Sp1,
}

impl By {
    fn machines(self) -> Machines {
        match self {
            Self::Us => sextant_engine::OURS,
            Self::Sp1 => sextant_released::RELEASED,
        }
    }
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
    /// Verifying the proof with SP1's verifier, keys at hand; of a wrapped one a part of making it.
    pub verify_seconds: Option<f64>,
    /// Largest resident memory of the process until the proof was done, bytes.
    pub peak_memory: u64,
    /// Shards of the execution, by the engine's plan.
    pub shards: usize,
    /// What the plan expected the proof to take, seconds. There is none for wrapping.
    pub expected_seconds: Option<f64>,
    /// The proof without what Sextant puts around it, bytes.
    pub proof_bytes: usize,
}

/// Does `task` `runs` times in this process, and verifies the last proof.
pub fn measure(task: Task<'_>, runs: usize) -> Result<Measurement, Box<dyn Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let kind = task.product.kind();
    if task.product == Product::Wrapped {
        let settings = EngineSettings::for_machine(memory::of_machine()?, kind);
        return runtime.block_on(wrap(task.by, settings, task.fixture, runs));
    }
    let (run, settings, expected_seconds) = planned(task.fixture, kind)?;
    let elf = Guest::named(task.fixture)?.elf;
    let start = Instant::now();
    let engine = runtime.block_on(async {
        let engine = Engine::start_with(task.by.machines(), kind, settings).await?;
        engine.warm(elf).await.map(|()| engine)
    })?;
    let start_seconds = start.elapsed().as_secs_f64();
    let (seconds, proven) = runtime.block_on(timed(runs, || engine.prove(&run, Arc::new(|_| ()))))?;
    let peak_memory = memory::peak()?;
    let proof_bytes = bincode::serialize(&proven.proof)?.len();
    let verify_seconds = Some(runtime.block_on(verify(elf, proven))?);
    Ok(Measurement {
        start_seconds,
        seconds: fastest(&seconds),
        first_seconds: seconds[0],
        verify_seconds,
        peak_memory,
        shards: run.plan().parts.len(),
        expected_seconds: Some(expected_seconds),
        proof_bytes,
    })
}

/// Wraps a compressed proof, which another process makes by our provers, whoever wraps: its memory is not counted.
async fn wrap(
    by: By,
    settings: EngineSettings,
    fixture: &str,
    runs: usize,
) -> Result<Measurement, Box<dyn Error>> {
    let file = tempfile::NamedTempFile::new()?;
    let mut maker = crate::this_program()?;
    let status = maker.args([crate::COMPRESSED_INTO, fixture]).arg(file.path()).status()?;
    if !status.success() {
        return Err(format!("the compressed proof of {fixture}: {status}").into());
    }
    let proof: SP1Proof = bincode::deserialize(&std::fs::read(file.path())?)?;
    let start = Instant::now();
    let wrapper = Wrapper::start_with(by.machines(), settings).await?;
    let start_seconds = start.elapsed().as_secs_f64();
    let (seconds, wrapped) = timed(runs, || wrapper.wrap(proof.clone(), Arc::new(|_| ()))).await?;
    Ok(Measurement {
        start_seconds,
        seconds: fastest(&seconds),
        first_seconds: seconds[0],
        verify_seconds: None,
        peak_memory: memory::peak()?,
        shards: 1,
        expected_seconds: None,
        proof_bytes: bincode::serialize(&wrapped)?.len(),
    })
}

/// Makes the compressed proof of `fixture` and writes it to `path`.
pub fn compressed_into(fixture: &str, path: &str) -> Result<(), Box<dyn Error>> {
    let (run, settings, _) = planned(fixture, ProofKind::Compressed)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let proven = runtime.block_on(async {
        let engine = Engine::start(ProofKind::Compressed, settings).await?;
        engine.prove(&run, Arc::new(|_| ())).await
    })?;
    Ok(std::fs::write(path, bincode::serialize(&proven.proof)?)?)
}

/// A run of `fixture`, how it is proven, and what that was expected to take, seconds.
fn planned(fixture: &str, kind: ProofKind) -> Result<(PlannedRun, EngineSettings, f64), Box<dyn Error>> {
    let Guest { elf, inputs, proofs } = Guest::named(fixture)?;
    let settings = EngineSettings::for_machine(memory::of_machine()?, kind);
    let plan = sextant_engine::plan(elf, &inputs, &settings)?;
    let cores = std::thread::available_parallelism()?.get();
    let expected = plan.estimate(kind, &settings, &Pace::guess(cores)).seconds;
    Ok((PlannedRun::new(elf, inputs, plan)?.verifying(proofs)?, settings, expected))
}

/// Does it `runs` times, at least once: the seconds that each took, and what came of the last.
async fn timed<T, E>(runs: usize, mut work: impl AsyncFnMut() -> Result<T, E>) -> Result<(Vec<f64>, T), E> {
    let mut seconds = Vec::new();
    loop {
        let start = Instant::now();
        let made = work().await?;
        seconds.push(start.elapsed().as_secs_f64());
        if seconds.len() >= runs {
            return Ok((seconds, made));
        }
    }
}

fn fastest(seconds: &[f64]) -> f64 {
    seconds.iter().copied().fold(f64::INFINITY, f64::min)
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
