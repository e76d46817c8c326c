//! What a queue knows, as files: one for each thing, written aside and renamed, with a checksum. A file that is damaged is
//! none: what it said is asked for again.

use std::{
    fs::{self, File, TryLockError},
    io::{self, ErrorKind, Write},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use sextant_protocol::wire::{self, Wire};
use sha2::{Digest, Sha256};

use crate::FleetError;

/// The last byte is the format's version.
const MAGIC: &[u8; 9] = b"SXTFLEET\x01";
/// How the names of files begin that are being written: no name of ours has a dot in front.
const UNFINISHED: &str = ".unfinished-";

/// One kind of thing, in a folder of its own.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    Message,
    Made,
    Outcome,
    Dead,
    Pauses,
}

impl Kind {
    const fn folder(self) -> &'static str {
        match self {
            Self::Message => "messages",
            Self::Made => "made",
            Self::Outcome => "outcomes",
            Self::Dead => "dead",
            Self::Pauses => "pauses",
        }
    }
}

/// The folder of one queue, which nobody else writes as long as this lives.
#[derive(Debug)]
pub(super) struct Journal {
    folder: PathBuf,
    _lock: File,
}

impl Journal {
    /// The journal in `folder`, which is made if it is not there.
    pub(super) fn open(folder: &Path) -> Result<Self, FleetError> {
        let refused = |reason: String| FleetError::Refused {
            what: "the queue's folder",
            reason: format!("{}: {reason}", folder.display()),
        };
        let wrong = |error: io::Error| refused(error.to_string());
        for kind in [Kind::Message, Kind::Made, Kind::Outcome, Kind::Dead, Kind::Pauses] {
            fs::create_dir_all(folder.join(kind.folder())).map_err(wrong)?;
        }
        let lock = File::create(folder.join("lock")).map_err(wrong)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.into(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(refused("another process has this queue".into())),
            Err(TryLockError::Error(error)) => Err(wrong(error)),
        }
    }

    /// Keeps a thing under `name`, in place of what was there.
    pub(super) fn keep(&self, kind: Kind, name: &str, thing: &impl Wire) -> Result<(), FleetError> {
        let bytes = wire::to_bytes(thing);
        let folder = self.folder.join(kind.folder());
        let write = || {
            let mut file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(&folder)?;
            file.write_all(MAGIC)?;
            file.write_all(&Sha256::digest(&bytes))?;
            file.write_all(&bytes)?;
            file.persist(folder.join(name)).map_err(|error| error.error)
        };
        write().map(|_| ()).map_err(|error| FleetError::disk("the queue's folder", &error))
    }

    /// Forgets a thing. One that stays is found again at the next start, and known to be over then.
    pub(super) fn remove(&self, kind: Kind, name: &str) {
        let path = self.folder.join(kind.folder()).join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                tracing::warn!(file = %path.display(), %error, "a file of the queue stays");
            }
            _ => {}
        }
    }

    /// All things of a kind with the time they were kept; without those that are older than `age`, or damaged.
    pub(super) fn load<T: Wire>(
        &self,
        kind: Kind,
        age: Duration,
    ) -> Result<Vec<(SystemTime, T)>, FleetError> {
        let folder = self.folder.join(kind.folder());
        let files = fs::read_dir(&folder).map_err(|error| FleetError::disk("the queue's folder", &error))?;
        let mut things = Vec::new();
        for entry in files.flatten() {
            let path = entry.path();
            let written = entry.metadata().and_then(|metadata| metadata.modified());
            let written = written.unwrap_or(SystemTime::UNIX_EPOCH);
            let old = written.elapsed().is_ok_and(|since| since > age);
            let read = if old { Err("it is too old".into()) } else { read(&path) };
            match read {
                Ok(thing) => things.push((written, thing)),
                Err(reason) => {
                    if !old {
                        tracing::warn!(file = %path.display(), reason, "a file of the queue is removed");
                    }
                    // The next start tries again.
                    let _ = fs::remove_file(&path);
                }
            }
        }
        things.sort_by_key(|(written, _)| *written);
        Ok(things)
    }
}

fn read<T: Wire>(path: &Path) -> Result<T, String> {
    let bytes = Bytes::from(fs::read(path).map_err(|error| error.to_string())?);
    let header = MAGIC.len() + 32;
    if bytes.len() < header || !bytes.starts_with(MAGIC) {
        return Err("it is of another format".into());
    }
    let body = bytes.slice(header..);
    if bytes[MAGIC.len()..header] != Sha256::digest(&body)[..] {
        return Err("it is damaged".into());
    }
    let limit = body.len();
    wire::from_bytes("file of the queue", body, limit).map_err(|error| error.to_string())
}
