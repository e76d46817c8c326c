//! Measures Groth16: `groth16 circuit WRAPPED FOLDER` or `groth16 prove WRAPPED FOLDER OUT`, with what `wrap` wrote.

use std::{path::Path, time::Instant};

use sextant_engine::{Wrapped, groth16};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [task, wrapped, folder, rest @ ..] = &args[..] else { return Err("usage: see the source".into()) };
    let wrapped: Wrapped = bincode::deserialize(&std::fs::read(wrapped)?)?;
    let start = Instant::now();
    if task == "circuit" {
        groth16::write_circuit(&wrapped, Path::new(folder))?;
    } else {
        let proof = groth16::prove(&wrapped, Path::new(folder))?;
        std::fs::write(&rest[0], proof)?;
    }
    println!("{task} {:.1} s", start.elapsed().as_secs_f64());
    let status = std::fs::read_to_string("/proc/self/status")?;
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
    Ok(())
}
