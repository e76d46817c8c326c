//! The one step both statements are made of: a trusted committee signed a header whose state names a finalized one.
//!
//! Rules: `validate_light_client_update` (altair/light-client/sync-protocol.md and its later forks), made stricter
//! where a proof must mean more than a best effort: two thirds must have signed, finality is required, and the
//! generalized indices follow from the header's own slot.

use alloc::vec::Vec;

use crate::beacon::{BeaconBlockHeader, CommitteeOpening};
use crate::bls::{AggregateVerifier, BlsError};
use crate::chain::{ChainConfig, ChainError, Fork};
use crate::codec::{Blob, record};
use crate::hash::{Root, hash_pair};
use crate::merkle::{MerkleError, verify_branch};
use crate::step;

record! {
    /// A signed header, the finalized header in its state, and the signature's evidence.
    ///
    /// SOUNDNESS: nothing in it is believed before [`Self::verify`].
    pub struct SignedFinality {
        /// The header that the committee signed.
        pub attested: BeaconBlockHeader,
        /// The header that the attested state holds finalized.
        pub finalized: BeaconBlockHeader,
        /// From `finalized_checkpoint.root` to the attested state root.
        pub finality_branch: Vec<Root>,
        /// Slot of the block that carries the signature.
        pub signature_slot: u64,
        /// `SyncAggregate.sync_committee_bits` as SSZ has them: one bit a seat, lowest bit first.
        pub bits: Blob,
        /// `SyncAggregate.sync_committee_signature`.
        pub signature: [u8; 96],
        /// The signers' committee: its aggregate key, and the keys of the seats that did not sign.
        pub committee: CommitteeOpening,
    }
}

/// What a verified [`SignedFinality`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finalized {
    /// Seats that signed.
    pub participation: u64,
    /// Period of the committee that signed.
    pub signer_period: u64,
    /// Fork of the attested header.
    pub attested_fork: Fork,
    /// Fork of the finalized header.
    pub finalized_fork: Fork,
    /// Root of the finalized header.
    pub finalized_root: Root,
}

/// Why a signed header is refused. Each is one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FinalityError {
    /// Slots must be ordered: signature after attested, attested not before finalized.
    #[error(
        "slots out of order: signature {signature} > attested {attested} >= finalized {finalized} must hold"
    )]
    SlotOrder {
        /// `signature_slot`.
        signature: u64,
        /// Slot of the attested header.
        attested: u64,
        /// Slot of the finalized header.
        finalized: u64,
    },
    /// The signature's slot, which nobody signs, claims a committee that cannot have signed that header.
    #[error(
        "signed in period {signer}, the attested header's period is {attested}: at most the next one's can sign it"
    )]
    SignerPeriod {
        /// Period of the signature.
        signer: u64,
        /// Period of the attested header.
        attested: u64,
    },
    /// The genesis block stands in for "nothing finalized yet".
    #[error("no finality: the finalized header is empty or that of genesis")]
    NoFinality,
    /// The bit list is not one bit a seat.
    #[error("sync committee bits: {got} bytes where the committee has {expected}")]
    Bits {
        /// Bytes given.
        got: usize,
        /// Bytes of one bit a seat.
        expected: usize,
    },
    /// Fewer than two thirds signed.
    #[error("participation {signed} of {size} is below two thirds")]
    Participation {
        /// Seats that signed.
        signed: u64,
        /// Seats there are.
        size: u64,
    },
    /// The opened keys are not those of the trusted committee.
    #[error("committee keys: {0}")]
    Committee(MerkleError),
    /// The finalized header is not in the attested state.
    #[error("finality branch: {0}")]
    FinalityBranch(MerkleError),
    /// The signature does not hold.
    #[error("signature: {0}")]
    Signature(#[from] BlsError),
    /// The slots are none that this chain configuration speaks about.
    #[error("chain: {0}")]
    Chain(#[from] ChainError),
}

impl SignedFinality {
    /// Checks everything against the committee with `committee_root`; the caller knows which period that is and
    /// compares it with [`Finalized::signer_period`].
    ///
    /// # Errors
    /// [`FinalityError`], the cheap rules first, the signature last.
    pub fn verify(
        &self,
        chain: &ChainConfig,
        committee_root: &Root,
        bls: &mut impl AggregateVerifier,
    ) -> Result<Finalized, FinalityError> {
        self.check_slots()?;
        let signer_period = chain.period(self.signature_slot);
        let attested_period = chain.period(self.attested.slot);
        if signer_period > attested_period.saturating_add(1) {
            return Err(FinalityError::SignerPeriod { signer: signer_period, attested: attested_period });
        }
        let attested_fork = chain.fork_at(self.attested.slot)?;
        let finalized_fork = chain.fork_at(self.finalized.slot)?;

        let finalized_root = self.finalized.root();
        let gindex = attested_fork.finalized_root_gindex();
        step!(
            Branches,
            verify_branch(&finalized_root, &self.finality_branch, gindex, &self.attested.state_root)
        )
        .map_err(FinalityError::FinalityBranch)?;

        let absent = self.absent_seats(chain)?;
        step!(Committee, self.committee.verify(chain.committee_size, &absent, committee_root))
            .map_err(FinalityError::Committee)?;

        let signing_root = hash_pair(&self.attested.root(), &chain.signing_domain(self.signature_slot));
        step!(
            Signature,
            bls.verify(&self.committee.aggregate, &self.committee.keys, &signing_root, &self.signature)
        )?;

        Ok(Finalized {
            participation: chain.committee_size - absent.len() as u64,
            signer_period,
            attested_fork,
            finalized_fork,
            finalized_root,
        })
    }

    fn check_slots(&self) -> Result<(), FinalityError> {
        let (signature, attested, finalized) = (self.signature_slot, self.attested.slot, self.finalized.slot);
        if !(signature > attested && attested >= finalized) {
            return Err(FinalityError::SlotOrder { signature, attested, finalized });
        }
        // Before the first finality the checkpoint's root is zero and names no header (spec: GENESIS_SLOT case).
        if finalized == 0 { Err(FinalityError::NoFinality) } else { Ok(()) }
    }

    /// The seats that did not sign, ascending; refuses fewer than two thirds of signers.
    fn absent_seats(&self, chain: &ChainConfig) -> Result<Vec<u64>, FinalityError> {
        let expected = chain.size() / 8;
        if self.bits.len() != expected {
            return Err(FinalityError::Bits { got: self.bits.len(), expected });
        }
        let size = chain.committee_size;
        let signed: u64 = self.bits.iter().map(|byte| u64::from(byte.count_ones())).sum();
        if signed * 3 < size * 2 {
            return Err(FinalityError::Participation { signed, size });
        }
        let mut absent = Vec::with_capacity((size - signed) as usize);
        for (byte, base) in self.bits.iter().zip((0..).step_by(8)) {
            let mut missing = !byte;
            while missing != 0 {
                absent.push(base + u64::from(missing.trailing_zeros()));
                missing &= missing - 1;
            }
        }
        Ok(absent)
    }
}
