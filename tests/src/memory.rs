//! Memory of this machine and this process.

use std::error::Error;

/// Bytes that a server on this machine plans with: all of its memory, or `MACHINE_GIB` to see how a smaller one does.
///
/// # Errors
/// If `MACHINE_GIB` is no number, or the system does not tell.
pub fn of_machine() -> Result<u64, Box<dyn Error>> {
    if let Ok(gib) = std::env::var("MACHINE_GIB") {
        return Ok(gib.parse::<u64>()? << 30);
    }
    Ok(status_kib("/proc/meminfo", "MemTotal:")? << 10)
}

/// Largest resident memory of this process so far, bytes.
///
/// # Errors
/// If the system does not tell.
pub fn peak() -> Result<u64, Box<dyn Error>> {
    Ok(status_kib("/proc/self/status", "VmHWM:")? << 10)
}

/// A field of a `/proc` file that counts KiB.
fn status_kib(file: &str, field: &str) -> Result<u64, Box<dyn Error>> {
    let text = std::fs::read_to_string(file)?;
    let value = text.lines().find_map(|line| line.strip_prefix(field)?.split_whitespace().next());
    Ok(value.ok_or_else(|| format!("{file} has no {field}"))?.parse()?)
}
