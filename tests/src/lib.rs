//! What the tests and tools of the whole system share: the committed guests
//! without proving, and the real server.

pub mod executor;
pub mod server;

/// Where the tools put what they write: the tool itself lies in a profile's folder of the target folder.
///
/// # Errors
/// If this program's own file is not known.
pub fn target_folder() -> std::io::Result<std::path::PathBuf> {
    let program = std::env::current_exe()?;
    Ok(program.ancestors().nth(2).ok_or(std::io::ErrorKind::NotFound)?.to_owned())
}
