//! Archives of vectors: `.tar.xz` files.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// The archives in a folder, in order.
///
/// # Errors
/// Those of reading the folder.
pub fn below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.retain(|path| path.to_string_lossy().ends_with(".tar.xz"));
    paths.sort();
    Ok(paths)
}

/// The JSON files of an archive, with their names.
///
/// # Errors
/// If it cannot be read or unpacked.
pub fn json(path: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = files(path)?;
    files.retain(|(name, _)| name.ends_with(".json"));
    Ok(files)
}

/// All files of an archive, with their names.
///
/// # Errors
/// If it cannot be read or unpacked.
pub fn files(path: &Path) -> io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in tar::Archive::new(&unpack(path)?[..]).entries()? {
        let mut entry = entry?;
        let name = entry.path()?.to_string_lossy().into_owned();
        if entry.header().entry_type().is_file() {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes)?;
            files.push((name, bytes));
        }
    }
    Ok(files)
}

/// What is in an `.xz` file.
///
/// # Errors
/// If it cannot be read or unpacked.
pub fn unpack(path: &Path) -> io::Result<Vec<u8>> {
    let packed = fs::read(path)?;
    let mut bytes = Vec::new();
    lzma_rs::xz_decompress(&mut &packed[..], &mut bytes)
        .map_err(|error| io::Error::other(format!("{}: {error:?}", path.display())))?;
    Ok(bytes)
}
