//! Where inputs, parts and proofs lie: bytes under a name, with a digest that the reader checks.
//!
//! What is there stands: whoever makes the same thing again finds the first one. Nothing is taken away while a job may
//! need it; things go by age, and finished proofs to make room.

use std::{fmt, str::FromStr};

use bytes::Bytes;
use sextant_protocol::{JobKey, encoding::EncodingError, record, wire::Wire};
use sha2::{Digest, Sha256};

use crate::{Answer, FleetError, StageId};

/// What kind of thing an object is, and so how long it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// Inputs too large for a message. A full bucket refuses more.
    Inputs,
    /// What stages make for stages. A full bucket refuses more: what is there may be needed.
    Parts,
    /// Finished proofs, for whoever asks next. A full bucket loses those that are oldest; on one machine, those that were
    /// used longest ago.
    Proofs,
}

impl Bucket {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Inputs, Self::Parts, Self::Proofs];

    /// The name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inputs => "inputs",
            Self::Parts => "parts",
            Self::Proofs => "proofs",
        }
    }
}

/// The name of an object: `bucket/key`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName {
    bucket: Bucket,
    key: String,
}

impl ObjectName {
    /// Of an input, which is named by what it is.
    #[must_use]
    pub fn input(bytes: &[u8]) -> Self {
        Self { bucket: Bucket::Inputs, key: hex::encode(Sha256::digest(bytes)) }
    }

    /// Of what comes of `id`, for the stages after it.
    #[must_use]
    pub fn part(id: &StageId) -> Self {
        Self { bucket: Bucket::Parts, key: id.to_string() }
    }

    /// Of a finished proof: of what `job` asks for, whichever job has made it on its way to something else.
    #[must_use]
    pub fn proof(job: &JobKey) -> Self {
        Self { bucket: Bucket::Proofs, key: job.to_string() }
    }

    /// Where it lies.
    #[must_use]
    pub fn bucket(&self) -> Bucket {
        self.bucket
    }

    /// The rest of the name: letters, digits, `-`, `_` and `.`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.bucket.as_str(), self.key)
    }
}

impl FromStr for ObjectName {
    type Err = FleetError;

    fn from_str(text: &str) -> Result<Self, FleetError> {
        let wrong = || FleetError::Name { what: "object", text: text.into(), limit: 255 };
        let (bucket, key) = text.split_once('/').ok_or_else(wrong)?;
        let bucket = Bucket::ALL.into_iter().find(|known| known.as_str() == bucket).ok_or_else(wrong)?;
        // No path and no subject of its own: parts between dots, none of them empty.
        let good = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if key.len() > 240 || !key.split('.').all(good) {
            return Err(wrong());
        }
        Ok(Self { bucket, key: key.into() })
    }
}

impl Wire for ObjectName {
    fn write(&self, out: &mut Vec<u8>) {
        self.to_string().write(out);
    }

    fn read(what: &'static str, bytes: Bytes) -> Result<Self, EncodingError> {
        String::read(what, bytes)?.parse().map_err(|error: FleetError| error.on_the_wire(what))
    }
}

record! {
/// An object, and how its reader knows that it is the one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRef {
    /// Where it lies.
    1 = name: ObjectName,
    /// Bytes.
    2 = length: u64,
    /// SHA-256 of them.
    3 = sha256: [u8; 32],
}
}

impl ObjectRef {
    /// The reference to `bytes` under `name`.
    #[must_use]
    pub fn to(name: ObjectName, bytes: &[u8]) -> Self {
        Self { name, length: bytes.len() as u64, sha256: Sha256::digest(bytes).into() }
    }

    fn is_of(&self, bytes: &[u8]) -> bool {
        self.length == bytes.len() as u64 && self.sha256[..] == Sha256::digest(bytes)[..]
    }
}

/// An object that lies in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its name.
    pub name: ObjectName,
    /// Bytes.
    pub length: u64,
    /// Since when it lies there, or was used last, milliseconds since 1970.
    pub since_ms: u64,
}

/// A store of objects. Handles are cheap to clone and share one store.
pub trait Store: Send + Sync {
    /// Keeps `bytes` under `name`, unless something is there already; refers to what is there then.
    ///
    /// # Errors
    /// [`FleetError::Full`], [`FleetError::Unreachable`]: nothing was kept; the same may work later.
    fn put<'a>(&'a self, name: &'a ObjectName, bytes: Bytes) -> Answer<'a, ObjectRef>;

    /// What lies under `name`, whole; `None` if nothing does. Damaged things count as nothing and are taken away.
    ///
    /// # Errors
    /// [`FleetError::Unreachable`], [`FleetError::Refused`].
    fn read<'a>(&'a self, name: &'a ObjectName) -> Answer<'a, Option<Bytes>>;

    /// Refers to what lies under `name`, without reading it.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn find<'a>(&'a self, name: &'a ObjectName) -> Answer<'a, Option<ObjectRef>>;

    /// Takes away what should not be believed, or is not needed. That nothing is there is no error.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn remove<'a>(&'a self, name: &'a ObjectName) -> Answer<'a, ()>;

    /// What lies in a bucket, by name.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn list(&self, bucket: Bucket) -> Answer<'_, Vec<Stored>>;

    /// The very bytes that `object` refers to; `None` if they are gone, or something else lies there.
    ///
    /// # Errors
    /// As [`Self::read`].
    fn get<'a>(&'a self, object: &'a ObjectRef) -> Answer<'a, Option<Bytes>> {
        Box::pin(async move {
            let bytes = self.read(&object.name).await?;
            Ok(bytes.filter(|bytes| {
                let same = object.is_of(bytes);
                if !same {
                    tracing::warn!(object = %object.name, "something else lies there");
                }
                same
            }))
        })
    }
}

#[cfg(test)]
mod tests {
    use sextant_protocol::wire;

    use super::*;
    use crate::Stage;

    #[test]
    fn names_of_objects_are_read_as_they_are_written_and_are_no_paths() {
        let id = StageId::whole(JobKey([7; 32]), 1, Stage::literal("wrap"));
        for name in [ObjectName::input(b"x"), ObjectName::part(&id), ObjectName::proof(&id.job)] {
            assert_eq!(name.to_string().parse::<ObjectName>().unwrap(), name);
            let bytes = wire::to_bytes(&name);
            assert_eq!(wire::from_bytes::<ObjectName>("name", bytes.into(), 300).unwrap(), name);
        }
        for bad in
            ["proofs", "proofs/", "others/a", "parts/../x", "parts/a/b", "parts/..", "parts/a.", "parts/a*"]
        {
            assert!(bad.parse::<ObjectName>().is_err(), "{bad}");
        }
    }
}
