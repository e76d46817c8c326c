//! Steps on both curves: one slope passes for each, and none where there is no chord; keys that the sum must not take.

use super::prover::{chord, ours, tangent};
use super::witness::Statement;
use super::*;
use crate::bls::BlsError;
use crate::bls::fast::g1::{self, signers_key};
use crate::bls::fast::g2::{self, G2, Walk};
use crate::bls::fast::identity::QUOTIENT;
use crate::bls::fast::pairing::INNER_CLAIMS;
use crate::bls::fast::record::import;
use crate::bls::fast::tape::Tape;
use bls12_381::{G1Affine, G1Projective, G2Affine, G2Projective, Scalar};

fn twist_point(rng: &mut StdRng) -> G2 {
    import(&G2Affine::from(G2Projective::generator() * Scalar::from(rng.next_u64()))).unwrap()
}

/// The walk with its coordinates negated or not.
fn walks(point: &G2, rng: &mut StdRng) -> [Walk; 2] {
    let mut doubled = Walk::new(&twist_point(rng));
    let slope = tangent(&doubled);
    assert!(doubled.double(&slope) && doubled.negated());
    [Walk::new(point), doubled]
}

#[test]
fn other_slopes_on_the_twist() {
    let rng = &mut rng(50);
    let (point, other) = (twist_point(rng), twist_point(rng));
    for walk in walks(&point, rng) {
        for error in [Fp2::ZERO, Fp2::ONE, random2(rng)] {
            let (mut tangent, mut chord) = (tangent(&walk), chord(&walk, &other));
            tangent.add(&error);
            chord.add(&error);
            assert_eq!(walk.clone().double(&tangent), error.is_zero());
            assert_eq!(walk.clone().add(&other, &chord), error.is_zero());
        }
    }
}

/// Equal and opposite points have no chord, whatever the slope.
#[test]
fn points_of_one_abscissa_on_the_twist() {
    let rng = &mut rng(51);
    let point = twist_point(rng);
    for walk in walks(&point, rng) {
        let same = walk.into_point();
        let mut opposite = same;
        opposite.y.neg();
        for slope in [tangent(&walk), Fp2::ZERO, Fp2::ONE, random2(rng)] {
            assert!(!walk.clone().add(&same, &slope));
            assert!(!walk.clone().add(&opposite, &slope));
        }
    }
}

/// With another slope the sum of the keys would be a point of the prover's choice.
#[test]
fn other_slopes_of_keys() {
    let point = |n: u64| G1Affine::from(G1Projective::generator() * Scalar::from(n));
    let minus = |n: u64| -point(n);
    // A chord to the negated second key, and a tangent, where that is the first.
    for (first, second, what) in [(point(7), point(3), "key chord"), (point(7), minus(7), "key tangent")] {
        let coordinates = |point: G1Affine| {
            let bytes = point.to_uncompressed();
            let part = |at: usize| fp::Fp::from_bytes(bytes[at..at + 48].try_into().unwrap()).unwrap();
            (part(0), part(48))
        };
        let ((x1, y1), (x2, y2)) = (coordinates(first), coordinates(-second));
        let slope = if x1 == x2 {
            x1.square() * (fp::Fp::one() + fp::Fp::one() + fp::Fp::one()) * (y1 + y1).invert().unwrap()
        } else {
            (y1 - y2) * (x1 - x2).invert().unwrap()
        };
        let keys = (first.to_compressed(), [second.to_compressed()]);
        let mut tape = [ours(&y1), ours(&y2), ours(&slope)];
        assert!(signers_key(&keys.0, &keys.1, &mut Tape::new(&tape)).is_ok());
        for error in samples(&mut rng(52), 9).iter().filter(|error| !error.is_zero()) {
            tape[2] = ours(&slope);
            tape[2].add(error);
            let refused = signers_key(&keys.0, &keys.1, &mut Tape::new(&tape));
            assert_eq!(refused, Err(BlsError::Hint(what)));
        }
    }
}

/// What has no root on the curve has none, and other roots are not on it.
#[test]
fn points_off_the_curves() {
    let rng = &mut rng(53);
    for _ in 0..20 {
        let mut bytes = [0; 96];
        let root = random2(rng);
        rng.fill_bytes(&mut bytes);
        bytes[0] = bytes[0] & 0x0f | 0x80;
        bytes[48] &= 0x0f;
        bytes[0] |= u8::from(root.c0.is_lexicographically_largest()) << 5;
        let key: [u8; 48] = *bytes.first_chunk().unwrap();
        assert!(g1::parse(&key).is_some() && g2::parse(&bytes).is_some());
        let refused = signers_key(&key, &[], &mut Tape::new(&[root.c0]));
        assert_eq!(refused, Err(BlsError::Hint("key root")));
        bytes[0] = bytes[0] & 0xdf | u8::from(root.is_lexicographically_largest()) << 5;
        let refused = G2::decompress(&bytes, &mut Tape::new(&[root.c0, root.c1]));
        assert_eq!(refused, Err(BlsError::Hint("signature root")));
    }
}

/// The points of order 3, `(0, 2)` and `(0, -2)`: scaled for them, lines would have no odd part and points would
/// all be zero.
#[test]
fn a_key_without_abscissa() {
    let mut statement = Statement::new(&mut rng(54));
    let (hints, _) = statement.hints();
    // Twelve elements to the isogeny, the cofactor point, slopes of 63 doublings, 5 additions and the last two.
    let message_part = 12 + 4 + 2 * (63 + 5 + 2);
    for larger in [false, true] {
        statement.key = [0; 48];
        statement.key[0] = 0x80 | u8::from(larger) << 5;
        let mut hints = hints[..3 + message_part].to_vec();
        hints[0] = Fp([2, 0, 0, 0, 0, 0]);
        if larger {
            hints[0].neg();
        }
        let choices = 6 + 6 * INNER_CLAIMS + 6 + QUOTIENT;
        hints.resize(hints.len() + choices + 1 + 4 * 68, Fp::ZERO);
        assert_eq!(statement.check(&hints), Err(BlsError::Hint("key ratio")));
    }
}
