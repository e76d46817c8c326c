//! Which layout and which fork's rules an input speaks of: the schema id in front of every `StatelessInput`.
//!
//! Two bytes, big-endian: the index of the execution fork, then the revision of the layout (execution-specs,
//! `stateless.py`, tests-zkevm v0.8). The specification itself has Amsterdam alone; the indices of the forks before it
//! are those of eth-act/ere-guests, which counts them from Frontier (1) on, without the two that changed no rule.

use alloy_hardforks::EthereumHardfork;

/// The one revision of the layout that is read here: `chain_id` as the third field, keys of 65 bytes.
pub const REVISION: u8 = 1;

/// A fork whose blocks can be validated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Fork {
    /// EIP-7569: blobs, beacon roots.
    Cancun = 0x10,
    /// EIP-7600: requests, set-code transactions, historical block hashes.
    Prague = 0x11,
    /// EIP-7607: caps on the gas of a transaction and the size of a block.
    Osaka = 0x12,
    /// EIP-7892: Osaka with 10 to 15 blobs.
    Bpo1 = 0x13,
    /// EIP-7892: Osaka with 14 to 21 blobs.
    Bpo2 = 0x14,
}

impl Fork {
    /// All of them, in order of activation.
    pub const ALL: [Self; 5] = [Self::Cancun, Self::Prague, Self::Osaka, Self::Bpo1, Self::Bpo2];

    /// The fork with this index in a schema id.
    ///
    /// # Errors
    /// [`SchemaError::NotImplemented`] for a fork with another set of rules, [`SchemaError::UnknownFork`] otherwise.
    pub fn from_index(index: u8) -> Result<Self, SchemaError> {
        let known = Self::ALL.into_iter().find(|fork| fork.index() == index);
        known.ok_or_else(|| match other_fork(index) {
            Some(name) => SchemaError::NotImplemented(name),
            None => SchemaError::UnknownFork(index),
        })
    }

    /// Its index in a schema id.
    pub const fn index(self) -> u8 {
        self as u8
    }

    /// Its name, as execution-specs writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cancun => "Cancun",
            Self::Prague => "Prague",
            Self::Osaka => "Osaka",
            Self::Bpo1 => "BPO1",
            Self::Bpo2 => "BPO2",
        }
    }

    /// The same fork as the EVM's crates name it.
    pub const fn hardfork(self) -> EthereumHardfork {
        match self {
            Self::Cancun => EthereumHardfork::Cancun,
            Self::Prague => EthereumHardfork::Prague,
            Self::Osaka => EthereumHardfork::Osaka,
            Self::Bpo1 => EthereumHardfork::Bpo1,
            Self::Bpo2 => EthereumHardfork::Bpo2,
        }
    }

    /// Whether its blocks carry requests to the consensus layer (EIP-7685), and its payload requests a list of them.
    pub const fn has_requests(self) -> bool {
        !matches!(self, Self::Cancun)
    }
}

impl core::fmt::Display for Fork {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// Name of a fork that exists and is not implemented.
pub(crate) fn other_fork(index: u8) -> Option<&'static str> {
    const BEFORE_CANCUN: [&str; 15] = [
        "Frontier",
        "Homestead",
        "DAO fork",
        "Tangerine Whistle",
        "Spurious Dragon",
        "Byzantium",
        "St. Petersburg",
        "Istanbul",
        "Muir Glacier",
        "Berlin",
        "London",
        "Arrow Glacier",
        "Gray Glacier",
        "Paris",
        "Shanghai",
    ];
    match index {
        AMSTERDAM => Some("Amsterdam"),
        _ => BEFORE_CANCUN.get(usize::from(index).checked_sub(1)?).copied(),
    }
}

/// Index of Amsterdam, whose payload has another shape and whose blocks have access lists (EIP-7928).
pub(crate) const AMSTERDAM: u8 = 0x15;

/// A schema id that can be read: a fork at [`REVISION`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SchemaId {
    /// The fork whose payload shape and rules the input asks for.
    pub fork: Fork,
}

impl SchemaId {
    /// Takes the schema id off the front of an input; returns it and the SSZ that follows.
    ///
    /// # Errors
    /// [`SchemaError`].
    pub fn take(input: &[u8]) -> Result<(Self, &[u8]), SchemaError> {
        let (&[index, revision], ssz) = input.split_first_chunk().ok_or(SchemaError::Short(input.len()))?;
        let fork = Fork::from_index(index)?;
        if revision != REVISION {
            return Err(SchemaError::Revision { fork, got: revision });
        }
        Ok((Self { fork }, ssz))
    }

    /// The number that stands in public values.
    pub const fn number(self) -> u16 {
        u16::from_be_bytes([self.fork.index(), REVISION])
    }
}

/// Why an input's schema cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// There are fewer than two bytes.
    #[error("an input of {0} bytes has no schema id")]
    Short(usize),
    /// The fork exists; its rules are not implemented here.
    #[error("blocks of {0} are not supported")]
    NotImplemented(&'static str),
    /// No fork has that index.
    #[error("fork index {0:#04x} is not known")]
    UnknownFork(u8),
    /// Another layout of the fork's input.
    #[error("revision {got} of the input for {fork}, where {REVISION} is read")]
    Revision {
        /// The fork asked for.
        fork: Fork,
        /// The revision given.
        got: u8,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn ids_are_the_fork_index_and_the_revision() {
        for (fork, number) in Fork::ALL.into_iter().zip([0x1001, 0x1101, 0x1201, 0x1301, 0x1401u16]) {
            let id = SchemaId { fork };
            assert_eq!(id.number(), number);
            let mut input = number.to_be_bytes().to_vec();
            input.push(7);
            assert_eq!(SchemaId::take(&input), Ok((id, &[7][..])));
        }
    }

    #[test]
    fn forks_that_are_not_implemented_are_refused_by_name() {
        for (index, name) in [(0x15, "Amsterdam"), (0x0f, "Shanghai"), (0x0e, "Paris"), (0x01, "Frontier")] {
            let error = SchemaId::take(&[index, 1]).unwrap_err();
            assert_eq!(error, SchemaError::NotImplemented(name));
            assert_eq!(error.to_string(), alloc::format!("blocks of {name} are not supported"));
        }
    }

    #[test]
    fn what_is_no_schema_id_is_refused() {
        assert_eq!(SchemaId::take(&[]), Err(SchemaError::Short(0)));
        assert_eq!(SchemaId::take(&[0x14]), Err(SchemaError::Short(1)));
        for index in [0, 0x16, 0xff] {
            assert_eq!(SchemaId::take(&[index, 1]), Err(SchemaError::UnknownFork(index)));
        }
        for got in [0, 2] {
            assert_eq!(SchemaId::take(&[0x14, got]), Err(SchemaError::Revision { fork: Fork::Bpo2, got }));
        }
    }
}
