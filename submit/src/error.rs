//! Why a proof is not on the chain.

use alloy_primitives::{Address, B256};
use sextant_protocol::{ProofKind, encoding::EncodingError};
use sextant_sources::SourceError;

use crate::{Meaning, PreflightError, Refusal};

/// Why a transaction was not sent, or not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// No node answers usably.
    #[error(transparent)]
    Nodes(#[from] SourceError),
    /// A node's answer is not what the method returns.
    #[error("{method}: not an answer to it: {got}")]
    Answer {
        /// The JSON-RPC method.
        method: &'static str,
        /// What came, cut short.
        got: String,
    },
    /// The nodes are on another chain than the one to sign for.
    #[error("the nodes are on chain {got}, expected {expected}")]
    OtherChain {
        /// Their chain id.
        got: u64,
        /// The one wanted.
        expected: u64,
    },
    /// Only SNARKs are for contracts.
    #[error("a {0} proof is not for contracts: ask for --kind groth16")]
    Kind(ProofKind),
    /// The statement is said to be in a bundle, and what says where does not decode.
    #[error("no place in a bundle: {0}")]
    Place(#[from] EncodingError),
    /// The proof is of a program that the contract does not know.
    #[error("unknown program tag {0}")]
    Program(u32),
    /// The contract refuses, and says why.
    #[error("the contract refuses: {0}")]
    Refused(Refusal),
    /// The contract refuses a bundle for one of its statements.
    #[error("the contract refuses statement {index} (from 0) of the bundle: {refusal}")]
    Bundled {
        /// Which, from 0.
        index: usize,
        /// The contract's reason.
        refusal: Refusal,
    },
    /// A bundle says nothing without its statements.
    #[error("a bundle goes to a contract together with its statements, in its order")]
    BundleAlone,
    /// Contracts learn each committee, which a chain does not show.
    #[error("contracts take committee changes, not chains of them")]
    Chain,
    /// The contract, or what is to be deployed, does not fit: nothing was sent.
    #[error(transparent)]
    Preflight(#[from] PreflightError),
    /// No code there.
    #[error("there is no contract at {0}")]
    NoContract(Address),
    /// The account cannot pay.
    #[error("{account} has {has} wei and may need {needs}")]
    Funds {
        /// Who pays.
        account: Address,
        /// Its balance, wei.
        has: u128,
        /// The most that the transaction may cost, wei.
        needs: u128,
    },
    /// Gas costs more than allowed.
    #[error("the base fee is {base} wei, above the cap of {cap}")]
    Fee {
        /// The chain's, wei per gas.
        base: u128,
        /// The cap, wei per gas.
        cap: u128,
    },
    /// A chain without base fees (EIP-1559).
    #[error("the chain's blocks have no base fee: transactions of EIP-1559 are needed")]
    NoBaseFee,
    /// The nodes suggest neither a tip nor a gas price.
    #[error("the nodes suggest no tip: give one with --tip")]
    NoTip,
    /// Another transaction took the nonce: another process signs with this key.
    #[error("nonce {nonce} of {account} was used by another transaction")]
    NonceTaken {
        /// The account.
        account: Address,
        /// The nonce.
        nonce: u64,
    },
    /// Sent, and not in a block within the time given. It may still be mined.
    #[error("transaction {hash} is in no block after {seconds} s")]
    NotMined {
        /// The last one sent.
        hash: B256,
        /// How long was waited.
        seconds: u64,
    },
    /// In a block, without enough blocks on top of it within the time given.
    #[error(
        "transaction {hash} is in block {block}, without {confirmations} blocks on top after {seconds} s"
    )]
    Unconfirmed {
        /// The transaction.
        hash: B256,
        /// The block's number.
        block: u64,
        /// How many blocks are wanted.
        confirmations: u64,
        /// How long was waited.
        seconds: u64,
    },
    /// Mined, and failed there though the dry run had passed.
    #[error("transaction {hash} failed in block {block}: {reason}")]
    Failed {
        /// The transaction.
        hash: B256,
        /// The block's number.
        block: u64,
        /// The contract's reason, as a call in that block tells it.
        reason: String,
    },
    /// Whoever keeps transactions could not; this one was not sent.
    #[error("a transaction could not be kept, and was not sent: {0}")]
    Journal(String),
    /// The key does not sign.
    #[error("signing: {0}")]
    Signer(String),
}

impl SubmitError {
    /// A reverted call is the contract's word, not the nodes' failure.
    pub(crate) fn refused(self) -> Self {
        match &self {
            Self::Nodes(nodes) => match nodes.revert() {
                Some(data) => Self::Refused(Refusal::decode(data)),
                None => self,
            },
            _ => self,
        }
    }

    /// Whether it may end otherwise another time. Of refusals only one that is about the proof alone does not: what a
    /// contract knows and trusts changes.
    pub fn is_passing(&self) -> bool {
        match self {
            // A node that says nonsense once is no reason to give up.
            Self::Nodes(_) | Self::Answer { .. } => true,
            Self::Fee { .. } | Self::NonceTaken { .. } | Self::Funds { .. } => true,
            Self::NotMined { .. } | Self::Unconfirmed { .. } => true,
            Self::Refused(refusal) | Self::Bundled { refusal, .. } => refusal.meaning() != Meaning::Malformed,
            // What had passed the dry run was overtaken; the next dry run says by what.
            Self::Failed { .. } => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use sextant_sources::{Failure, Reason};

    use super::*;

    /// A node's own trouble is not the contract's word: what was reverted is told by the source of the answer.
    #[test]
    fn only_what_was_reverted_is_a_refusal() {
        let end = |code: i64, data: Option<&[u8]>| {
            let reason = Reason::Rpc { code, message: "said".into(), data: data.map(Into::into) };
            let failures = vec![Failure { endpoint: "http://node".into(), reason }];
            SubmitError::from(SourceError { request: "eth_call".into(), failures }).refused()
        };
        for data in [&[1, 2, 3, 4][..], &[]] {
            let error = end(3, Some(data));
            assert!(matches!(error, SubmitError::Refused(_)), "{error}");
        }
        for code in [-32000, -32005, -32603] {
            let error = end(code, None);
            assert!(matches!(error, SubmitError::Nodes(_)), "{error}");
        }
    }
}
