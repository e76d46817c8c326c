//! Cryptography of the EVM and of transactions, handed to revm and alloy by [`install`].
//!
//! On a host it is what revm and alloy bring. In the zkVM it runs on the machine's precompiles: SHA-256, recovery of
//! secp256k1 keys, P-256, the precompiles of bn254, KZG, sums, multiples and pairings of BLS12-381, and modular
//! exponentiation up to 256 bits; Keccak-256 comes there through `keccak256_raw` of the module `keccak`. The rest
//! (RIPEMD-160, BLAKE2, maps to points of BLS12-381, longer moduli) is revm's own code on both sides.
//!
//! The algorithms on precompiles are compiled for tests of a host too, over ordinary code that stands in for the
//! precompiles and is compared with revm and k256.

#[cfg(any(test, target_os = "zkvm"))]
mod bls12_381;
#[cfg(any(test, target_os = "zkvm"))]
mod bn254;
#[cfg(any(test, target_os = "zkvm"))]
mod ecdsa;
#[cfg(any(test, target_os = "zkvm"))]
pub mod keccak;
#[cfg(any(test, target_os = "zkvm"))]
mod kzg;
#[cfg(any(test, target_os = "zkvm"))]
mod machine;
#[cfg(any(test, target_os = "zkvm"))]
mod modexp;
#[cfg(any(test, target_os = "zkvm"))]
mod point;
#[cfg(any(test, target_os = "zkvm"))]
mod residue;
#[cfg(any(test, target_os = "zkvm"))]
mod secp256k1;
#[cfg(any(test, target_os = "zkvm"))]
mod secp256r1;
#[cfg(not(target_os = "zkvm"))]
mod software;
#[cfg(test)]
mod tests;

use alloc::sync::Arc;

use alloy_consensus::crypto::RecoveryError;
use alloy_consensus::crypto::backend::{CryptoProvider, install_default_provider};
use alloy_primitives::{Address, keccak256};
#[cfg(target_os = "zkvm")]
use revm::precompile::bls12_381::{G1Point, G1PointScalar, G2Point, G2PointScalar};
use revm::precompile::{Crypto, PrecompileHalt};
use sha2::{Digest, Sha256};

#[cfg(target_os = "zkvm")]
use secp256k1 as signatures;
#[cfg(not(target_os = "zkvm"))]
use software as signatures;

/// What [`install`] installs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Provider;

/// Makes revm and alloy use [`Provider`]. The first provider of a process stays; to install this one again changes
/// nothing.
pub fn install() {
    revm::precompile::install_crypto(Provider);
    let _ = install_default_provider(Arc::new(Provider));
}

/// The public key of a secp256k1 signature `r || s` of a digest, uncompressed and without its tag.
///
/// `recovery` is 0 to 3: bit 0 says whether the y of the signature's point is odd, bit 1 whether its x is `r` plus the
/// group's order. None if there is no such key: `r` or `s` zero or not below the order, no such point, or the key would
/// be infinity. A high `s` is allowed, as the EVM's precompile allows it; transactions are to refuse it (EIP-2).
///
/// `hint` is what the key is said to be. SOUNDNESS: it is not believed. In the zkVM a right one saves work, and it is
/// right only if the signature verifies under it with the point that it names; otherwise the key is computed.
#[must_use]
pub fn recover(
    signature: &[u8; 64],
    recovery: u8,
    digest: &[u8; 32],
    hint: Option<&[u8; 64]>,
) -> Option<[u8; 64]> {
    signatures::recover(signature, recovery, digest, hint)
}

/// The address of a public key: the last 20 bytes of its Keccak-256.
#[must_use]
pub fn address_of(key: &[u8; 64]) -> Address {
    Address::from_slice(&keccak256(key)[12..])
}

impl Crypto for Provider {
    fn sha256(&self, input: &[u8]) -> [u8; 32] {
        Sha256::digest(input).into()
    }

    fn secp256k1_ecrecover(
        &self,
        signature: &[u8; 64],
        recovery: u8,
        digest: &[u8; 32],
    ) -> Result<[u8; 32], PrecompileHalt> {
        let key = recover(signature, recovery, digest, None).ok_or(PrecompileHalt::Secp256k1RecoverFailed)?;
        Ok(address_of(&key).into_word().0)
    }

    #[cfg(target_os = "zkvm")]
    fn secp256r1_verify_signature(&self, digest: &[u8; 32], signature: &[u8; 64], key: &[u8; 64]) -> bool {
        secp256r1::verify(signature, digest, key)
    }

    #[cfg(target_os = "zkvm")]
    fn bn254_g1_add(&self, p: &[u8], q: &[u8]) -> Result<[u8; 64], PrecompileHalt> {
        bn254::add(p, q)
    }

    #[cfg(target_os = "zkvm")]
    fn bn254_g1_mul(&self, point: &[u8], scalar: &[u8]) -> Result<[u8; 64], PrecompileHalt> {
        bn254::multiply(point, scalar)
    }

    #[cfg(target_os = "zkvm")]
    fn bn254_pairing_check(&self, pairs: &[(&[u8], &[u8])]) -> Result<bool, PrecompileHalt> {
        bn254::pairing_check(pairs)
    }

    #[cfg(target_os = "zkvm")]
    fn verify_kzg_proof(
        &self,
        z: &[u8; 32],
        y: &[u8; 32],
        commitment: &[u8; 48],
        proof: &[u8; 48],
    ) -> Result<(), PrecompileHalt> {
        if kzg::verify(z, y, commitment, proof) {
            Ok(())
        } else {
            Err(PrecompileHalt::BlobVerifyKzgProofFailed)
        }
    }

    #[cfg(target_os = "zkvm")]
    fn bls12_381_g1_add(&self, p: G1Point, q: G1Point) -> Result<[u8; 96], PrecompileHalt> {
        bls12_381::add_first(&p, &q)
    }

    #[cfg(target_os = "zkvm")]
    fn bls12_381_g2_add(&self, p: G2Point, q: G2Point) -> Result<[u8; 192], PrecompileHalt> {
        bls12_381::add_second(&p, &q)
    }

    #[cfg(target_os = "zkvm")]
    fn bls12_381_g1_msm(
        &self,
        pairs: &mut dyn Iterator<Item = Result<G1PointScalar, PrecompileHalt>>,
    ) -> Result<[u8; 96], PrecompileHalt> {
        bls12_381::combine_first(pairs)
    }

    #[cfg(target_os = "zkvm")]
    fn bls12_381_g2_msm(
        &self,
        pairs: &mut dyn Iterator<Item = Result<G2PointScalar, PrecompileHalt>>,
    ) -> Result<[u8; 192], PrecompileHalt> {
        bls12_381::combine_second(pairs)
    }

    #[cfg(target_os = "zkvm")]
    fn bls12_381_pairing_check(&self, pairs: &[(G1Point, G2Point)]) -> Result<bool, PrecompileHalt> {
        bls12_381::pairing_check(pairs)
    }

    #[cfg(target_os = "zkvm")]
    fn modexp(
        &self,
        base: &[u8],
        exponent: &[u8],
        modulus: &[u8],
    ) -> Result<alloc::vec::Vec<u8>, PrecompileHalt> {
        match modexp::power(base, exponent, modulus) {
            Some(power) => Ok(power),
            None => revm::precompile::DefaultCrypto.modexp(base, exponent, modulus),
        }
    }
}

impl CryptoProvider for Provider {
    fn recover_signer_unchecked(
        &self,
        signature: &[u8; 65],
        digest: &[u8; 32],
    ) -> Result<Address, RecoveryError> {
        let [signature @ .., recovery] = signature;
        recover(signature, *recovery, digest, None).map(|key| address_of(&key)).ok_or_else(RecoveryError::new)
    }

    fn verify_and_compute_signer_unchecked(
        &self,
        key: &[u8; 65],
        signature: &[u8; 64],
        digest: &[u8; 32],
    ) -> Result<Address, RecoveryError> {
        let [4, key @ ..] = key else { return Err(RecoveryError::new()) };
        signatures::verify(signature, digest, key).map(|()| address_of(key)).ok_or_else(RecoveryError::new)
    }
}
