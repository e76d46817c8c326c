//! Makes one proof in parts, each in a process of its own, and says what each takes:
//!
//! `prove-parts plan FIXTURE FOLDER`: writes the plan, for this machine or one with `MACHINE_GIB`; prints the names\
//! `prove-parts shard FIXTURE FOLDER NAME`: proves that shard\
//! `prove-parts trace FIXTURE FOLDER NAME`: only traces it, and ends\
//! `prove-parts assemble FIXTURE FOLDER`: puts the shards together to a STARK\
//! `prove-parts normalize FIXTURE FOLDER NAME`: makes a recursion proof of a shard\
//! `prove-parts fold FIXTURE FOLDER`: folds those to a compressed proof
//!
//! A fixture is what `bench` calls so. All that the processes share lies in the folder.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Instant,
};

use serde::{Serialize, de::DeserializeOwned};
use sextant_engine::{Engine, EngineSettings, FoldedPart, PlannedRun, Proven, ShardPart, plan};
use sextant_protocol::ProofKind;
use sextant_tests::{guest::Guest, memory};

/// The prover worker's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: &[&str]) -> Outcome<()> {
    let [task, fixture, folder, rest @ ..] = args else { return Err("usage: see the source".into()) };
    let (guest, folder) = (Guest::named(fixture)?, Folder(PathBuf::from(folder)));
    match (*task, rest) {
        ("plan", []) => make_plan(&guest, &folder),
        ("trace", [name]) => trace(&guest, &folder, name).await,
        ("shard", [name]) => shard(&guest, &folder, name).await,
        ("assemble", []) => assemble(&guest, &folder).await,
        ("normalize", [name]) => normalize(&guest, &folder, name).await,
        ("fold", []) => fold(&guest, &folder).await,
        _ => Err("usage: see the source".into()),
    }
}

fn make_plan(guest: &Guest, folder: &Folder) -> Outcome<()> {
    let settings = EngineSettings::for_machine(memory::of_machine()?, ProofKind::Stark);
    let start = Instant::now();
    let plan = plan(guest.elf, &guest.inputs, &settings)?;
    report("plan", start, folder.write("plan", &plan)?)?;
    for name in plan.parts {
        println!("{name}");
    }
    Ok(())
}

async fn shard(guest: &Guest, folder: &Folder, name: &str) -> Outcome<()> {
    let (run, engine) = started(guest, folder, ProofKind::Stark).await?;
    let start = Instant::now();
    let traced = Arc::new(Mutex::new(None));
    let progress = {
        let traced = traced.clone();
        // The first that is told is that the shard is traced.
        Arc::new(move |_| {
            if let Ok(mut traced) = traced.lock() {
                traced.get_or_insert(start.elapsed());
            }
        })
    };
    let part = engine.prove_part(&run, name.parse()?, progress).await?;
    if let Some(took) = traced.lock().map_err(|error| error.to_string())?.take() {
        println!("traced in {:.2} s", took.as_secs_f64());
    }
    report("proven", start, folder.write(&format!("{name}.shard"), &part)?)
}

async fn trace(guest: &Guest, folder: &Folder, name: &str) -> Outcome<()> {
    let (run, engine) = started(guest, folder, ProofKind::Stark).await?;
    let start = Instant::now();
    let ends = move |_| {
        let _ = report("traced", start, 0);
        std::process::exit(0);
    };
    engine.prove_part(&run, name.parse()?, Arc::new(ends)).await?;
    Ok(())
}

async fn assemble(guest: &Guest, folder: &Folder) -> Outcome<()> {
    let (run, engine) = started(guest, folder, ProofKind::Stark).await?;
    let start = Instant::now();
    let parts = folder.all::<ShardPart>("shard")?;
    finished("assembled", start, engine.assemble(&run, parts).await?, folder)
}

async fn normalize(guest: &Guest, folder: &Folder, name: &str) -> Outcome<()> {
    let (run, engine) = started(guest, folder, ProofKind::Compressed).await?;
    let start = Instant::now();
    let part: ShardPart = folder.read(&format!("{name}.shard"))?;
    let part = engine.normalize(&run, &part).await?;
    report("normalized", start, folder.write(&format!("{}.folded", part.label), &part)?)
}

async fn fold(guest: &Guest, folder: &Folder) -> Outcome<()> {
    let (run, engine) = started(guest, folder, ProofKind::Compressed).await?;
    let start = Instant::now();
    let parts = folder.all::<FoldedPart>("folded")?;
    let part = engine.fold(&run, parts, Arc::new(|_| ())).await?;
    report("folded", start, part.proof.len())?;
    let start = Instant::now();
    finished("verified", start, engine.finish(&run, part).await?, folder)
}

/// The run as planned, and an engine that has its key.
async fn started(guest: &Guest, folder: &Folder, kind: ProofKind) -> Outcome<(PlannedRun, Engine)> {
    let run = PlannedRun::new(guest.elf, guest.inputs.clone(), folder.read("plan")?)?;
    let start = Instant::now();
    let engine = Engine::start(kind, EngineSettings::for_machine(memory::of_machine()?, kind)).await?;
    engine.warm(guest.elf).await?;
    report("started", start, 0)?;
    Ok((run, engine))
}

fn finished(what: &str, start: Instant, proven: Proven, folder: &Folder) -> Outcome<()> {
    report(what, start, folder.write("proof", &proven.proof)?)
}

fn report(what: &str, start: Instant, bytes: usize) -> Outcome<()> {
    let (seconds, peak) = (start.elapsed().as_secs_f64(), memory::peak()? >> 20);
    println!("{what} in {seconds:.2} s, {bytes} bytes, peak memory {peak} MiB");
    Ok(())
}

/// Where the parts lie.
struct Folder(PathBuf);

impl Folder {
    fn write(&self, name: &str, value: &impl Serialize) -> Outcome<usize> {
        let bytes = bincode::serialize(value)?;
        fs::write(self.0.join(name), &bytes)?;
        Ok(bytes.len())
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Outcome<T> {
        read(&self.0.join(name))
    }

    /// All that has such an ending.
    fn all<T: DeserializeOwned>(&self, ending: &str) -> Outcome<Vec<T>> {
        let paths = fs::read_dir(&self.0)?.map(|entry| entry.map(|entry| entry.path()));
        let paths: Vec<PathBuf> = paths.collect::<Result<_, _>>()?;
        paths
            .iter()
            .filter(|path| path.extension().is_some_and(|extension| extension == ending))
            .map(|path| read(path))
            .collect()
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> Outcome<T> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(bincode::deserialize(&bytes)?)
}
