//! Parts as they go from one machine to another.

use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Origin, PartError, PartName};

/// Largest proof of a part that is decoded, bytes: ten times what they take.
const MAX_PROOF: usize = 16 << 20;

/// A part of a proof, as somebody sent it: nothing in it is believed before the engine has checked it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part<L> {
    /// Which part it says to be.
    pub label: L,
    /// What it says to belong to.
    pub of: Origin,
    /// SP1's proof, encoded.
    pub proof: Vec<u8>,
}

/// The proof of one shard.
pub type ShardPart = Part<PartName>;

/// A recursion proof over one shard or several that follow each other.
pub type FoldedPart = Part<Span>;

impl<L: Copy + Into<Label>> Part<L> {
    pub(crate) fn new<T: Serialize>(label: L, of: Origin, proof: &T) -> anyhow::Result<Self> {
        Ok(Self { label, of, proof: bincode::serialize(proof)? })
    }

    /// SP1's proof, if the bytes are one and nothing else.
    pub(crate) fn decode<T: DeserializeOwned>(&self) -> Result<T, PartError> {
        use bincode::Options;
        let invalid = |reason: String| PartError::Invalid { part: self.label.into(), reason };
        if self.proof.len() > MAX_PROOF {
            return Err(invalid(format!("{} bytes, more than {MAX_PROOF}", self.proof.len())));
        }
        // What `bincode::serialize` writes, except that nothing may be left over.
        let options = bincode::DefaultOptions::new()
            .with_fixint_encoding()
            .with_limit(self.proof.len() as u64)
            .reject_trailing_bytes();
        options.deserialize(&self.proof).map_err(|error| invalid(format!("it does not decode: {error}")))
    }
}

impl<L: fmt::Debug> fmt::Debug for Part<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut part = f.debug_struct("Part");
        part.field("label", &self.label).field("of", &self.of);
        part.field("bytes", &self.proof.len()).finish()
    }
}

/// Which shards a recursion proof covers: their places in the plan, the first is 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// Place of the first.
    pub first: u32,
    /// Place of the last.
    pub last: u32,
}

impl Span {
    /// One shard.
    pub(crate) fn one(place: u32) -> Self {
        Self { first: place, last: place }
    }

    /// How many shards it covers.
    pub(crate) fn len(self) -> u32 {
        (self.last + 1).saturating_sub(self.first)
    }

    /// From the first of this to the last of `other`.
    pub(crate) fn to(self, other: Self) -> Self {
        Self { first: self.first, last: other.last }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// Which part is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Label {
    /// The proof of a shard.
    Shard(PartName),
    /// A recursion proof.
    Folded(Span),
}

impl From<PartName> for Label {
    fn from(name: PartName) -> Self {
        Self::Shard(name)
    }
}

impl From<Span> for Label {
    fn from(span: Span) -> Self {
        Self::Folded(span)
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shard(name) => name.fmt(f),
            Self::Folded(span) => write!(f, "fold {span}"),
        }
    }
}
