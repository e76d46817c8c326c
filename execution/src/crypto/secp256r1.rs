//! P-256 signatures (EIP-7951), on the machine's precompiles.

use super::ecdsa::SigningCurve;
use super::machine::{Coordinates, Curve, Limbs, Secp256r1};
use super::residue::{Residue, add_modulo, negate};

/// `b` of the curve's equation.
const B: Limbs = [0x3bce_3c3e_27d2_604b, 0x651d_06b0_cc53_b0f6, 0xb3eb_bd55_7698_86bc, 0x5ac6_35d8_aa3a_93e7];

impl SigningCurve for Secp256r1 {
    const ORDER: Limbs =
        [0xf3b9_cac2_fc63_2551, 0xbce6_faad_a717_9e84, 0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000];

    const GENERATOR: [Coordinates; 3] = [
        [
            0xf4a1_3945_d898_c296,
            0x7703_7d81_2deb_33a0,
            0xf8bc_e6e5_63a4_40f2,
            0x6b17_d1f2_e12c_4247,
            0xcbb6_4068_37bf_51f5,
            0x2bce_3357_6b31_5ece,
            0x8ee7_eb4a_7c0f_9e16,
            0x4fe3_42e2_fe1a_7f9b,
        ],
        [
            0xa60b_48fc_4766_9978,
            0xc089_69e2_77f2_1b35,
            0x8a52_3803_04b5_1ac3,
            0x7cf2_7b18_8d03_4f7e,
            0x9e04_b79d_2278_73d1,
            0xba7d_ade6_3ce9_8229,
            0x293d_9ac6_9f74_30db,
            0x0777_5510_db8e_d040,
        ],
        [
            0xfb41_661b_c6e7_fd6c,
            0xe6c6_b721_efad_a985,
            0xc8f7_ef95_1d4b_f165,
            0x5ecb_e4d1_a633_0a44,
            0x9a79_b127_a27d_5032,
            0xd82a_b036_384f_b83d,
            0x374b_06ce_1a64_a2ec,
            0x8734_640c_4998_ff7e,
        ],
    ];

    fn holds(x: &Limbs, y: &Limbs) -> bool {
        let modulus = &Self::MODULUS;
        let mut left = Residue::new(*y, modulus);
        left.square();
        // x (x^2 - 3) + b
        let mut right = Residue::new(*x, modulus);
        right.square();
        let less_three = add_modulo(right.limbs(), &negate(&[3, 0, 0, 0], modulus), modulus);
        right = Residue::new(less_three, modulus);
        right.multiply(&Residue::new(*x, modulus));
        *left.limbs() == add_modulo(right.limbs(), &B, modulus)
    }
}

/// Whether `signature` of `digest` is by `key`: as `secp256r1_verify_signature` of revm.
pub(crate) fn verify(signature: &[u8; 64], digest: &[u8; 32], key: &[u8; 64]) -> bool {
    super::ecdsa::verify::<Secp256r1>(signature, digest, key).is_some()
}
