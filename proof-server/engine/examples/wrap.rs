//! Measures wrapping: `wrap PROOF OUT`, where `PROOF` is a compressed proof that `measure` wrote.

use std::{sync::Arc, time::Instant};

use sextant_engine::{EngineSettings, Wrapper};
use sextant_protocol::ProofKind;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .init();
    let mut args = std::env::args().skip(1);
    let (Some(input), Some(output)) = (args.next(), args.next()) else {
        return Err("usage: wrap PROOF OUT".into());
    };
    let proof = bincode::deserialize(&std::fs::read(input)?)?;
    let start = Instant::now();
    let wrapper = Wrapper::start(EngineSettings::for_machine(24 << 30, ProofKind::Compressed)).await?;
    println!("start {:.1} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    let wrapped = wrapper.wrap(proof, Arc::new(|step| println!("{step:?}"))).await?;
    println!("wrap {:.1} s", start.elapsed().as_secs_f64());
    let status = std::fs::read_to_string("/proc/self/status")?;
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
    std::fs::write(output, bincode::serialize(&wrapped)?)?;
    Ok(())
}
