//! Why a contract refuses: in words, and what follows from it for whoever submits.

use std::fmt;

use alloy_primitives::hex;
use alloy_sol_types::{Revert, SolError, SolInterface};

use crate::contract::{LightClientErrors, VerifiersErrors};

/// Why a call was reverted.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The light client's reason.
    Contract(LightClientErrors),
    /// The verifier's: the proof does not hold there.
    Verifier(VerifiersErrors),
    /// What neither says: the returned bytes.
    Unknown(Vec<u8>),
}

/// What a refusal means for the proof that was refused. Only [`Self::Malformed`] is about the proof alone; all others also
/// depend on what the contract knows and trusts, which changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The contract knows what the proof says: it is done.
    Known,
    /// No contract of this kind will ever accept it.
    Malformed,
    /// The verifier there says that the proof does not hold. That is final where one's own verification says so too;
    /// otherwise the contract trusts other keys or circuits, until its guardian replaces them.
    Doubted,
    /// This proof's time is over there, or it has too few signers; a newer one of the same may be accepted.
    Outdated,
    /// What the contract knows, trusts, or its clock shows does not fit yet: try again, in order.
    Passing,
}

impl Refusal {
    /// What a call that was reverted returned.
    pub fn decode(data: &[u8]) -> Self {
        if let Ok(error) = LightClientErrors::abi_decode(data) {
            return Self::Contract(error);
        }
        match VerifiersErrors::abi_decode(data) {
            Ok(error) => Self::Verifier(error),
            Err(_) => Self::Unknown(data.into()),
        }
    }

    /// What follows from it.
    pub fn meaning(&self) -> Meaning {
        use LightClientErrors as E;
        use VerifiersErrors as V;
        match self {
            Self::Contract(error) => match error {
                E::AlreadyProven(_) | E::NothingNew(_) | E::NothingNewInBundle(_) => Meaning::Known,
                E::WrongLength(_)
                | E::WrongVersion(_)
                | E::WrongProgram(_)
                | E::NotCanonical(_)
                | E::OtherNumber(_)
                | E::OtherStatement(_)
                | E::LearnedOutOfOrder(_) => Meaning::Malformed,
                E::TooOld(_) | E::TooFewSigners(_) | E::ForkLeftOut(_) => Meaning::Outdated,
                // A guardian replaces the chain's digest and the circuits; whoever submits in order makes committees
                // known; a node that answers from an older block knows fewer of them.
                _ => Meaning::Passing,
            },
            Self::Verifier(error) => match error {
                V::InvalidProof(_)
                | V::ProofInvalid(_)
                | V::PublicInputNotInField(_)
                | V::InvalidExitCode(_)
                | V::InvalidVkRoot(_) => Meaning::Doubted,
                V::WrongVerifierSelector(_) | V::RouteNotFound(_) | V::RouteIsFrozen(_) => Meaning::Passing,
            },
            // Nodes, proxies and gas limits have their own ways to say no.
            Self::Unknown(_) => Meaning::Passing,
        }
    }

    /// Whether the contract knows already what the statement says.
    pub fn is_known(&self) -> bool {
        self.meaning() == Meaning::Known
    }

    /// Whether a statement was asked for that was not proven there.
    pub fn is_not_proven(&self) -> bool {
        matches!(self, Self::Contract(LightClientErrors::NotProven(_)))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use LightClientErrors as E;
        use VerifiersErrors as V;
        match self {
            Self::Contract(error) => match error {
                E::AlreadyProven(_) => write!(f, "this statement was proven there before"),
                E::NothingNew(e) => write!(
                    f,
                    "nothing new: its committees are known, and finalized slot {} is not above the head, {}",
                    e.finalizedSlot, e.headSlot
                ),
                E::NothingNewInBundle(_) => write!(f, "all that the bundle's statements say is known there"),
                E::OtherNumber(e) => {
                    write!(f, "{} statements came with a bundle of {}", e.statements, e.parts)
                }
                E::OtherStatement(e) => {
                    write!(f, "statement {} (from 0) is another one than the bundle has there", e.index)
                }
                E::NoBundles(_) => write!(f, "it trusts no bundle program: submit the statements one by one"),
                E::WrongChain(e) => {
                    write!(f, "another chain: digest {}, the contract's is {}", e.got, e.expected)
                }
                E::UnknownCommittee(e) => write!(
                    f,
                    "it does not know the committee of period {}: submit the committee changes up to there first",
                    e.period
                ),
                E::UntrustedCommittee(e) => write!(
                    f,
                    "for period {} it knows another committee: {}, the statement begins with {}",
                    e.period, e.known, e.got
                ),
                E::TooFewSigners(e) => {
                    write!(f, "{} of the committee signed, it demands {}", e.got, e.expected)
                }
                E::ForkLeftOut(e) => write!(
                    f,
                    "its chain is one without the fork that begins at slot {}, and finalized slot {} lies after that: \
                     prove it with a build that knows the fork",
                    e.forkSlot, e.finalizedSlot
                ),
                E::WrongCircuits(e) => {
                    write!(f, "the proof is by circuits {}, those that count there are {}", e.got, e.expected)
                }
                E::FromTheFuture(e) => {
                    write!(f, "finalized slot {} has not begun at its time, {}", e.finalizedSlot, e.time)
                }
                E::TooOld(e) => {
                    write!(f, "finalized slot {} is too old at its time, {}", e.finalizedSlot, e.time)
                }
                other => write!(f, "{other:?}"),
            },
            Self::Verifier(error) => match error {
                V::WrongVerifierSelector(e) => {
                    write!(f, "the proof is by circuits {}, its verifier is for {}", e.received, e.expected)
                }
                V::RouteNotFound(e) => write!(f, "its gateway has no verifier for circuits {}", e.selector),
                V::RouteIsFrozen(e) => {
                    write!(f, "its gateway has frozen the verifier for circuits {}", e.selector)
                }
                V::InvalidProof(_) | V::ProofInvalid(_) | V::PublicInputNotInField(_) => {
                    write!(f, "the proof does not hold for its program and these public values")
                }
                other => write!(f, "its verifier says {other:?}"),
            },
            Self::Unknown(data) if data.is_empty() => write!(f, "reverted without a reason"),
            Self::Unknown(data) => match Revert::abi_decode(data) {
                Ok(revert) => write!(f, "reverted: {}", clipped(&revert.reason)),
                Err(_) => write!(f, "reverted with 0x{}", hex::encode(&data[..data.len().min(100)])),
            },
        }
    }
}

/// A stranger's text, cut short.
fn clipped(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::*;
    use crate::contract::{LightClient as Client, Verifiers};

    #[test]
    fn reasons_are_told_in_words() {
        let told = |data: Vec<u8>| Refusal::decode(&data).to_string();
        let error = Client::UnknownCommittee { period: 1151 };
        assert!(told(error.abi_encode()).contains("committee of period 1151"));
        assert!(told(Verifiers::InvalidProof {}.abi_encode()).contains("does not hold"));
        assert!(
            told(Verifiers::RouteNotFound { selector: [1, 2, 3, 4].into() }.abi_encode())
                .contains("0x01020304")
        );
        assert_eq!(told(Revert::from("paused").abi_encode()), "reverted: paused");
        assert_eq!(told(Vec::new()), "reverted without a reason");
        assert_eq!(told(vec![1, 2, 3, 4]), "reverted with 0x01020304");
    }

    /// Final is only what the proof itself deserves; what depends on the contract, its verifier or a node may change.
    #[test]
    fn only_the_proofs_own_faults_are_final() {
        let meaning = |data: Vec<u8>| Refusal::decode(&data).meaning();
        for known in [
            Client::AlreadyProven { digest: B256::ZERO }.abi_encode(),
            Client::NothingNew { finalizedSlot: 1, headSlot: 2 }.abi_encode(),
        ] {
            assert_eq!(meaning(known), Meaning::Known);
        }
        assert_eq!(meaning(Client::NotCanonical {}.abi_encode()), Meaning::Malformed);
        assert_eq!(meaning(Client::LearnedOutOfOrder {}.abi_encode()), Meaning::Malformed);
        assert_eq!(meaning(Verifiers::ProofInvalid {}.abi_encode()), Meaning::Doubted);
        assert_eq!(
            meaning(Client::TooFewSigners { got: 342, expected: 400 }.abi_encode()),
            Meaning::Outdated
        );
        for passing in [
            Client::UnknownCommittee { period: 1 }.abi_encode(),
            Client::UntrustedCommittee { period: 1, got: B256::ZERO, known: B256::ZERO }.abi_encode(),
            Client::WrongChain { got: B256::ZERO, expected: B256::ZERO }.abi_encode(),
            Client::WrongCircuits { got: [1; 4].into(), expected: [2; 4].into() }.abi_encode(),
            Client::FromTheFuture { finalizedSlot: 1, time: alloy_primitives::U256::ZERO }.abi_encode(),
            Verifiers::RouteIsFrozen { selector: [1; 4].into() }.abi_encode(),
            Verifiers::RouteNotFound { selector: [1; 4].into() }.abi_encode(),
            Revert::from("paused").abi_encode(),
            Vec::new(),
        ] {
            assert_eq!(meaning(passing), Meaning::Passing);
        }
    }
}
