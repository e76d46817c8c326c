//! The two guest programs, one per statement.

/// A guest program. The tag stands in its public values and on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Program {
    /// Proves consecutive sync committee handovers.
    CommitteeChange,
    /// Proves accounts and storage slots under a finalized execution state root.
    Inclusion,
}

impl Program {
    /// Both, in the order of their tags.
    pub const ALL: [Self; 2] = [Self::CommitteeChange, Self::Inclusion];

    /// The number that stands for it in public values and messages.
    pub const fn tag(self) -> u32 {
        match self {
            Self::CommitteeChange => 1,
            Self::Inclusion => 2,
        }
    }

    /// The program of a tag.
    pub const fn from_tag(tag: u32) -> Option<Self> {
        match tag {
            1 => Some(Self::CommitteeChange),
            2 => Some(Self::Inclusion),
            _ => None,
        }
    }

    /// Its name in folders, tables and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CommitteeChange => "committee-change",
            Self::Inclusion => "inclusion",
        }
    }
}

impl core::fmt::Display for Program {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}
