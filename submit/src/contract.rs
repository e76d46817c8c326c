//! The contract's interface, and its reasons for a refusal in words.

use std::fmt;

use alloy_primitives::hex;
use alloy_sol_types::{SolInterface, sol};

sol!(
    #![sol(all_derives)]
    LightClient,
    "contract/LightClient.json"
);

sol! {
    /// What verifiers of proofs, and gateways to them, refuse with.
    #[sol(all_derives)]
    interface Verifiers {
        error WrongVerifierSelector(bytes4 received, bytes4 expected);
        error InvalidExitCode();
        error InvalidVkRoot();
        error InvalidProof();
        error ProofInvalid();
        error PublicInputNotInField();
        error RouteNotFound(bytes4 selector);
        error RouteIsFrozen(bytes4 selector);
    }
}

pub use LightClient::LightClientErrors;
pub use Verifiers::VerifiersErrors;

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

    /// Whether the contract knows already what the statement says.
    pub fn is_known(&self) -> bool {
        use LightClientErrors as E;
        matches!(self, Self::Contract(E::AlreadyProven(_) | E::NothingNew(_)))
    }

    /// Whether a statement was asked for that was not proven there.
    pub fn is_not_proven(&self) -> bool {
        matches!(self, Self::Contract(LightClientErrors::NotProven(_)))
    }

    /// Whether time alone heals it. An unknown committee needs another proof: whoever submits in order has none that comes
    /// before this one.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Contract(LightClientErrors::FromTheFuture(_)))
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
                E::ContradictingCommittee(e) => write!(
                    f,
                    "for period {} it knows another committee: {}, the statement learns {}: one of the two lies",
                    e.period, e.known, e.got
                ),
                E::ContradictingHeader(e) => write!(
                    f,
                    "at slot {} it knows another finalized header: {}, the statement has {}: one of the two lies",
                    e.slot, e.known, e.got
                ),
                E::TooFewSigners(e) => {
                    write!(f, "{} of the committee signed, it demands {}", e.got, e.expected)
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
            Self::Unknown(data) => {
                write!(f, "reverted with 0x{}", hex::encode(&data[..data.len().min(100)]))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;
    use alloy_sol_types::SolError;

    use super::*;

    #[test]
    fn reasons_are_told_in_words() {
        let told = |data: Vec<u8>| Refusal::decode(&data).to_string();
        let error = LightClient::UnknownCommittee { period: 1151 };
        assert!(told(error.abi_encode()).contains("committee of period 1151"));
        assert!(
            !Refusal::decode(&error.abi_encode()).is_passing(),
            "nothing that is submitted later would be reached"
        );
        let error = LightClient::AlreadyProven { digest: B256::ZERO };
        assert!(Refusal::decode(&error.abi_encode()).is_known());
        assert!(told(Verifiers::InvalidProof {}.abi_encode()).contains("does not hold"));
        assert!(
            told(Verifiers::RouteNotFound { selector: [1, 2, 3, 4].into() }.abi_encode())
                .contains("0x01020304")
        );
        assert_eq!(told(Vec::new()), "reverted without a reason");
        assert_eq!(told(vec![1, 2, 3, 4]), "reverted with 0x01020304");
    }
}
