//! The Poseidon2 permutation that SP1 uses for its own transcripts, in ordinary code: KoalaBear (`2^31 -
//! 2^24 + 1`), width 16, cube, 8 external and 20 internal rounds. The zkVM has a precompile with the same
//! results.

/// The field's modulus.
const MODULUS: u64 = 0x7f00_0001;
/// `2^-32`, by which the internal layer is scaled.
const SCALE: u64 = 0x3f01_0000;
/// Diagonal of the internal layer, less the all-ones matrix.
const DIAGONAL: [u64; 16] =
    [MODULUS - 2, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 32768];

/// Permutes sixteen field elements.
pub fn permute(state: &mut [u32; 16]) {
    let mut wide = state.map(u64::from);
    external_layer(&mut wide);
    for (round, constants) in EXTERNAL.iter().enumerate() {
        if round == 4 {
            INTERNAL.iter().for_each(|&constant| internal_round(&mut wide, constant));
        }
        for (lane, &constant) in wide.iter_mut().zip(constants) {
            *lane = cube(*lane + u64::from(constant));
        }
        external_layer(&mut wide);
    }
    *state = wide.map(|lane| lane as u32);
}

fn cube(lane: u64) -> u64 {
    let lane = lane % MODULUS;
    lane * lane % MODULUS * lane % MODULUS
}

/// `circ(2 M, M, M, M)` with `M = circ(2, 3, 1, 1)`.
fn external_layer(state: &mut [u64; 16]) {
    let mut sums = [0; 4];
    for block in state.chunks_exact_mut(4) {
        let total: u64 = block.iter().sum();
        let old = [block[0], block[1], block[2], block[3]];
        for i in 0..4 {
            block[i] = total + old[i] + 2 * old[(i + 1) % 4];
            sums[i] += block[i];
        }
    }
    for (i, lane) in state.iter_mut().enumerate() {
        *lane = (*lane + sums[i % 4]) % MODULUS;
    }
}

fn internal_round(state: &mut [u64; 16], constant: u32) {
    state[0] = cube(state[0] + u64::from(constant));
    let total: u64 = state.iter().sum();
    for (lane, diagonal) in state.iter_mut().zip(DIAGONAL) {
        *lane = (total + *lane * diagonal) % MODULUS * SCALE % MODULUS;
    }
}

const EXTERNAL: [[u32; 16]; 8] = [
    [
        0x7ee5_6a48,
        0x1136_7045,
        0x12e4_1941,
        0x7ebb_c12b,
        0x1970_b7d5,
        0x662b_60e8,
        0x3e49_90c6,
        0x679f_91f5,
        0x3508_13bb,
        0x0087_4ad4,
        0x28a0_081a,
        0x18fa_5872,
        0x5f25_b071,
        0x5e5d_5998,
        0x5e6f_d3e7,
        0x5b2e_2660,
    ],
    [
        0x6f18_37bf,
        0x3fe6_182b,
        0x1edd_7ac5,
        0x5747_0d00,
        0x43d4_86d5,
        0x1982_c70f,
        0x0ea5_3af9,
        0x61d6_165b,
        0x5163_9c00,
        0x2dec_352c,
        0x2950_e531,
        0x2d2c_b947,
        0x0825_6cef,
        0x1a01_09f6,
        0x1f51_faf3,
        0x5cef_1c62,
    ],
    [
        0x3d65_e50e,
        0x33d9_1626,
        0x133d_5a1e,
        0x0ff4_9b0d,
        0x3890_0cd1,
        0x2c22_cc3f,
        0x2885_2bb2,
        0x06c6_5a02,
        0x7b2c_f7bc,
        0x6801_6e1a,
        0x15e1_6bc0,
        0x5248_149a,
        0x6dd2_12a0,
        0x18d6_830a,
        0x5001_be82,
        0x64da_c34e,
    ],
    [
        0x5902_b287,
        0x4265_83a0,
        0x0c92_1632,
        0x3fe0_28a5,
        0x245f_8e49,
        0x43bb_297e,
        0x7873_dbd9,
        0x3cc9_87df,
        0x286b_b4ce,
        0x640a_8dcd,
        0x512a_8e36,
        0x03a4_cf55,
        0x4818_37a2,
        0x03d6_da84,
        0x7372_6ac7,
        0x760e_7fdf,
    ],
    [
        0x43e7_dc24,
        0x259a_5d61,
        0x27e8_5a3b,
        0x1b91_33fa,
        0x343e_5628,
        0x485c_d4c2,
        0x16e2_69f5,
        0x165b_60c6,
        0x25f6_83d9,
        0x124f_81f9,
        0x1743_31f9,
        0x7734_4dc5,
        0x5a82_1dba,
        0x5fc4_177f,
        0x5415_3bf5,
        0x5e3f_1194,
    ],
    [
        0x3bdb_f191,
        0x088c_84a3,
        0x6825_6c9b,
        0x3c90_bbc6,
        0x6846_166a,
        0x03f4_238d,
        0x4633_35fb,
        0x5e3d_3551,
        0x6e59_ae6f,
        0x32d0_6cc0,
        0x5962_93f3,
        0x6c87_edb2,
        0x08fc_60b5,
        0x34bc_ca80,
        0x24f0_07f3,
        0x6273_1c6f,
    ],
    [
        0x1e1d_b6c6,
        0x0ca4_09bb,
        0x585c_1e78,
        0x56e9_4edc,
        0x16d2_2734,
        0x18e1_1467,
        0x7b2c_3730,
        0x7700_75e4,
        0x35d1_b18c,
        0x22be_3db5,
        0x4fb1_fbb7,
        0x477c_b3ed,
        0x7d53_11c6,
        0x5b62_ae7d,
        0x559c_5fa8,
        0x77f1_5048,
    ],
    [
        0x3211_570b,
        0x490f_ef6a,
        0x77ec_311f,
        0x2247_171b,
        0x4e0a_c711,
        0x2edf_69c9,
        0x3b5a_8850,
        0x6580_9421,
        0x5619_b4aa,
        0x3620_19a7,
        0x6bf9_d4ed,
        0x5b41_3dff,
        0x617e_181e,
        0x5e7a_b57b,
        0x33ad_7833,
        0x3466_c7ca,
    ],
];

const INTERNAL: [u32; 20] = [
    0x54df_eb5d,
    0x7d40_afd6,
    0x722c_b316,
    0x106a_4573,
    0x45a7_ccdb,
    0x4406_1375,
    0x1540_77a5,
    0x4574_4faa,
    0x4eb5_e5ee,
    0x3794_e83f,
    0x47c7_093c,
    0x5694_903c,
    0x69cb_6299,
    0x373d_f84c,
    0x46a0_df58,
    0x46b8_758a,
    0x3241_ebcb,
    0x0b09_d233,
    0x1af4_2357,
    0x1e66_cec2,
];
