//! `bench [--large] [KIND...]`: what proofs cost in seconds, memory and bytes, against an empty program in the same run.
//! `--large` adds clients that were away for long; that takes hours.
//!
//! Every row is a process of its own, so that its peak memory is its own. It proves `RUNS` times (2 unless the
//! environment says otherwise) with the prover worker's settings for this machine, or one with `MACHINE_GIB` of memory,
//! and counts the fastest, then verifies. `RUST_LOG=sextant_prover=debug` shows on standard error where the time goes. Prints the table, and writes `bench.json` and `bench.svg` at the root of the target folder.

mod chart;
mod measurement;

use std::{error::Error, process::Command, str::FromStr};

use measurement::{Measurement, Task};
use sextant_protocol::ProofKind;

/// The prover worker's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Fixtures by the names of `sextant_fixtures::statements`, and what the table calls them.
const WORK: [(&str, &str); 4] = [
    (sextant_tests::guest::EMPTY, "empty program"),
    ("mainnet-deneb-one-handover", "committee change, one handover"),
    ("mainnet-deneb-two-handovers", "committee change, two handovers"),
    ("mainnet-deneb-one-contract-one-slot", "inclusion, one contract, one slot"),
];

/// Of a client that was away: in shards as large as the memory allows, however many.
const LARGE: [(&str, &str); 3] = [
    ("handovers-8", "committee change, 8 handovers"),
    ("handovers-46", "committee change, 46 handovers"),
    ("handovers-128", "committee change, 128 handovers"),
];
/// The last of those takes half a day as a compressed proof.
const LARGE_COMPRESSED: usize = 2;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, kind, fixture] = &args[..]
        && flag == "--one"
    {
        show_steps();
        let task = Task { kind: kind.parse()?, fixture };
        println!("{}", serde_json::to_string(&measurement::measure(task, runs()?)?)?);
        return Ok(());
    }
    let large = args.iter().position(|arg| arg == "--large").map(|at| args.remove(at)).is_some();
    let kinds = match &args[..] {
        [] => vec![ProofKind::Stark, ProofKind::Compressed],
        names => names.iter().map(|name| ProofKind::from_str(name)).collect::<Result<_, _>>()?,
    };
    let mut rows = Vec::new();
    for kind in kinds {
        let many = if kind == ProofKind::Stark { LARGE.len() } else { LARGE_COMPRESSED };
        for (fixture, label) in WORK.iter().chain(&LARGE[..if large { many } else { 0 }]).copied() {
            eprintln!("bench: {kind}, {label} ...");
            let measurement = in_a_process(kind, fixture)?;
            eprintln!("bench: {:.1} s", measurement.seconds);
            rows.push(Row { kind, label, measurement, times_empty: 1.0 });
        }
    }
    compare_with_empty(&mut rows);
    print_table(&rows);

    let target = sextant_tests::target_folder()?;
    std::fs::write(target.join("bench.json"), format!("{:#}\n", serde_json::to_value(&rows)?))?;
    std::fs::write(target.join("bench.svg"), chart::draw(&rows))?;
    println!("\nwritten to {}/bench.json and bench.svg", target.display());
    Ok(())
}

/// Writes each step of a prover when it is over, as far as the environment asks for it.
fn show_steps() {
    if std::env::var_os("RUST_LOG").is_some() {
        tracing_subscriber::fmt()
            .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
            .with_span_events(tracing_subscriber::fmt::format::FmtSpan::CLOSE)
            .with_writer(std::io::stderr)
            .init();
    }
}

fn runs() -> Result<usize, Box<dyn Error>> {
    Ok(std::env::var("RUNS").map_or(Ok(2), |runs| runs.parse())?)
}

/// A line of the table.
#[derive(Debug, serde::Serialize)]
struct Row {
    #[serde(serialize_with = "by_name")]
    kind: ProofKind,
    label: &'static str,
    #[serde(flatten)]
    measurement: Measurement,
    /// Proving time over that of the empty program, same kind, same run.
    times_empty: f64,
}

fn by_name<S: serde::Serializer>(kind: &ProofKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}

/// Measures in a child process with the allocator settings that the server gives its workers.
fn in_a_process(kind: ProofKind, fixture: &str) -> Result<Measurement, Box<dyn Error>> {
    let output = Command::new(std::env::current_exe()?)
        .args(["--one", kind.as_str(), fixture])
        .envs(sextant_engine::ALLOCATOR_ENVIRONMENT)
        .stderr(std::process::Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("{kind} of {fixture}: {}", output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn compare_with_empty(rows: &mut [Row]) {
    let mut empty = f64::NAN;
    for row in rows {
        if row.label == WORK[0].1 {
            empty = row.measurement.seconds;
        }
        row.times_empty = row.measurement.seconds / empty;
    }
}

fn print_table(rows: &[Row]) {
    println!(
        "| proof | of | shards | proven in | against the empty program | peak memory | proof | verified in |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    for Row { kind, label, measurement: m, times_empty } in rows {
        println!(
            "| {kind} | {label} | {} | {:.1} s | {times_empty:.1} | {:.1} GiB | {:.2} MB | {:.0} ms |",
            m.shards,
            m.seconds,
            m.peak_memory as f64 / f64::from(1 << 30),
            m.proof_bytes as f64 / 1e6,
            m.verify_seconds * 1e3,
        );
    }
}
