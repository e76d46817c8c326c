//! Recovery and verification: the path over precompiles against k256, and P-256 against revm.

use alloy_primitives::U256;
use k256::ecdsa::SigningKey;
use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::sec1::ToEncodedPoint;
use k256::{ProjectivePoint, Scalar};
use revm::precompile::{Crypto, DefaultCrypto};

use super::super::ecdsa::SigningCurve;
use super::super::machine::{Curve, Secp256k1, Secp256r1};
use super::super::point::Point;
use super::super::residue::{Residue, from_bytes, negate, subtract, to_bytes};
use super::super::{Provider, secp256k1, secp256r1, software};
use super::{Random, join};

const ORDER: U256 = U256::from_limbs(Secp256k1::ORDER);

/// Both paths, with and without hints, agree; the key.
fn recover(signature: &[u8; 64], recovery: u8, digest: &[u8; 32]) -> Option<[u8; 64]> {
    let expected = software::recover(signature, recovery, digest, None);
    let generator: [u8; 64] = ProjectivePoint::GENERATOR.to_affine().to_encoded_point(false).as_bytes()[1..]
        .try_into()
        .expect("two coordinates");
    for hint in [None, expected.as_ref(), Some(&generator), Some(&[0; 64]), Some(&[255; 64])] {
        assert_eq!(secp256k1::recover(signature, recovery, digest, hint), expected, "hint {hint:x?}");
    }
    expected
}

#[test]
fn recovered_keys_are_the_signers() {
    let mut random = Random::new();
    for _ in 0..6 {
        let key = SigningKey::from_slice(&random.bytes::<32>()).expect("a scalar");
        let digest = random.bytes();
        let (signature, recovery) = key.sign_prehash_recoverable(&digest).expect("signs");
        let signature: [u8; 64] = signature.to_bytes().into();
        let signer = key.verifying_key().to_encoded_point(false);
        let recovered = recover(&signature, recovery.to_byte(), &digest);
        assert_eq!(recovered.as_ref().map(<[u8; 64]>::as_slice), Some(&signer.as_bytes()[1..]));
        let recovered = recovered.expect("just seen");
        assert_ne!(recover(&signature, recovery.to_byte() ^ 1, &digest), Some(recovered));
        assert_ne!(recover(&signature, recovery.to_byte(), &[7; 32]), Some(recovered));
        // The key of another signature is a wrong hint, and no more than that.
        let other = SigningKey::from_slice(&[9; 32]).expect("a scalar");
        let hint =
            other.verifying_key().to_encoded_point(false).as_bytes()[1..].try_into().expect("64 bytes");
        assert_eq!(secp256k1::recover(&signature, recovery.to_byte(), &digest, Some(&hint)), Some(recovered));
    }
}

#[test]
fn high_s_is_recovered_from() {
    let key = SigningKey::from_slice(&[5; 32]).expect("a scalar");
    let (signature, recovery) = key.sign_prehash_recoverable(&[1; 32]).expect("signs");
    let signature: [u8; 64] = signature.to_bytes().into();
    let low = recover(&signature, recovery.to_byte(), &[1; 32]);
    let (r, s) = signature.split_at(32);
    let high = (ORDER - U256::from_be_slice(s)).to_be_bytes();
    let signature = join(r.try_into().expect("32 bytes"), &high);
    assert_eq!(recover(&signature, recovery.to_byte() ^ 1, &[1; 32]), low);
    let key = low.expect("a signature");
    assert_eq!(secp256k1::verify(&signature, &[1; 32], &key), Some(()));
    assert_eq!(software::verify(&signature, &[1; 32], &key), Some(()));
}

#[test]
fn an_x_above_the_order_is_recovered_from() {
    let mut found = [0; 4];
    for r in 1..30u64 {
        let signature = join(&U256::from(r).to_be_bytes(), &[3; 32]);
        for recovery in 0..4 {
            found[usize::from(recovery)] += usize::from(recover(&signature, recovery, &[8; 32]).is_some());
        }
    }
    assert!(found.iter().all(|count| *count > 5), "{found:?}");
    for recovery in 4..=255 {
        let signature = join(&[1; 32], &[3; 32]);
        assert_eq!(secp256k1::recover(&signature, recovery, &[8; 32], None), None);
        assert_eq!(software::recover(&signature, recovery, &[8; 32], None), None);
    }
}

#[test]
fn scalars_at_their_borders_are_treated_as_k256_does() {
    let gap = U256::from_limbs(Secp256k1::MODULUS) - ORDER;
    let one = U256::from(1);
    let borders = [
        U256::ZERO,
        one,
        ORDER - one,
        ORDER,
        ORDER + one,
        ORDER / U256::from(2),
        gap - one,
        gap,
        gap + one,
        U256::MAX,
    ];
    for r in borders {
        for s in [U256::ZERO, one, ORDER - one, ORDER, U256::MAX] {
            for recovery in 0..4 {
                let signature = join(&r.to_be_bytes(), &s.to_be_bytes());
                let key = recover(&signature, recovery, &[1; 32]);
                assert!(key.is_none() || (!r.is_zero() && r < ORDER && !s.is_zero() && s < ORDER));
            }
        }
    }
}

#[test]
fn digests_at_their_borders_are_treated_as_k256_does() {
    let signature = join(&[1; 32], &[3; 32]);
    for digest in [U256::ZERO, ORDER - U256::from(1), ORDER, ORDER + U256::from(1), U256::MAX] {
        for recovery in 0..2 {
            recover(&signature, recovery, &digest.to_be_bytes());
        }
    }
}

#[test]
fn a_key_at_infinity_is_no_key() {
    // s R = z G: with R = k G, s = z / k.
    let (k, z) = (Scalar::from(12345u64), Scalar::from(678u64));
    let point = (ProjectivePoint::GENERATOR * k).to_affine().to_encoded_point(false);
    let r: [u8; 32] = point.as_bytes()[1..33].try_into().expect("x");
    let s: [u8; 32] = (z * k.invert().expect("not zero")).to_repr().into();
    let recovery = point.as_bytes()[64] & 1;
    assert_eq!(recover(&join(&r, &s), recovery, &z.to_repr().into()), None);
}

#[test]
fn small_keys_meet_every_exception_and_are_recovered() {
    for secret in 1..6u64 {
        for secret in [U256::from(secret), ORDER - U256::from(secret)] {
            let key = SigningKey::from_slice(&secret.to_be_bytes::<32>()).expect("a scalar");
            let (signature, recovery) = key.sign_prehash_recoverable(&[0; 32]).expect("signs");
            let recovered = recover(&signature.to_bytes().into(), recovery.to_byte(), &[0; 32]);
            assert!(recovered.is_some());
        }
    }
}

#[test]
fn verification_is_k256s() {
    let key = SigningKey::from_slice(&[5; 32]).expect("a scalar");
    let (signature, _) = key.sign_prehash_recoverable(&[1; 32]).expect("signs");
    let signature: [u8; 64] = signature.to_bytes().into();
    let key: [u8; 64] =
        key.verifying_key().to_encoded_point(false).as_bytes()[1..].try_into().expect("64 bytes");
    let check = |signature: &[u8; 64], digest: &[u8; 32], key: &[u8; 64]| {
        let verdict = secp256k1::verify(signature, digest, key);
        assert_eq!(verdict, software::verify(signature, digest, key));
        verdict.is_some()
    };
    assert!(check(&signature, &[1; 32], &key));
    assert!(!check(&signature, &[2; 32], &key));
    for at in [0, 31, 32, 63] {
        let (mut other_signature, mut other_key) = (signature, key);
        other_signature[at] ^= 1;
        other_key[at] ^= 1;
        assert!(!check(&other_signature, &[1; 32], &key));
        assert!(!check(&signature, &[1; 32], &other_key));
    }
    assert!(!check(&signature, &[1; 32], &[0; 64]));
    assert!(!check(&[0; 64], &[1; 32], &key));
}

#[test]
fn the_provider_agrees_with_revm() {
    let key = SigningKey::from_slice(&[5; 32]).expect("a scalar");
    let (signature, recovery) = key.sign_prehash_recoverable(&[1; 32]).expect("signs");
    let signature = signature.to_bytes().into();
    let ours = Provider.secp256k1_ecrecover(&signature, recovery.to_byte(), &[1; 32]);
    assert_eq!(ours, DefaultCrypto.secp256k1_ecrecover(&signature, recovery.to_byte(), &[1; 32]));
    assert!(ours.is_ok());
    assert_eq!(Provider.sha256(b"abc"), DefaultCrypto.sha256(b"abc"));
}

/// A P-256 signature by a key, both made with nonce and secret.
fn sign_p256(secret: u64, nonce: u64, digest: &[u8; 32]) -> ([u8; 64], [u8; 64]) {
    let generator = Point::<Secp256r1>::new(Secp256r1::GENERATOR[0]);
    let coordinates = |k: u64| *generator.multiply(&[k, 7, 8, 9]).coordinates().expect("not infinity");
    let half = |c: &[u64]| to_bytes(&[c[0], c[1], c[2], c[3]]);
    let (key, point) = (coordinates(secret), coordinates(nonce));
    let scalar = |limbs| Residue::new(limbs, &Secp256r1::ORDER);
    let mut r = scalar(from_bytes(&half(&point[..4])));
    r.reduce();
    // s = (z + r d) / k
    let mut product = r;
    product.multiply(&scalar([secret, 7, 8, 9]));
    let mut z = scalar(from_bytes(digest));
    z.reduce();
    let sum = U256::from_limbs(*product.limbs())
        .add_mod(U256::from_limbs(*z.limbs()), U256::from_limbs(Secp256r1::ORDER));
    let mut s = scalar(sum.into_limbs());
    s.multiply(&scalar([nonce, 7, 8, 9]).inverse());
    (join(&to_bytes(r.limbs()), &to_bytes(s.limbs())), join(&half(&key[..4]), &half(&key[4..])))
}

#[test]
fn p256_verification_is_revms() {
    let check = |digest: &[u8; 32], signature: &[u8; 64], key: &[u8; 64]| {
        let verdict = secp256r1::verify(signature, digest, key);
        assert_eq!(verdict, DefaultCrypto.secp256r1_verify_signature(digest, signature, key));
        verdict
    };
    let mut random = Random::new();
    for _ in 0..4 {
        let digest = random.bytes();
        let (signature, key) = sign_p256(random.word(), random.word(), &digest);
        assert!(check(&digest, &signature, &key));
        assert!(!check(&[1; 32], &signature, &key));
        for at in [0, 31, 32, 63] {
            let (mut other_signature, mut other_key) = (signature, key);
            other_signature[at] ^= 1;
            other_key[at] ^= 1;
            assert!(!check(&digest, &other_signature, &key));
            assert!(!check(&digest, &signature, &other_key));
        }
        // The other root of the same signature is one too.
        let (r, s) = signature.split_at(32);
        let negated = negate(&from_bytes(s.try_into().expect("32 bytes")), &Secp256r1::ORDER);
        assert!(check(&digest, &join(r.try_into().expect("32 bytes"), &to_bytes(&negated)), &key));
        for (r, s) in
            [([0; 4], [1; 4]), ([1; 4], [0; 4]), (Secp256r1::ORDER, [1; 4]), ([1; 4], Secp256r1::ORDER)]
        {
            assert!(!check(&digest, &join(&to_bytes(&r), &to_bytes(&s)), &key));
        }
        for key in [[0; 64], [255; 64], join(&to_bytes(&Secp256r1::MODULUS), &[0; 32])] {
            assert!(!check(&digest, &signature, &key));
        }
    }
    let small = subtract(&Secp256r1::ORDER, &[1, 0, 0, 0]);
    check(&[0; 32], &join(&to_bytes(&small), &to_bytes(&small)), &[1; 64]);
}
