//! `bench [--large] [KIND...]`: what proofs cost in seconds, memory and bytes, against an empty program and against SP1's
//! own provers of shards in the same run. `--large` adds clients that were away for long, by our provers alone; that takes
//! hours.
//!
//! Every row is a process of its own, so that its peak memory is its own. It proves `RUNS` times (2 unless the
//! environment says otherwise) with the prover worker's settings for this machine, or one with `MACHINE_GIB` of memory,
//! and counts the fastest, then verifies. `RUST_LOG=sextant_prover=debug` shows on standard error where the time goes.
//! Prints the table, and writes `bench.json` and `bench.svg` at the root of the target folder.
//!
//! `bench --one KIND FIXTURE [--released]` is one of those processes.

mod chart;
mod measurement;

use std::{error::Error, process::Command, str::FromStr};

use measurement::{By, Measurement, Product, Task};

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

/// Of many statements, each of which is there as a compressed proof. There is no bundle that is a STARK.
const BUNDLES: [(&str, &str); 3] = [
    ("bundle-2", "bundle of 2 statements"),
    ("bundle-4", "bundle of 4 statements"),
    ("bundle-8", "bundle of 8 statements"),
];

/// Of a client that was away: in shards as large as the memory allows, however many.
const LARGE: [(&str, &str); 3] = [
    ("handovers-8", "committee change, 8 handovers"),
    ("handovers-46", "committee change, 46 handovers"),
    ("handovers-128", "committee change, 128 handovers"),
];
/// The last of those takes half a day as a compressed proof.
const LARGE_COMPRESSED: usize = 2;

/// Asks for SP1's provers in the place of ours.
const RELEASED: &str = "--released";

/// Makes a compressed proof into a file, for a measurement that begins with it.
const COMPRESSED_INTO: &str = "--compressed-into";

fn main() -> Result<(), Box<dyn Error>> {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    let released = taken(&mut args, RELEASED);
    if let [flag, product, fixture] = &args[..]
        && flag == "--one"
    {
        show_steps();
        let task = Task { product: product.parse()?, fixture, by: if released { By::Sp1 } else { By::Us } };
        println!("{}", serde_json::to_string(&measurement::measure(task, runs()?)?)?);
        return Ok(());
    }
    if let [flag, fixture, path] = &args[..]
        && flag == COMPRESSED_INTO
    {
        return measurement::compressed_into(fixture, path);
    }
    let large = taken(&mut args, "--large");
    let products = match &args[..] {
        [] => vec![Product::Stark, Product::Compressed, Product::Wrapped],
        names => names.iter().map(|name| Product::from_str(name)).collect::<Result<_, _>>()?,
    };
    let mut rows = Vec::new();
    for product in products {
        let (work, more) = match product {
            Product::Stark => (&WORK[..], &LARGE[..]),
            Product::Compressed => (&WORK[..], &LARGE[..LARGE_COMPRESSED]),
            // Whatever was proven, its compressed proof is of the same form.
            Product::Wrapped => (&WORK[..1], &[][..]),
        };
        for (fixture, label) in work {
            let mut row = Row::measured(product, fixture, label)?;
            row.compare(fixture)?;
            rows.push(row);
        }
        let bundles = if product == Product::Compressed { &BUNDLES[..] } else { &[] };
        for (fixture, label) in bundles.iter().chain(if large { more } else { &[] }) {
            rows.push(Row::measured(product, fixture, label)?);
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

/// Whether the flag was given; takes it away.
fn taken(args: &mut Vec<String>, flag: &str) -> bool {
    args.iter().position(|arg| arg == flag).map(|at| args.remove(at)).is_some()
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
    #[serde(rename = "kind", serialize_with = "by_name")]
    product: Product,
    label: &'static str,
    #[serde(flatten)]
    measurement: Measurement,
    /// The fastest proof by SP1's provers of shards, seconds.
    released: Option<f64>,
    /// Proving time over that of the empty program, same kind, same run.
    times_empty: f64,
}

fn by_name<S: serde::Serializer>(product: &Product, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(product.name())
}

impl Row {
    fn measured(
        product: Product,
        fixture: &'static str,
        label: &'static str,
    ) -> Result<Self, Box<dyn Error>> {
        eprintln!("bench: {}, {label} ...", product.name());
        let measurement = in_a_process(product, fixture, By::Us)?;
        eprintln!("bench: {:.1} s", measurement.seconds);
        Ok(Self { product, label, measurement, released: None, times_empty: 1.0 })
    }

    /// Has the same proven by SP1's provers.
    fn compare(&mut self, fixture: &str) -> Result<(), Box<dyn Error>> {
        let seconds = in_a_process(self.product, fixture, By::Sp1)?.seconds;
        eprintln!("bench: {seconds:.1} s by SP1's provers: {:.2}", self.measurement.seconds / seconds);
        self.released = Some(seconds);
        Ok(())
    }
}

/// This program, with the allocator settings that the server gives its workers.
fn this_program() -> Result<Command, Box<dyn Error>> {
    let mut program = Command::new(std::env::current_exe()?);
    program.envs(sextant_engine::ALLOCATOR_ENVIRONMENT).stderr(std::process::Stdio::inherit());
    Ok(program)
}

/// Measures in a process of its own.
fn in_a_process(product: Product, fixture: &str, by: By) -> Result<Measurement, Box<dyn Error>> {
    let output = this_program()?
        .args(["--one", product.name(), fixture])
        .args((by == By::Sp1).then_some(RELEASED))
        .output()?;
    if !output.status.success() {
        return Err(format!("{} of {fixture}: {}", product.name(), output.status).into());
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
        "| proof | of | shards | proven in | against the empty program | by SP1's provers | ours / SP1's | peak memory | proof | verified in |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|");
    for Row { product, label, measurement: m, released, times_empty } in rows {
        let (theirs, ratio) = released.map_or_else(Default::default, |seconds| {
            (format!("{seconds:.1} s"), format!("{:.2}", m.seconds / seconds))
        });
        println!(
            "| {} | {label} | {} | {:.1} s | {times_empty:.1} | {theirs} | {ratio} | {:.1} GiB | {:.2} MB | {} |",
            product.name(),
            m.shards,
            m.seconds,
            m.peak_memory as f64 / f64::from(1 << 30),
            m.proof_bytes as f64 / 1e6,
            m.verify_seconds.map_or_else(String::new, |seconds| format!("{:.0} ms", seconds * 1e3)),
        );
    }
}
