//! Measures the engine on any guest: `measure ELF KIND [RUNS] [STDIN-FILE...]`.
//!
//! Prints a line for each stage: seconds, peak memory so far.

use std::{sync::Arc, time::Instant};

use sextant_engine::{Engine, EngineSettings, PlannedRun, plan};
use sextant_protocol::ProofKind;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn report(stage: &str, since: Instant) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("?").trim();
    let cpu: f64 = std::fs::read_to_string("/proc/self/stat").map_or(0.0, |stat| {
        stat.split(' ').skip(13).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum::<f64>() / 100.0
    });
    println!("{stage:<8} {:>8.2} s   peak {peak}   cpu so far {cpu:.1} s", since.elapsed().as_secs_f64());
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::var_os("RUST_LOG").is_some() {
        tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
            .with_writer(std::io::stderr)
            .with_ansi(false)
            .init();
    }
    let mut args = std::env::args().skip(1);
    let elf = std::fs::read(args.next().ok_or("usage: measure ELF KIND [RUNS] [STDIN-FILE...]")?)?;
    let kind: ProofKind = args.next().as_deref().unwrap_or("stark").parse()?;
    let runs: usize = args.next().map_or(Ok(1), |runs| runs.parse())?;
    let inputs = args.map(std::fs::read).collect::<Result<Vec<_>, _>>()?;
    let mut settings = EngineSettings::for_machine(24 << 30, kind);
    if let Ok(threshold) = std::env::var("MEASURE_ELEMENT_THRESHOLD") {
        settings.element_threshold = threshold.parse()?;
    }
    println!("{settings:?}");

    let start = Instant::now();
    let engine = Engine::start(kind, settings.clone()).await?;
    report("start", start);
    let start = Instant::now();
    engine.warm(&elf).await?;
    report("keys", start);
    let start = Instant::now();
    let plan = plan(&elf, &inputs, &settings)?;
    report("plan", start);
    println!("{} cycles, {} cells, {} shards planned", plan.cycles, plan.cells, plan.parts.len());
    let run = PlannedRun::new(&elf, inputs, plan)?;
    for _ in 0..runs {
        let start = Instant::now();
        let progress = Arc::new(move |progress| report(&format!("{progress:?}"), start));
        let proven = engine.prove(&run, progress).await?;
        report("prove", start);
        let bytes = bincode::serialize(&proven.proof)?;
        println!("proof of {} bytes", bytes.len());
        if let Ok(path) = std::env::var("MEASURE_OUT") {
            std::fs::write(path, bytes)?;
        }
    }
    Ok(())
}
