//! Recorded files, whole or edited, and the command run on them.

// Each test file uses its own part.
#![allow(dead_code)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;
use tempfile::TempDir;

pub const BOOTSTRAP: &str = "bootstrap-9425184.json";
pub const UPDATE_1150: &str = "update-9420873.json";
pub const UPDATE_1151: &str = "update-9430576.json";
pub const INCLUSION_BOOTSTRAP: &str = "inclusion-bootstrap.json";
pub const FINALITY_UPDATE: &str = "inclusion-finality-update-9567542.json";
pub const PROOF: &str = "inclusion-eth-get-proof.json";

/// A folder for edited files.
pub struct Folder(pub TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes any bytes.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    /// Writes an edited copy of a recorded file.
    pub fn edit(&self, name: &str, edit: impl FnOnce(&mut Value)) -> PathBuf {
        let mut value = recorded(name);
        edit(&mut value);
        self.write(name, value.to_string())
    }

    /// Writes an edited copy of a recorded file, edited as text.
    pub fn edit_text(&self, name: &str, edit: impl FnOnce(String) -> String) -> PathBuf {
        self.write(name, edit(fs::read_to_string(file(name)).unwrap()))
    }
}

/// A recorded mainnet file.
pub fn file(name: &str) -> PathBuf {
    sextant_fixtures::mainnet_file(name)
}

/// A recorded mainnet file, parsed.
pub fn recorded(name: &str) -> Value {
    serde_json::from_slice(&fs::read(file(name)).unwrap()).unwrap()
}

/// The value at a JSON pointer, which must be there.
pub fn at<'a>(value: &'a mut Value, pointer: &str) -> &'a mut Value {
    value.pointer_mut(pointer).unwrap_or_else(|| panic!("no {pointer}"))
}

/// Removes the member at a JSON pointer.
pub fn remove(value: &mut Value, pointer: &str) {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    at(value, parent).as_object_mut().unwrap().remove(name).unwrap_or_else(|| panic!("no {pointer}"));
}

/// Runs `sextant`. No server listens at the default address it is given.
pub fn sextant(arguments: &[&str]) -> Output {
    sextant_with("127.0.0.1:1", arguments)
}

/// Runs `sextant` with a server.
pub fn sextant_with(server: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sextant"))
        .args(arguments)
        .env("SEXTANT_SERVER", server)
        .output()
        .expect("sextant starts")
}

/// The one line of a refusal: an exit status that says so, nothing on standard output, no panic.
pub fn error_line(output: &Output) -> String {
    let stderr = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(matches!(output.status.code(), Some(1..=10)), "{:?}: {stderr}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{stderr}");
    assert!(stderr.ends_with('\n') && stderr.lines().count() == 1, "not one line: {stderr}");
    let line = stderr.trim_end().strip_prefix("error: ").unwrap_or_else(|| panic!("no error line: {stderr}"));
    assert!(!line.contains("panicked"), "{line}");
    line.to_owned()
}

/// Asserts that a refusal names all of these.
#[track_caller]
pub fn assert_names(output: &Output, parts: &[&str]) {
    let line = error_line(output);
    for part in parts {
        assert!(line.contains(part), "{part:?} is not named in: {line}");
    }
}

/// A path as an argument.
pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
