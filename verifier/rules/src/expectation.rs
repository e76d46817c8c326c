//! What a valid proof is about, against what its reader trusts.

use sextant_consensus::{hash::Root, public_values::Statement};

/// What the reader of a proof trusts already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expectation {
    /// [`sextant_consensus::chain::ChainConfig::digest`] of the chain.
    pub chain_digest: Option<Root>,
    /// `hash_tree_root` of the sync committee that has to have signed.
    pub committee_root: Option<Root>,
}

/// A valid proof of something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpectationError {
    /// Another chain.
    #[error("chain digest is 0x{}, expected 0x{}: a proof for another network", hex::encode(.got), hex::encode(.expected))]
    Chain {
        /// Expected.
        expected: Root,
        /// In the proof.
        got: Root,
    },
    /// A bundle, whose statements name a committee each.
    #[error("a bundle names no committee: compare those of the statements in it")]
    NoCommittee,
    /// Another committee.
    #[error("signer committee root is 0x{}, expected 0x{}: signed by another committee", hex::encode(.got), hex::encode(.expected))]
    Committee {
        /// Expected.
        expected: Root,
        /// In the proof.
        got: Root,
    },
}

impl Expectation {
    /// Compares a verified statement with what is expected.
    ///
    /// # Errors
    /// [`ExpectationError`] with both values.
    pub fn check(&self, statement: &Statement) -> Result<(), ExpectationError> {
        let got = statement.chain_digest();
        match self.chain_digest {
            Some(expected) if expected != got => return Err(ExpectationError::Chain { expected, got }),
            _ => {}
        }
        let Some(expected) = self.committee_root else { return Ok(()) };
        let got = statement.head().ok_or(ExpectationError::NoCommittee)?.signer_committee_root;
        if got == expected { Ok(()) } else { Err(ExpectationError::Committee { expected, got }) }
    }
}

#[cfg(test)]
mod tests {
    use sextant_consensus::{Program, bls::Plain, check_statement, codec, networks::MAINNET};

    use super::*;

    #[test]
    fn what_is_expected_is_compared() {
        let input = codec::encode(&sextant_fixtures::committee_change(1));
        let statement = check_statement(Program::CommitteeChange, &input, &mut Plain).unwrap();
        let committee = statement.head().unwrap().signer_committee_root;
        let right = Expectation { chain_digest: Some(MAINNET.digest()), committee_root: Some(committee) };
        assert_eq!(right.check(&statement), Ok(()));
        assert_eq!(Expectation::default().check(&statement), Ok(()));

        let mut other_chain = MAINNET;
        other_chain.forks.0[4].epoch += 1;
        let expected = other_chain.digest();
        assert_eq!(
            Expectation { chain_digest: Some(expected), ..right }.check(&statement),
            Err(ExpectationError::Chain { expected, got: MAINNET.digest() })
        );
        assert_eq!(
            Expectation { committee_root: Some([1; 32]), ..right }.check(&statement),
            Err(ExpectationError::Committee { expected: [1; 32], got: committee })
        );
    }
}
