//! The message's point against RFC 9380's vectors and the reference library.

use super::*;
use crate::bls::BlsError;
use crate::bls::fast::constants::Z_ABS;
use crate::bls::fast::hash::message_point;
use crate::bls::fast::record::{HintRecorder, export};
use crate::bls::fast::tape::Tape;
use crate::bls::plain::CIPHERSUITE;
use bls12_381::hash_to_curve::{ExpandMsgXmd, HashToCurve};
use bls12_381::{G2Affine, G2Projective, Scalar};
use sha2::Sha256;

/// The point that the checked code finds, times its known factor.
fn hash(message: &[u8], tag: &[u8]) -> G2Affine {
    let mut recorder = HintRecorder::new();
    recorder.message_point(message, tag).unwrap();
    let mut tape = Tape::new(&recorder.elements);
    let point = message_point(message, tag, &mut tape).unwrap();
    assert_eq!(tape.remaining(), 0);
    let point = export(&point).unwrap();
    assert!(bool::from(point.is_torsion_free()));
    let z = -Scalar::from(Z_ABS);
    (point * ((z * z).double().double() - z.double() - Scalar::one())).into()
}

/// Appendix J.10.1: messages, and x and y of the point, imaginary parts first.
#[test]
fn rfc_9380() {
    let tag = b"QUUX-V01-CS02-with-BLS12381G2_XMD:SHA-256_SSWU_RO_";
    let long = |prefix: &str, letter: &str, count: usize| [prefix, &letter.repeat(count)].concat();
    let vectors: [(alloc::string::String, [&str; 4]); 5] = [
        (
            "".into(),
            [
                "05cb8437535e20ecffaef7752baddf98034139c38452458baeefab379ba13dff5bf5dd71b72418717047f5b0f37da03d",
                "0141ebfbdca40eb85b87142e130ab689c673cf60f1a3e98d69335266f30d9b8d4ac44c1038e9dcdd5393faf5c41fb78a",
                "12424ac32561493f3fe3c260708a12b7c620e7be00099a974e259ddc7d1f6395c3c811cdd19f1e8dbf3e9ecfdcbab8d6",
                "0503921d7f6a12805e72940b963c0cf3471c7b2a524950ca195d11062ee75ec076daf2d4bc358c4b190c0c98064fdd92",
            ],
        ),
        (
            "abc".into(),
            [
                "139cddbccdc5e91b9623efd38c49f81a6f83f175e80b06fc374de9eb4b41dfe4ca3a230ed250fbe3a2acf73a41177fd8",
                "02c2d18e033b960562aae3cab37a27ce00d80ccd5ba4b7fe0e7a210245129dbec7780ccc7954725f4168aff2787776e6",
                "00aa65dae3c8d732d10ecd2c50f8a1baf3001578f71c694e03866e9f3d49ac1e1ce70dd94a733534f106d4cec0eddd16",
                "1787327b68159716a37440985269cf584bcb1e621d3a7202be6ea05c4cfe244aeb197642555a0645fb87bf7466b2ba48",
            ],
        ),
        (
            "abcdef0123456789".into(),
            [
                "190d119345b94fbd15497bcba94ecf7db2cbfd1e1fe7da034d26cbba169fb3968288b3fafb265f9ebd380512a71c3f2c",
                "121982811d2491fde9ba7ed31ef9ca474f0e1501297f68c298e9f4c0028add35aea8bb83d53c08cfc007c1e005723cd0",
                "0bb5e7572275c567462d91807de765611490205a941a5a6af3b1691bfe596c31225d3aabdf15faff860cb4ef17c7c3be",
                "05571a0f8d3c08d094576981f4a3b8eda0a8e771fcdcc8ecceaf1356a6acf17574518acb506e435b639353c2e14827c8",
            ],
        ),
        (
            long("q128_", "q", 128),
            [
                "0934aba516a52d8ae479939a91998299c76d39cc0c035cd18813bec433f587e2d7a4fef038260eef0cef4d02aae3eb91",
                "19a84dd7248a1066f737cc34502ee5555bd3c19f2ecdb3c7d9e24dc65d4e25e50d83f0f77105e955d78f4762d33c17da",
                "09bcccfa036b4847c9950780733633f13619994394c23ff0b32fa6b795844f4a0673e20282d07bc69641cee04f5e5662",
                "14f81cd421617428bc3b9fe25afbb751d934a00493524bc4e065635b0555084dd54679df1536101b2c979c0152d09192",
            ],
        ),
        (
            long("a512_", "a", 512),
            [
                "11fca2ff525572795a801eed17eb12785887c7b63fb77a42be46ce4a34131d71f7a73e95fee3f812aea3de78b4d01569",
                "01a6ba2f9a11fa5598b2d8ace0fbe0a0eacb65deceb476fbbcb64fd24557c2f4b18ecfc5663e54ae16a84f5ab7f62534",
                "03a47f8e6d1763ba0cad63d6114c0accbef65707825a511b251a660a9b3994249ae4e63fac38b23da0c398689ee2ab52",
                "0b6798718c8aed24bc19cb27f866f1c9effcdbf92397ad6448b5c9db90d2b9da6cbabf48adc1adf59a1a28344e79d57e",
            ],
        ),
    ];
    for (message, expected) in vectors {
        assert_eq!(hex::encode(hash(message.as_bytes(), tag).to_uncompressed()), expected.concat());
    }
}

#[test]
fn reference() {
    let rng = &mut rng(5);
    for _ in 0..20 {
        let mut message = [0; 32];
        rng.fill_bytes(&mut message);
        let expected =
            <G2Projective as HashToCurve<ExpandMsgXmd<Sha256>>>::hash_to_curve([message], CIPHERSUITE);
        assert_eq!(hash(&message, CIPHERSUITE), G2Affine::from(expected));
    }
}

/// The first choices a prover has: each root's sign, and which of the two abscissas.
#[test]
fn other_roots_are_refused() {
    let rng = &mut rng(6);
    for _ in 0..10 {
        let mut message = [0; 32];
        rng.fill_bytes(&mut message);
        let mut recorder = HintRecorder::new();
        recorder.message_point(&message, CIPHERSUITE).unwrap();
        // inverse 0..2, root 2..4, then the second half's.
        for at in [2, 6] {
            let mut elements = recorder.elements.clone();
            elements[at].neg();
            elements[at + 1].neg();
            let refused = message_point(&message, CIPHERSUITE, &mut Tape::new(&elements));
            assert_eq!(refused.unwrap_err(), BlsError::Hint("map root sign"));
        }
    }
}
