//! Constants, all of them recomputed by the tests of this folder from their definitions.

use super::field::Fp;
use super::fp2::Fp2;

/// `|z|`, the curve's parameter is `z = -Z_ABS`.
pub const Z_ABS: u64 = 0xd201_0000_0001_0000;

/// The field modulus `p`.
pub const MODULUS: [u64; 6] = [
    0xb9fe_ffff_ffff_aaab,
    0x1eab_fffe_b153_ffff,
    0x6730_d2a0_f6b0_f624,
    0x6477_4b84_f385_12bf,
    0x4b1b_a7b6_434b_acd7,
    0x1a01_11ea_397f_e69a,
];

/// `(p - 1) / 2`: an element above it is the larger of itself and its negation.
pub const HALF_MODULUS: [u64; 6] = [
    0xdcff_7fff_ffff_d555,
    0x0f55_ffff_58a9_ffff,
    0xb398_6950_7b58_7b12,
    0xb23b_a5c2_79c2_895f,
    0x258d_d3db_21a5_d66b,
    0x0d00_88f5_1cbf_f34d,
];

/// `-1 / p mod 2^64`, for the native multiplication.
#[cfg(not(target_os = "zkvm"))]
pub const MONTGOMERY_INVERSE: u64 = 0x89f3fffcfffcfffd;

/// `2^768 mod p`, for the native multiplication.
#[cfg(not(target_os = "zkvm"))]
pub const MONTGOMERY_R2: [u64; 6] = [
    0xf4df_1f34_1c34_1746,
    0x0a76_e6a6_09d1_04f1,
    0x8de5_476c_4c95_b6d5,
    0x67eb_88a9_939d_83c0,
    0x9a79_3e85_b519_952d,
    0x1198_8fe5_92ca_e3aa,
];

/// `2/3`: a tangent's slope satisfies `2/3 slope y = x^2`.
pub const TWO_THIRDS: Fp = Fp([
    0x9354_ffff_ffff_e38f,
    0x0a39_5554_e5c6_aaaa,
    0xcd10_4635_a790_520c,
    0xcc27_c3d6_fbd7_063f,
    0x1909_37e7_6bc3_e447,
    0x08ab_05f8_bdd5_4cde,
]);

/// `2^256`, to join the halves of a 64-byte string.
pub const TWO_POW_256: Fp = Fp([
    0x0000_0000_0000_0000,
    0x0000_0000_0000_0000,
    0x0000_0000_0000_0000,
    0x0000_0000_0000_0000,
    0x0000_0000_0000_0001,
    0x0000_0000_0000_0000,
]);

/// The endomorphism multiplies the conjugate of x by `PSI_X i = (1 + i)^-((p-1)/3)`.
pub const PSI_X: Fp = Fp([
    0x8bfd_0000_0000_aaad,
    0x4094_27eb_4f49_fffd,
    0x897d_2965_0fb8_5f9b,
    0xaa0d_857d_8975_9ad4,
    0xec02_4086_63d4_de85,
    0x1a01_11ea_397f_e699,
]);

/// The endomorphism multiplies the conjugate of y by `(1 + i)^-((p-1)/2)`.
pub const PSI_Y: Fp2 = Fp2 {
    c0: Fp([
        0xf1ee_7b04_121b_dea2,
        0x3044_66cf_3e67_fa0a,
        0xef39_6489_f61e_b45e,
        0x1c3d_edd9_30b1_cf60,
        0xe2e9_c448_d77a_2cd9,
        0x1352_03e6_0180_a68e,
    ]),
    c1: Fp([
        0xc810_84fb_ede3_cc09,
        0xee67_992f_72ec_05f4,
        0x77f7_6e17_0092_41c5,
        0x4839_5dab_c2d3_435e,
        0x6831_e36d_6bd1_7ffe,
        0x06af_0e04_37ff_400b,
    ]),
};

/// `A` of the curve that the hash maps to (RFC 9380, 8.8.2).
pub const SSWU_A: Fp2 = Fp2 { c0: Fp([0, 0, 0, 0, 0, 0]), c1: Fp([240, 0, 0, 0, 0, 0]) };

/// `B` of that curve.
pub const SSWU_B: Fp2 = Fp2 { c0: Fp([1012, 0, 0, 0, 0, 0]), c1: Fp([1012, 0, 0, 0, 0, 0]) };

/// `Z = -(2 + i)`, a non-square.
pub const SSWU_Z: Fp2 = Fp2 {
    c0: Fp([
        0xb9fe_ffff_ffff_aaa9,
        0x1eab_fffe_b153_ffff,
        0x6730_d2a0_f6b0_f624,
        0x6477_4b84_f385_12bf,
        0x4b1b_a7b6_434b_acd7,
        0x1a01_11ea_397f_e69a,
    ]),
    c1: Fp([
        0xb9fe_ffff_ffff_aaaa,
        0x1eab_fffe_b153_ffff,
        0x6730_d2a0_f6b0_f624,
        0x6477_4b84_f385_12bf,
        0x4b1b_a7b6_434b_acd7,
        0x1a01_11ea_397f_e69a,
    ]),
};

/// `-B / A`.
pub const SSWU_MINUS_B_OVER_A: Fp2 = Fp2 {
    c0: Fp([
        0x725d_8ccc_cccc_b1c3,
        0xd683_4443_da49_8888,
        0x02cf_75e6_2bfc_4df1,
        0x9b8c_2d3f_6f3f_7923,
        0xfe2f_284f_0cc6_e5aa,
        0x083c_1279_1abd_d5d2,
    ]),
    c1: Fp([
        0x47a1_7333_3332_f8e8,
        0x4828_bbba_d70a_7777,
        0x6461_5cba_cab4_a832,
        0xc8eb_1e45_8445_999c,
        0x4cec_7f67_3684_c72c,
        0x11c4_ff71_1ec2_10c7,
    ]),
};

/// Abscissa of the kernel of the 3-isogeny (RFC 9380, E.3, in Velu's form).
pub const ISOGENY_KERNEL: Fp2 = Fp2 {
    c0: Fp([
        0xb9fe_ffff_ffff_aaa5,
        0x1eab_fffe_b153_ffff,
        0x6730_d2a0_f6b0_f624,
        0x6477_4b84_f385_12bf,
        0x4b1b_a7b6_434b_acd7,
        0x1a01_11ea_397f_e69a,
    ]),
    c1: Fp([6, 0, 0, 0, 0, 0]),
};

/// Velu's `t`.
pub const ISOGENY_T: Fp2 = Fp2 { c0: Fp([0, 0, 0, 0, 0, 0]), c1: Fp([48, 0, 0, 0, 0, 0]) };

/// Velu's `u`.
pub const ISOGENY_U: Fp2 = Fp2 { c0: Fp([16, 0, 0, 0, 0, 0]), c1: Fp([16, 0, 0, 0, 0, 0]) };

/// Scale of the isogeny's x.
pub const ISOGENY_SCALE_X: Fp = Fp([
    0x88e2_aaaa_aaaa_5ed1,
    0x7098_e38d_0f67_1c71,
    0x22d6_108f_142b_8575,
    0xcb14_b4e7_f4e8_10aa,
    0xed6d_ea69_1f5f_b614,
    0x171d_6541_fa38_ccfa,
]);

/// Scale of the isogeny's y.
pub const ISOGENY_SCALE_Y: Fp = Fp([
    0xe1b3_71c7_1c71_8b10,
    0x4e79_097a_56dc_4bd9,
    0xb0e9_77c6_9aa2_7452,
    0x761b_0f37_a1e2_6286,
    0xfbf7_043d_e381_1ad0,
    0x124c_9ad4_3b6c_f79b,
]);

/// `(1 + i)^(i (p - 1) / 6)` for `i` = 1 to 5: Frobenius on the powers of `w`.
pub const FROBENIUS: [Fp2; 5] = [
    Fp2 {
        c0: Fp([
            0x8d07_75ed_9223_5fb8,
            0xf67e_a53d_63e7_813d,
            0x7b24_43d7_84ba_b9c4,
            0x0fd6_03fd_3cbd_5f4f,
            0xc231_beb4_202c_0d1f,
            0x1904_d3bf_02bb_0667,
        ]),
        c1: Fp([
            0x2cf7_8a12_6ddc_4af3,
            0x282d_5ac1_4d6c_7ec2,
            0xec0c_8ec9_71f6_3c5f,
            0x54a1_4787_b6c7_b36f,
            0x88e9_e902_231f_9fb8,
            0x00fc_3e2b_36c4_e032,
        ]),
    },
    Fp2 {
        c0: Fp([0, 0, 0, 0, 0, 0]),
        c1: Fp([
            0x8bfd_0000_0000_aaac,
            0x4094_27eb_4f49_fffd,
            0x897d_2965_0fb8_5f9b,
            0xaa0d_857d_8975_9ad4,
            0xec02_4086_63d4_de85,
            0x1a01_11ea_397f_e699,
        ]),
    },
    Fp2 {
        c0: Fp([
            0xc810_84fb_ede3_cc09,
            0xee67_992f_72ec_05f4,
            0x77f7_6e17_0092_41c5,
            0x4839_5dab_c2d3_435e,
            0x6831_e36d_6bd1_7ffe,
            0x06af_0e04_37ff_400b,
        ]),
        c1: Fp([
            0xc810_84fb_ede3_cc09,
            0xee67_992f_72ec_05f4,
            0x77f7_6e17_0092_41c5,
            0x4839_5dab_c2d3_435e,
            0x6831_e36d_6bd1_7ffe,
            0x06af_0e04_37ff_400b,
        ]),
    },
    Fp2 {
        c0: Fp([
            0x8bfd_0000_0000_aaad,
            0x4094_27eb_4f49_fffd,
            0x897d_2965_0fb8_5f9b,
            0xaa0d_857d_8975_9ad4,
            0xec02_4086_63d4_de85,
            0x1a01_11ea_397f_e699,
        ]),
        c1: Fp([0, 0, 0, 0, 0, 0]),
    },
    Fp2 {
        c0: Fp([
            0x9b18_fae9_8007_8116,
            0xc63a_3e6e_257f_8732,
            0x8bea_df4d_8e9c_0566,
            0xf398_1624_0c0b_8fee,
            0xdf47_fa6b_48b1_e045,
            0x05b2_cfd9_013a_5fd8,
        ]),
        c1: Fp([
            0x1ee6_0516_7ff8_2995,
            0x5871_c190_8bd4_78cd,
            0xdb45_f353_6814_f0bd,
            0x70df_3560_e779_82d0,
            0x6bd3_ad4a_fa99_cc91,
            0x144e_4211_3845_86c1,
        ]),
    },
];

/// `(x/y)^2` of the fixed point `-g1 / (4 z^2 - 2 z - 1)`, see the module `pairing`.
pub const GENERATOR_ALPHA2: Fp = Fp([
    0x5c35_d88c_d593_8a9c,
    0xc875_b5af_f8b5_3138,
    0xb6ad_14ed_af66_367b,
    0x0ffb_5e99_a743_c089,
    0x3965_b112_11bb_69e4,
    0x008b_205b_72cd_fef7,
]);

/// `-(x/y)^3` of the fixed point.
pub const GENERATOR_ALPHA3: Fp = Fp([
    0x7e2c_e1bd_00c4_24e0,
    0xd9fd_4ba6_34ee_0f4e,
    0xbc09_baa3_f1c7_b8f6,
    0x5bcf_3a2c_3b8f_37fa,
    0xb7dc_219e_2d64_90de,
    0x0c2e_0d3f_d92b_e623,
]);

/// `-x^3 / y^2` of the fixed point.
pub const GENERATOR_SCALE: Fp = Fp([
    0x1964_8b84_5106_0c0f,
    0x13cc_c0bd_1e88_747c,
    0xbeeb_82d5_e1ff_a475,
    0x74bb_51e3_4448_bb29,
    0x56c1_1d4d_bb73_2180,
    0x13f4_f918_0e9c_7a31,
]);
