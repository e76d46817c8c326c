//! What the parts of a proof are called.
//!
//! A name says what a part holds, and every machine that executes the same run gives the same names: a number alone would
//! not do, since SP1 keeps precompile calls in a map that comes in another order in each process.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sp1_core_executor::SyscallCode;

/// The name of one shard. Names are ordered as the shards are in the proof; each kind is counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum PartName {
    /// `p-KECCAK_PERMUTE-1`: calls of one precompile.
    Precompile(SyscallCode, u32),
    /// `c-1`: a stretch of the execution.
    Core(u32),
    /// `m-1`: memory as it is before and after the run, where that does not fit into the last stretch of the execution.
    Memory(u32),
}

impl PartName {
    /// Whether the shard holds nothing but calls of one precompile.
    pub(crate) fn is_precompile(self) -> bool {
        matches!(self, Self::Precompile(..))
    }

    /// The name of the next of the same kind.
    pub(crate) fn next(self) -> Self {
        match self {
            Self::Precompile(code, number) => Self::Precompile(code, number + 1),
            Self::Core(number) => Self::Core(number + 1),
            Self::Memory(number) => Self::Memory(number + 1),
        }
    }

    /// The name of the first of the same kind.
    pub(crate) fn first(self) -> Self {
        match self {
            Self::Precompile(code, _) => Self::Precompile(code, 1),
            Self::Core(_) => Self::Core(1),
            Self::Memory(_) => Self::Memory(1),
        }
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Precompile(code, number) => write!(f, "p-{code}-{number}"),
            Self::Core(number) => write!(f, "c-{number}"),
            Self::Memory(number) => write!(f, "m-{number}"),
        }
    }
}

/// A text that names no part.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no part's name: they are like c-1, p-KECCAK_PERMUTE-1, m-1")]
pub struct UnknownName(String);

impl FromStr for PartName {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let parsed = || {
            let (kind, number) = text.rsplit_once('-')?;
            let number = number.parse().ok()?;
            Some(match kind {
                "c" => Self::Core(number),
                "m" => Self::Memory(number),
                _ => Self::Precompile(precompile(kind.strip_prefix("p-")?)?, number),
            })
        };
        // Only what is written as a name is written: no leading zeros or signs.
        parsed()
            .filter(|name| name.to_string() == text)
            .ok_or_else(|| UnknownName(text.chars().take(64).collect()))
    }
}

/// The precompile of that name.
fn precompile(name: &str) -> Option<SyscallCode> {
    // SP1 derives no parser of its codes, but serde's, which knows them by these names.
    let code = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(name);
    SyscallCode::deserialize(code).ok()
}

impl From<PartName> for String {
    fn from(name: PartName) -> Self {
        name.to_string()
    }
}

impl TryFrom<String> for PartName {
    type Error = UnknownName;

    fn try_from(text: String) -> Result<Self, UnknownName> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for text in ["c-1", "c-19", "m-3", "p-KECCAK_PERMUTE-1", "p-BLS12381_FP2_ADD-2"] {
            assert_eq!(text.parse::<PartName>().unwrap().to_string(), text);
        }
        for text in ["", "c", "c-", "c-01", "c-+1", "x-1", "p-1", "p-KECCAK-1", "c-1 ", "m--1"] {
            let error = text.parse::<PartName>().unwrap_err();
            assert!(error.to_string().starts_with(&format!("{text:?} is no part's name")), "{error}");
        }
    }

    #[test]
    fn names_are_ordered_as_the_proof_is() {
        let ordered =
            ["p-SECP256R1_ADD-1", "p-KECCAK_PERMUTE-1", "p-KECCAK_PERMUTE-2", "c-1", "c-2", "c-10", "m-1"];
        let mut names: Vec<PartName> = ordered.iter().rev().map(|text| text.parse().unwrap()).collect();
        names.sort();
        let kinds: Vec<_> = names.iter().map(|name| name.is_precompile()).collect();
        assert_eq!(kinds, [true, true, true, false, false, false, false]);
        assert_eq!(names[3..].iter().map(ToString::to_string).collect::<Vec<_>>(), ordered[3..]);
    }
}
