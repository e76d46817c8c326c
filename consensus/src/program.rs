//! The guest programs, one per statement.

/// A guest program. The tag stands in its public values and on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Program {
    /// Proves consecutive sync committee handovers.
    CommitteeChange,
    /// Proves accounts and storage slots under a finalized execution state root.
    Inclusion,
    /// Proves that other programs' proofs verify.
    #[cfg(feature = "recursion")]
    Bundle,
    /// Proves that one sync committee leads to another, over any number of handovers.
    #[cfg(feature = "chain")]
    Chain,
}

impl Program {
    /// All, in the order of their tags.
    #[cfg(feature = "chain")]
    pub const ALL: [Self; 4] = [Self::CommitteeChange, Self::Inclusion, Self::Bundle, Self::Chain];

    /// Those whose statements are about other proofs.
    #[cfg(feature = "chain")]
    pub const OF_PROOFS: [Self; 2] = [Self::Bundle, Self::Chain];

    /// Those whose statements are about a chain, in the order of their tags.
    pub const OF_CHAINS: [Self; 2] = [Self::CommitteeChange, Self::Inclusion];

    /// The number that stands for it in public values and messages.
    pub const fn tag(self) -> u32 {
        match self {
            Self::CommitteeChange => 1,
            Self::Inclusion => 2,
            #[cfg(feature = "recursion")]
            Self::Bundle => 3,
            #[cfg(feature = "chain")]
            Self::Chain => 4,
        }
    }

    /// The program of a tag.
    pub const fn from_tag(tag: u32) -> Option<Self> {
        match tag {
            1 => Some(Self::CommitteeChange),
            2 => Some(Self::Inclusion),
            #[cfg(feature = "recursion")]
            3 => Some(Self::Bundle),
            #[cfg(feature = "chain")]
            4 => Some(Self::Chain),
            _ => None,
        }
    }

    /// Its name in folders, tables and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CommitteeChange => "committee-change",
            Self::Inclusion => "inclusion",
            #[cfg(feature = "recursion")]
            Self::Bundle => "bundle",
            #[cfg(feature = "chain")]
            Self::Chain => "chain",
        }
    }
}

impl core::fmt::Display for Program {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}
