//! The KZG point evaluation against revm's.

use ::bls12_381::{G1Affine, G1Projective, Scalar};
use revm::precompile::{Crypto, DefaultCrypto};

use super::super::kzg::verify;

fn check(z: &[u8; 32], y: &[u8; 32], commitment: &[u8; 48], proof: &[u8; 48]) -> bool {
    let verdict = verify(z, y, commitment, proof);
    assert_eq!(verdict, DefaultCrypto.verify_kzg_proof(z, y, commitment, proof).is_ok());
    verdict
}

fn bytes(scalar: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[24..].copy_from_slice(&scalar.to_be_bytes());
    bytes
}

fn multiple(k: u64) -> [u8; 48] {
    G1Affine::from(G1Projective::generator() * Scalar::from(k)).to_compressed()
}

/// The infinite point, compressed.
const INFINITY: [u8; 48] = {
    let mut bytes = [0; 48];
    bytes[0] = 0xc0;
    bytes
};

#[test]
fn constant_polynomials_are_what_they_are_everywhere() {
    for z in [0, 1, 77] {
        assert!(check(&bytes(z), &bytes(5), &multiple(5), &INFINITY));
        assert!(!check(&bytes(z), &bytes(6), &multiple(5), &INFINITY));
        assert!(!check(&bytes(z), &bytes(5), &multiple(6), &INFINITY));
        assert!(!check(&bytes(z), &bytes(5), &multiple(5), &multiple(1)));
    }
    assert!(check(&bytes(9), &bytes(0), &INFINITY, &INFINITY));
}

#[test]
fn a_real_proof_holds_and_a_changed_one_does_not() {
    // ethereum/tests, point evaluation precompile.
    let hex = |text: &str| hex::decode(text).expect("hex");
    let commitment: [u8; 48] = hex(
        "8f59a8d2a1a625a17f3fea0fe5eb8c896db3764f3185481bc22f91b4aaffcca25f26936857bc3a7c2539ea8ec3a952b7",
    )
    .try_into()
    .expect("48 bytes");
    let proof: [u8; 48] = hex(
        "a62ad71d14c5719385c0686f1871430475bf3a00f0aa3f7b8dd99a9abc2160744faf0070725e00b60ad9a026a15b1a8c",
    )
    .try_into()
    .expect("48 bytes");
    let z: [u8; 32] =
        hex("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000").try_into().expect("32 bytes");
    let y: [u8; 32] =
        hex("1522a4a7f34e1ea350ae07c29c96c7e79655aa926122e95fe69fcbd932ca49e9").try_into().expect("32 bytes");
    assert!(check(&z, &y, &commitment, &proof));
    for at in [0, 20, 31] {
        let (mut other_z, mut other_y) = (z, y);
        other_z[at] ^= 1;
        other_y[at] ^= 1;
        assert!(!check(&other_z, &y, &commitment, &proof));
        assert!(!check(&z, &other_y, &commitment, &proof));
    }
    assert!(!check(&z, &y, &proof, &commitment));
}

#[test]
fn inputs_without_a_valid_form_are_refused() {
    // The order of the scalars, which is no scalar.
    let order: [u8; 32] = hex::decode("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001")
        .expect("hex")
        .try_into()
        .expect("32 bytes");
    assert!(!check(&order, &bytes(5), &multiple(5), &INFINITY));
    assert!(!check(&bytes(1), &order, &multiple(5), &INFINITY));
    for first in [0, 0x80, 0x9f, 0xe0, 0xff] {
        let mut other = multiple(5);
        other[0] = first;
        check(&bytes(1), &bytes(5), &other, &INFINITY);
        check(&bytes(1), &bytes(5), &multiple(5), &other);
    }
    let mut sparse = INFINITY;
    sparse[47] = 1;
    assert!(!check(&bytes(1), &bytes(5), &multiple(5), &sparse));
    // On the curve, of another order.
    let mut found = 0;
    for x in 1..40u8 {
        let mut outside = [0; 48];
        (outside[0], outside[47]) = (0x80, x);
        found += usize::from(bool::from(G1Affine::from_compressed_unchecked(&outside).is_some()));
        assert!(!check(&bytes(1), &bytes(5), &outside, &INFINITY));
    }
    assert!(found > 5);
}
