//! Eight field elements side by side, for AVX-512 IFMA: one element per 64-bit lane, five limbs of 52 bits.
//!
//! IFMA multiplies the low 52 bits of two lanes and adds the low or the high half of the product to a third. An
//! element `x` is `x * 2^260 mod p`. That leaves more than six bits above the prime (`2^260 > 84p`), so that nothing
//! here is reduced fully before it leaves the lanes:
//!
//! - a product of values below `j*p` and `k*p` is below `(jk/84 + 1.13) * p`;
//! - a **tidy** vector has limbs below `2^52`. Only tidy vectors of values below `84p` may be multiplied;
//! - additions do not carry. [`Fe8::carry`] makes a vector tidy again, [`Fe8::fold`] brings its values below `1.01p`.
//!
//! The bounds on the way through a permutation stand in `ifma_poseidon2.rs`.

use core::arch::x86_64::*;

use crate::limbs::{reduce_once, Limbs, MODULUS};

/// How many elements stand side by side.
pub(crate) const WIDTH: usize = 8;

const BITS: u32 = 52;
const MASK: u64 = (1 << BITS) - 1;

/// The prime, in limbs of 52 bits.
const P: [u64; 5] = [0x1f593f0000001, 0x4879b9709143e, 0x181585d2833e8, 0xa029b85045b68, 0x30644e72e131];
/// The low four limbs of `2^260 - p`.
const NEG_P: [u64; 4] = [0xe0a6c0fffffff, 0xb786468f6ebc1, 0xe7ea7a2d7cc17, 0x5fd647afba497];
/// `-1/p mod 2^52`.
const NEG_INV: u64 = 0x1f593efffffff;
/// `(NEG_INV * p + 1) / 2^52`.
const SHIFTED: [u64; 5] =
    [0x82e644ee4c3d2, 0xf93893c98b1de, 0xd46fe04d0a4c7, 0x8f0aad55e2a1f, 0x005ed0447de83];
/// The top limb of the prime, rounded up, and `2^97` divided by it.
const TOP: u64 = P[4] + 1;
const TOP_RECIPROCAL: u64 = ((1u128 << 97) / TOP as u128) as u64;

/// A product with it turns `x * 2^256` into `x * 2^260`: `2^264 mod p`.
const FROM_R256: [u64; 5] =
    [0x31f8c9ffffab6, 0xac31329faef6e, 0x9e2a3495d7570, 0xe357276f48b70, 0x00d791464ef86];
/// A product with it turns the integer `x` into `x * 2^260`: `2^520 mod p`.
const FROM_INTEGER: [u64; 5] =
    [0x0b852d16da6f5, 0xc621620cddce3, 0xaf1b95343ffb6, 0xc3c15e103e7c2, 0x00281528fa122];
/// A product with it turns `x * 2^260` into `x * 2^256`: `2^256 mod p`.
const TO_R256: [u64; 5] =
    [0x6341c4ffffffb, 0x959f60cd29ac9, 0x879462e36fc76, 0xdf2f666ea36f7, 0x00e0a77c19a07];

/// The same number in limbs of 52 bits.
pub(crate) const fn split(a: &Limbs) -> [u64; 5] {
    [
        a[0] & MASK,
        (a[0] >> 52 | a[1] << 12) & MASK,
        (a[1] >> 40 | a[2] << 24) & MASK,
        (a[2] >> 28 | a[3] << 36) & MASK,
        a[3] >> 16,
    ]
}

/// Eight elements: limb `i` of all of them in vector `i`.
#[derive(Clone, Copy)]
pub(crate) struct Fe8(pub(crate) [__m512i; 5]);

impl Fe8 {
    /// All lanes zero.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(crate) fn zero() -> Self {
        Fe8([_mm512_setzero_si512(); 5])
    }

    /// The same limbs in every lane.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(crate) fn splat(limbs: &[u64; 5]) -> Self {
        Fe8(limbs.map(|limb| splat(limb)))
    }

    /// Sum, limb by limb.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(crate) fn add(&self, b: &Self) -> Self {
        let mut sum = *self;
        for (s, b) in sum.0.iter_mut().zip(&b.0) {
            *s = _mm512_add_epi64(*s, *b);
        }
        sum
    }

    /// Moves what exceeds 52 bits to the next limb. The top limb keeps its excess.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(crate) fn carry(&self) -> Self {
        let mut t = self.0;
        for i in 0..4 {
            t[i + 1] = _mm512_add_epi64(t[i + 1], _mm512_srli_epi64::<BITS>(t[i]));
            t[i] = _mm512_and_si512(t[i], splat(MASK));
        }
        Fe8(t)
    }

    /// The same values modulo `p`, now below `1.01p`. Takes a tidy vector of values below `84p`; the result's limbs
    /// are below `2^54`.
    ///
    /// The quotient is estimated from the top limb alone and never too large: `q * TOP` is at most that limb, so that
    /// no limb can become negative. `-q * p` is added as `q * (2^260 - p) - q * 2^260`, and the two terms in the top
    /// limb together are `-q * TOP` and a carry.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(crate) fn fold(&self) -> Self {
        let mut t = self.0;
        let zero = _mm512_setzero_si512();
        let q = _mm512_srli_epi64::<45>(_mm512_madd52hi_epu64(zero, t[4], splat(TOP_RECIPROCAL)));
        t[4] = _mm512_sub_epi64(t[4], _mm512_madd52lo_epu64(zero, q, splat(TOP)));
        for i in 0..4 {
            t[i] = _mm512_madd52lo_epu64(t[i], q, splat(NEG_P[i]));
            t[i + 1] = _mm512_madd52hi_epu64(t[i + 1], q, splat(NEG_P[i]));
        }
        Fe8(t)
    }

    /// From eight elements in the form of [`crate::limbs`], given limb by limb: `columns[i][lane]`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(crate) fn load(columns: &[[u64; WIDTH]; 4]) -> Self {
        mul(&[Fe8::split(columns)], &[Fe8::splat(&FROM_R256)])[0].carry()
    }

    /// From eight integers below `2^256`, given limb by limb: `columns[i][lane]`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(crate) fn from_integers(columns: &[[u64; WIDTH]; 4]) -> Self {
        mul(&[Fe8::split(columns)], &[Fe8::splat(&FROM_INTEGER)])[0].carry()
    }

    /// To eight elements in the form of [`crate::limbs`]. Takes a tidy vector.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    pub(crate) fn store(&self) -> [Limbs; WIDTH] {
        let limbs = mul(&[*self], &[Fe8::splat(&TO_R256)])[0].carry().0.map(|limb| to_array(limb));
        core::array::from_fn(|lane| {
            let [l0, l1, l2, l3, l4] = [0, 1, 2, 3, 4].map(|i| limbs[i][lane]);
            let joined = [l0 | l1 << 52, l1 >> 12 | l2 << 40, l2 >> 24 | l3 << 28, l3 >> 36 | l4 << 16];
            reduce_once(&joined, &MODULUS)
        })
    }

    /// Cuts limbs of 64 bits into limbs of 52.
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn split(columns: &[[u64; WIDTH]; 4]) -> Self {
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| from_array(&columns[i]));
        let low = |v| _mm512_and_si512(v, splat(MASK));
        let or = |u, v| _mm512_or_si512(u, v);
        Fe8([
            low(a),
            low(or(_mm512_srli_epi64::<52>(a), _mm512_slli_epi64::<12>(b))),
            low(or(_mm512_srli_epi64::<40>(b), _mm512_slli_epi64::<24>(c))),
            low(or(_mm512_srli_epi64::<28>(c), _mm512_slli_epi64::<36>(d))),
            _mm512_srli_epi64::<16>(d),
        ])
    }
}

/// Montgomery products of tidy vectors, pair by pair, with limbs up to `2^57`.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn mul<const N: usize>(a: &[Fe8; N], b: &[Fe8; N]) -> [Fe8; N] {
    let mut t = [[_mm512_setzero_si512(); N]; 10];
    for i in 0..5 {
        for j in 0..5 {
            for n in 0..N {
                t[i + j][n] = _mm512_madd52lo_epu64(t[i + j][n], a[n].0[j], b[n].0[i]);
            }
            for n in 0..N {
                t[i + j + 1][n] = _mm512_madd52hi_epu64(t[i + j + 1][n], a[n].0[j], b[n].0[i]);
            }
        }
    }
    montgomery_reduce(t)
}

/// Montgomery squares of tidy vectors; tidy.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(crate) fn square<const N: usize>(a: &[Fe8; N]) -> [Fe8; N] {
    let mut t = [[_mm512_setzero_si512(); N]; 10];
    for i in 0..5 {
        for j in i + 1..5 {
            for n in 0..N {
                t[i + j][n] = _mm512_madd52lo_epu64(t[i + j][n], a[n].0[j], a[n].0[i]);
            }
            for n in 0..N {
                t[i + j + 1][n] = _mm512_madd52hi_epu64(t[i + j + 1][n], a[n].0[j], a[n].0[i]);
            }
        }
    }
    for i in 0..5 {
        for n in 0..N {
            let double = _mm512_add_epi64(t[2 * i][n], t[2 * i][n]);
            t[2 * i][n] = _mm512_madd52lo_epu64(double, a[n].0[i], a[n].0[i]);
        }
        for n in 0..N {
            let double = _mm512_add_epi64(t[2 * i + 1][n], t[2 * i + 1][n]);
            t[2 * i + 1][n] = _mm512_madd52hi_epu64(double, a[n].0[i], a[n].0[i]);
        }
    }
    let mut r = montgomery_reduce(t);
    for r in r.iter_mut() {
        *r = r.carry();
    }
    r
}

/// Divides ten limbs by `2^260` modulo `p`: five times, a multiple of `p` clears the lowest limb.
///
/// The multiplier that clears a limb `t` with `p` itself is `t * NEG_INV mod 2^52`: a product that the next one waits
/// for. With the multiple `NEG_INV * p = SHIFTED * 2^52 - 1` it is `t`. That multiple is one limb longer than `p`, and
/// adds `SHIFTED`, less than `0.13p`, to the result as long as the last limb is cleared with `p`.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn montgomery_reduce<const N: usize>(mut t: [[__m512i; N]; 10]) -> [Fe8; N] {
    for i in 0..4 {
        let q = t[i];
        for j in 0..5 {
            for n in 0..N {
                t[i + j + 1][n] = _mm512_madd52lo_epu64(t[i + j + 1][n], q[n], splat(SHIFTED[j]));
            }
            if j == 0 {
                for n in 0..N {
                    t[i + 1][n] = _mm512_add_epi64(t[i + 1][n], _mm512_srli_epi64::<BITS>(q[n]));
                }
            }
            for n in 0..N {
                t[i + j + 2][n] = _mm512_madd52hi_epu64(t[i + j + 2][n], q[n], splat(SHIFTED[j]));
            }
        }
    }
    // `t + (t * NEG_INV mod 2^52) * p` is a multiple of `2^52`: the carry is that of rounding `t` up.
    let zero = _mm512_setzero_si512();
    let mut q = [zero; N];
    for n in 0..N {
        q[n] = _mm512_madd52lo_epu64(zero, t[4][n], splat(NEG_INV));
        let carry = _mm512_srli_epi64::<BITS>(_mm512_add_epi64(t[4][n], splat(MASK)));
        t[5][n] = _mm512_add_epi64(t[5][n], carry);
    }
    for j in 0..5 {
        for n in 0..N {
            t[5 + j][n] = _mm512_madd52hi_epu64(t[5 + j][n], q[n], splat(P[j]));
        }
        if j < 4 {
            for n in 0..N {
                t[5 + j][n] = _mm512_madd52lo_epu64(t[5 + j][n], q[n], splat(P[j + 1]));
            }
        }
    }
    let mut r = [Fe8([zero; 5]); N];
    for n in 0..N {
        r[n] = Fe8([t[5][n], t[6][n], t[7][n], t[8][n], t[9][n]]);
    }
    r
}

#[inline]
#[target_feature(enable = "avx512f")]
fn splat(limb: u64) -> __m512i {
    _mm512_set1_epi64(limb as i64)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn from_array(lanes: &[u64; WIDTH]) -> __m512i {
    // SAFETY: an array of eight words is 64 readable bytes, and the load asks for no alignment.
    unsafe { _mm512_loadu_si512(lanes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn to_array(limb: __m512i) -> [u64; WIDTH] {
    let mut lanes = [0; WIDTH];
    // SAFETY: an array of eight words is 64 writable bytes, and the store asks for no alignment.
    unsafe { _mm512_storeu_si512(lanes.as_mut_ptr().cast(), limb) };
    lanes
}

#[cfg(test)]
mod tests;
