//! The token file: who is known, and what each may have. It is TOML, and holds hashes, never tokens, so that reading it
//! does not make anybody's proofs:
//!
//! ```toml
//! [[token]]
//! name = "alice"
//! sha256 = "64 hexadecimal digits"
//! requests = 8           # open at once; the server's setting if left out
//! proofs_per_hour = 60   # 0 is no limit; the server's setting if left out
//!
//! [[certificate]]        # a client certificate; sha256 is its fingerprint
//! name = "entrypoint"
//! sha256 = "64 hexadecimal digits"
//! server = true          # it asks for others: its word about them is believed
//! operator = true        # it may see what the server is at
//! ```

use std::path::{Path, PathBuf};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Budget, identity::Identity};
use crate::toml_file::{self, TomlFileError};

/// Why a token file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// It cannot be read, or is not TOML of the right form.
    #[error("token-file: {0}")]
    File(#[from] TomlFileError),
    /// It names nobody.
    #[error("token-file: {}: neither a [[token]] nor a [[certificate]] in it", .0.display())]
    Empty(PathBuf),
    /// An entry that cannot be meant.
    #[error("token-file: {}: {kind} {name:?}: {reason}", .path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// `token` or `certificate`.
        kind: &'static str,
        /// The entry.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// Somebody whom the file names.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) identity: Identity,
    /// Of the token, or of the certificate.
    pub(super) sha256: [u8; 32],
    pub(super) budget: Budget,
    /// Asks for others.
    pub(super) server: bool,
    /// May see what the server is at.
    pub(super) operator: bool,
}

/// Everybody whom the file names.
#[derive(Debug, Default)]
pub(super) struct KnownClients {
    pub(super) tokens: Vec<Known>,
    pub(super) certificates: Vec<Known>,
}

impl KnownClients {
    /// Whether nobody is known.
    pub(super) fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.certificates.is_empty()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenFile {
    #[serde(default)]
    token: Vec<Entry>,
    #[serde(default)]
    certificate: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    sha256: String,
    requests: Option<usize>,
    proofs_per_hour: Option<u32>,
    #[serde(default)]
    server: bool,
    #[serde(default)]
    operator: bool,
}

/// Reads the file; entries without a budget of their own get `default`.
pub(super) fn read(path: &Path, default: Budget) -> Result<KnownClients, TokenFileError> {
    let file: TokenFile = toml_file::read(path)?;
    if file.token.is_empty() && file.certificate.is_empty() {
        return Err(TokenFileError::Empty(path.into()));
    }
    let known = |kind, entries: Vec<Entry>, identity: fn(&str) -> Identity| {
        let mut known: Vec<Known> = Vec::with_capacity(entries.len());
        for entry in entries {
            let added = add(&mut known, &entry, default, identity);
            added.map_err(|reason| TokenFileError::Entry {
                path: path.into(),
                kind,
                name: entry.name,
                reason,
            })?;
        }
        Ok::<_, TokenFileError>(known)
    };
    Ok(KnownClients {
        tokens: known("token", file.token, Identity::token)?,
        certificates: known("certificate", file.certificate, Identity::named_certificate)?,
    })
}

/// Whether somebody can have this name in the file: it stands in logs and metrics.
///
/// # Errors
/// What names are made of.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    let fits = (1..=64).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@".contains(c));
    if fits { Ok(()) } else { Err("a name is 1 to 64 letters, digits, or any of -_.@") }
}

fn add(
    known: &mut Vec<Known>,
    entry: &Entry,
    default: Budget,
    identity: fn(&str) -> Identity,
) -> Result<(), &'static str> {
    check_name(&entry.name)?;
    let mut sha256 = [0; 32];
    hex::decode_to_slice(&entry.sha256, &mut sha256)
        .map_err(|_| "sha256 must be 64 hexadecimal digits: the hash, not the token")?;
    if sha256 == <[u8; 32]>::from(Sha256::digest(b"")) {
        return Err("sha256 is that of the empty token");
    }
    let identity = identity(&entry.name);
    if known.iter().any(|other| other.identity == identity || other.sha256 == sha256) {
        return Err("it stands twice in the file");
    }
    let budget = Budget {
        requests: entry.requests.unwrap_or(default.requests),
        proofs_per_hour: entry.proofs_per_hour.unwrap_or(default.proofs_per_hour),
    };
    known.push(Known { identity, sha256, budget, server: entry.server, operator: entry.operator });
    Ok(())
}
