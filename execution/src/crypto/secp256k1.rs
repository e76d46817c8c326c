//! Recovery of public keys from secp256k1 signatures, on the machine's precompiles.

use super::ecdsa::{Signature, SigningCurve, join, read_key};
use super::machine::{Coordinates, Curve, Limbs, Secp256k1};
use super::point::Point;
use super::residue::{Residue, add, add_modulo, below, negate, to_bytes};

/// `b` of the curve's equation.
const B: Limbs = [7, 0, 0, 0];

/// `(p + 1) / 4`: as `p` is 3 modulo 4, a square to that power is its root.
const ROOT: Limbs = [0xffff_ffff_bfff_ff0c, u64::MAX, u64::MAX, 0x3fff_ffff_ffff_ffff];

impl SigningCurve for Secp256k1 {
    const ORDER: Limbs =
        [0xbfd2_5e8c_d036_4141, 0xbaae_dce6_af48_a03b, 0xffff_ffff_ffff_fffe, 0xffff_ffff_ffff_ffff];

    const GENERATOR: [Coordinates; 3] = [
        [
            0x59f2_815b_16f8_1798,
            0x029b_fcdb_2dce_28d9,
            0x55a0_6295_ce87_0b07,
            0x79be_667e_f9dc_bbac,
            0x9c47_d08f_fb10_d4b8,
            0xfd17_b448_a685_5419,
            0x5da4_fbfc_0e11_08a8,
            0x483a_da77_26a3_c465,
        ],
        [
            0xabac_09b9_5c70_9ee5,
            0x5c77_8e4b_8cef_3ca7,
            0x3045_406e_95c0_7cd8,
            0xc604_7f94_41ed_7d6d,
            0x2364_31a9_50cf_e52a,
            0xf7f6_3265_3266_d0e1,
            0xa3c5_8419_466c_eaee,
            0x1ae1_68fe_a63d_c339,
        ],
        [
            0x8601_f113_bce0_36f9,
            0xb531_c845_836f_99b0,
            0x4934_4f85_f89d_5229,
            0xf930_8a01_9258_c310,
            0x6cb9_fd75_84b8_e672,
            0x6500_a999_34c2_231b,
            0x0fe3_37e6_2a37_f356,
            0x388f_7b0f_632d_e814,
        ],
    ];

    fn holds(x: &Limbs, y: &Limbs) -> bool {
        let mut square = Residue::new(*y, &Self::MODULUS);
        square.square();
        *square.limbs() == right_side(x)
    }
}

/// `x^3 + 7`.
fn right_side(x: &Limbs) -> Limbs {
    let x = Residue::new(*x, &Secp256k1::MODULUS);
    let mut cube = x;
    cube.square();
    cube.multiply(&x);
    add_modulo(cube.limbs(), &B, &Secp256k1::MODULUS)
}

/// The point of this x whose y is odd or even; none if there is no such point.
fn decompress(x: &Limbs, odd: bool) -> Option<Coordinates> {
    if !below(x, &Secp256k1::MODULUS) {
        return None;
    }
    let square = right_side(x);
    let root = Residue::new(square, &Secp256k1::MODULUS).power(&to_bytes(&ROOT));
    // Of what is no square, the power is a root of the negation.
    let mut check = root;
    check.square();
    if *check.limbs() != square {
        return None;
    }
    let root = root.limbs();
    let y = if (root[0] & 1 == 1) == odd { *root } else { negate(root, &Secp256k1::MODULUS) };
    Some(join(x, &y))
}

/// The key of a signature, uncompressed and without its tag: as [`super::recover`], on precompiles.
pub(crate) fn recover(
    signature: &[u8; 64],
    recovery: u8,
    digest: &[u8; 32],
    hint: Option<&[u8; 64]>,
) -> Option<[u8; 64]> {
    let signature = Signature::read::<Secp256k1>(signature)?;
    let odd = recovery & 1 == 1;
    let x = match recovery {
        0 | 1 => signature.r,
        2 | 3 => match add(&signature.r, &Secp256k1::ORDER) {
            (sum, false) => sum,
            _ => return None,
        },
        _ => return None,
    };
    // SOUNDNESS: a hint is the key if and only if `z/s G + r/s Q` is the point that the signature names: `z G + r Q =
    // s R` has one solution Q. So it need not be believed, and the square root and the check of R are spared.
    if let Some(hint) = hint
        && let Some(key) = read_key::<Secp256k1>(hint)
        && let Some(point) = signature.commitment(digest, &key).coordinates()
        && point[..4] == x
        && (point[4] & 1 == 1) == odd
    {
        return Some(*hint);
    }
    let commitment = Point::<Secp256k1>::new(decompress(&x, odd)?);
    write(&signature.key(digest, &commitment))
}

/// Whether `signature` of `digest` is by `key`; high `s` is allowed.
pub(crate) fn verify(signature: &[u8; 64], digest: &[u8; 32], key: &[u8; 64]) -> Option<()> {
    super::ecdsa::verify::<Secp256k1>(signature, digest, key)
}

/// A point as 64 bytes; none for infinity.
fn write(point: &Point<Secp256k1>) -> Option<[u8; 64]> {
    let coordinates = point.coordinates()?;
    let mut bytes = [0; 64];
    for (place, limb) in bytes[..32].chunks_exact_mut(8).zip(coordinates[..4].iter().rev()) {
        place.copy_from_slice(&limb.to_be_bytes());
    }
    for (place, limb) in bytes[32..].chunks_exact_mut(8).zip(coordinates[4..].iter().rev()) {
        place.copy_from_slice(&limb.to_be_bytes());
    }
    Some(bytes)
}
