//! Why a state cannot be read or written.

use std::{io, path::PathBuf};

/// Why a state cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// Another process has it open.
    #[error("{} is in use: another follower runs on this folder", .0.display())]
    InUse(PathBuf),
    /// The database's own reason.
    #[error("database: {0}")]
    Database(#[from] Box<redb::Error>),
    /// A file beside the database.
    #[error("{}: {error}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// The system's reason.
        error: io::Error,
    },
    /// Made by another version, or damaged.
    #[error("database: {0} is missing or not as it was written")]
    Content(&'static str),
}

impl StateError {
    /// Whether another try may help: a disk that is full now may have room later.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::File { .. } => true,
            Self::Database(error) => matches!(**error, redb::Error::Io(_) | redb::Error::PreviousIo),
            Self::InUse(_) | Self::Content(_) => false,
        }
    }
}
