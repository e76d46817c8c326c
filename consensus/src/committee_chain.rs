//! Statement 4: one committee leads to another, over any number of handovers.
//!
//! A chain is extended step by step. The guest takes what the chain so far says, if there is one, and what committee
//! changes say that follow it, and has the zkVM verify a proof of each. What it commits has one size, however long it is.
//!
//! The chain so far is proven by this same program. A program cannot pin its own key, so the key is public: whoever verifies
//! compares it with the one that they pin, and all before it was proven by the same.

use alloc::vec::Vec;

use crate::abi::AbiError;
use crate::codec::{Blob, record};
use crate::hash::Root;
use crate::program::Program;
use crate::public_values::{CommitteeChain, CommitteeChange, Head, Learned};

/// Most committee changes that a chain is extended by at once: a bound for whoever has to hold all of their proofs.
pub const MAX_CHANGES: usize = 64;

/// The prime of the field KoalaBear, of which eight elements are a key's digest.
const KOALA_BEAR: u64 = (1 << 31) - (1 << 24) + 1;

record! {
    /// The statements. Their proofs are not among this: the zkVM has them.
    pub struct Input {
        /// Hash of this program's own verifying key, as SP1 writes it: eight field elements of 31 bits, big-endian. Public.
        pub program_key: Root,
        /// Public values of the chain that is extended: one, or none where a chain begins.
        pub predecessor: Vec<Blob>,
        /// Public values of the committee changes that follow, in order.
        pub changes: Vec<Blob>,
    }
}

impl Input {
    /// What statements come to, in their order: the chain so far, if there is one, and the committee changes that follow.
    /// `program_key` is that of this program.
    ///
    /// # Errors
    /// [`CommitteeChainError::Program`] for one that has no place here.
    pub fn of(
        program_key: Root,
        statements: impl IntoIterator<Item = (Program, Vec<u8>)>,
    ) -> Result<Self, CommitteeChainError> {
        let mut input = Self { program_key, predecessor: Vec::new(), changes: Vec::new() };
        for (index, (program, public_values)) in statements.into_iter().enumerate() {
            let part = Blob(public_values);
            match program {
                Program::Chain if index == 0 => input.predecessor.push(part),
                Program::CommitteeChange => input.changes.push(part),
                _ => return Err(CommitteeChainError::Program { index, program }),
            }
        }
        Ok(input)
    }
}

/// Why a chain is not extended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommitteeChainError {
    /// A statement that is no part of a chain, or not there.
    #[error(
        "statement {index} is of {program}: a chain has committee changes, and ahead of them one chain at most"
    )]
    Program {
        /// Which one, from 0.
        index: usize,
        /// Whose it is.
        program: Program,
    },
    /// No program has such a key.
    #[error("the program's key is no hash of a verifying key")]
    Key,
    /// There is one chain at most.
    #[error("{got} chains to extend: there is one at most")]
    Predecessors {
        /// How many.
        got: usize,
    },
    /// The chain that is to be extended is none.
    #[error("the chain so far: {0}")]
    Predecessor(AbiError),
    /// Another program, which may have said anything, made the chain so far.
    #[error("the chain so far is by another program")]
    OtherProgram,
    /// Nothing is asked.
    #[error("no committee change: a chain is extended by at least one")]
    Empty,
    /// Too much is asked.
    #[error("{got} committee changes, a chain is extended by {MAX_CHANGES} at most")]
    TooMany {
        /// How many.
        got: usize,
    },
    /// One does not follow.
    #[error("committee change {index}: {error}")]
    Change {
        /// Which one, from 0.
        index: usize,
        /// Why.
        error: LinkError,
    },
}

/// Why a committee change does not follow what is before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It is none.
    #[error(transparent)]
    PublicValues(#[from] AbiError),
    /// It teaches no committee.
    #[error("it teaches no committee")]
    Nothing,
    /// It is about another chain than what is before it.
    #[error("it is about another chain than what is before it")]
    OtherChain,
    /// It begins at another period: one is skipped, or done twice.
    #[error("it begins in period {got}, the newest committee so far is that of period {expected}")]
    Period {
        /// The newest so far.
        expected: u64,
        /// Where it begins.
        got: u64,
    },
    /// It begins at another committee of the same period.
    #[error("it begins at another committee than the newest so far")]
    Committee,
}

/// What the chain commits when it is extended. It is true if each of its parts is proven, the chain so far by the program of
/// [`Input::program_key`], which is for the caller to see to: a guest by the zkVM, a server by verifying the proofs that it
/// was given.
///
/// # Errors
/// [`CommitteeChainError`] names the part and the rule.
pub fn check(input: &Input) -> Result<CommitteeChain, CommitteeChainError> {
    digest_of_key(&input.program_key).ok_or(CommitteeChainError::Key)?;
    let so_far = match &input.predecessor[..] {
        [] => None,
        [one] => Some(CommitteeChain::abi_decode(one).map_err(CommitteeChainError::Predecessor)?),
        more => return Err(CommitteeChainError::Predecessors { got: more.len() }),
    };
    if so_far.as_ref().is_some_and(|chain| chain.program_key != input.program_key) {
        return Err(CommitteeChainError::OtherProgram);
    }
    let got = input.changes.len();
    if got > MAX_CHANGES {
        return Err(CommitteeChainError::TooMany { got });
    }
    let mut chain = so_far;
    for (index, change) in input.changes.iter().enumerate() {
        let within = |error| CommitteeChainError::Change { index, error };
        let change = CommitteeChange::abi_decode(change).map_err(|error| within(error.into()))?;
        chain = Some(follow(chain, &change, input.program_key).map_err(within)?);
    }
    chain.filter(|_| got > 0).ok_or(CommitteeChainError::Empty)
}

/// The chain so far, longer by one change; or a new one.
fn follow(
    so_far: Option<CommitteeChain>,
    change: &CommitteeChange,
    program_key: Root,
) -> Result<CommitteeChain, LinkError> {
    let newest = *change.learned.last().ok_or(LinkError::Nothing)?;
    let CommitteeChange { head, .. } = change;
    let (anchor, participation) = match &so_far {
        None => {
            let anchor = Learned { period: head.signer_period, committee_root: head.signer_committee_root };
            (anchor, head.participation)
        }
        Some(chain) => {
            if chain.head.chain_digest != head.chain_digest {
                return Err(LinkError::OtherChain);
            }
            let Learned { period: expected, committee_root } = chain.newest;
            if head.signer_period != expected {
                return Err(LinkError::Period { expected, got: head.signer_period });
            }
            if head.signer_committee_root != committee_root {
                return Err(LinkError::Committee);
            }
            (chain.anchor(), chain.head.participation.min(head.participation))
        }
    };
    let head = Head {
        program: Program::Chain,
        signer_period: anchor.period,
        signer_committee_root: anchor.committee_root,
        participation,
        ..*head
    };
    Ok(CommitteeChain { head, program_key, newest })
}

/// The eight elements that a key's hash is made of, as the zkVM takes them; `None` where it is no such hash. One that
/// stands for the same elements but is written otherwise is none either.
pub fn digest_of_key(hash: &Root) -> Option<[u32; 8]> {
    let mut digest = [0; 8];
    let (mut bits, mut held) = (0_u64, 0);
    let mut elements = digest.iter_mut();
    let (first, rest) = hash.split_first()?;
    for byte in rest {
        bits = bits << 8 | u64::from(*byte);
        held += 8;
        if held >= 31 {
            held -= 31;
            let element = bits >> held;
            bits &= (1 << held) - 1;
            if element >= KOALA_BEAR {
                return None;
            }
            *elements.next()? = element as u32;
        }
    }
    (*first == 0).then_some(digest)
}
