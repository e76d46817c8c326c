//! The optimal ate pairing: whether a product of pairings is one.

use alloc::vec::Vec;

use super::field::Fp;
use super::fp2::Fp2;
use super::tower::Fp12;
use super::twist::{ENDOMORPHISM_X, ENDOMORPHISM_Y, Line, Moving, TwistPoint};

/// `6 x + 2` below its top bit, 2^64, in signed bits: ones here,
const PLUS: u64 = 0xa002_0042_0080_4028;
/// and minus ones here.
const MINUS: u64 = 0x0288_9008_420a_0480;

/// The curve's parameter `x` below its top bit, 2^62, in signed bits.
const X_PLUS: u64 = 0x050a_1404_4a89_0a01;
const X_MINUS: u64 = 0x0020_8150_0020_0010;

/// `(9 + i)^(k (p - 1) / 6)` for `k` of 1, 4 and 5; those of 2 and 3 are the endomorphism's.
const FROBENIUS_1: Fp2 = Fp2 {
    c0: Fp([0xd60b_35da_dcc9_e470, 0x5c52_1e08_292f_2176, 0xe8b9_9fdd_76e6_8b60, 0x1284_b71c_2865_a7df]),
    c1: Fp([0xca5c_f05f_80f3_62ac, 0x7479_9277_8eee_c7e5, 0xa632_7cfe_1215_0b8e, 0x2469_96f3_b4fa_e7e6]),
};
const FROBENIUS_4: Fp2 = Fp2 {
    c0: Fp([0x848a_1f55_921e_a762, 0xd333_65f7_be94_ec72, 0x80f3_c0b7_5a18_1e84, 0x05b5_4f5e_64ee_a801]),
    c1: Fp([0xc13b_4711_cd2b_8126, 0x3685_d2ea_1bde_c763, 0x9f3a_80b0_3b0b_1c92, 0x2c14_5edb_e7fd_8aee]),
};
const FROBENIUS_5: Fp2 = Fp2 {
    c0: Fp([0x2ea2_c810_eab7_692f, 0x425c_459b_55aa_1bd3, 0xe93a_3661_a435_3ff4, 0x0183_c1e7_4f79_8649]),
    c1: Fp([0x24c6_b8ee_6e0c_2c4b, 0xb080_cb99_678e_2ac0, 0xa27f_b246_c772_9f7d, 0x12ac_f2ca_76fd_0675]),
};

/// One pair on its way through Miller's loop.
struct Pair<'a> {
    /// None for infinity: then its lines count for nothing.
    first: &'a Option<(Fp, Fp)>,
    second: &'a TwistPoint,
    negated: TwistPoint,
    moving: Moving,
}

impl Pair<'_> {
    fn multiply_by(&self, f: &mut Fp12, [mut a, mut b, c]: Line) {
        if let Some((x, y)) = self.first {
            a.scale(y);
            b.scale(x);
            f.multiply_by_line(&[a, b, c]);
        }
    }
}

/// Whether the product of the pairings is one; none if a second point is not of the second group.
///
/// All points are on their curves. SOUNDNESS: that a point `Q` is of the second group is read off the loop, which ends
/// at `[6x + 2] Q + psi(Q) - psi^2(Q)`: it must be `-psi^3(Q)`. On the group `psi` multiplies by `p`, and `6x + 2 + p -
/// p^2 + p^3` is a multiple of its order `r`. Conversely the norm of `6x + 2 + psi - psi^2 + psi^3` has no factor in
/// common with the twist's number of points but `r`, so that what this annihilates has order `r`. The formulas of the
/// loop have exceptions, the sum of a point with itself or its negation; no point of the group meets one, and whoever
/// does ends at `z = 0`, which is refused. (The module's tests count.)
pub(super) fn is_one(pairs: &[(Option<(Fp, Fp)>, TwistPoint)]) -> Option<bool> {
    let mut pairs: Vec<Pair<'_>> = pairs
        .iter()
        .map(|(first, second)| {
            let mut negated = *second;
            negated.negate();
            Pair { first, second, negated, moving: Moving::new(second) }
        })
        .collect();
    let f = miller_loop(&mut pairs)?;
    if pairs.iter().all(|pair| pair.first.is_none()) {
        return Some(true);
    }
    Some(final_exponentiation(&f) == Fp12::ONE)
}

fn miller_loop(pairs: &mut [Pair<'_>]) -> Option<Fp12> {
    let mut f = Fp12::ONE;
    for i in (0..64).rev() {
        if i != 63 {
            f.square();
        }
        for pair in &mut *pairs {
            let line = pair.moving.double();
            pair.multiply_by(&mut f, line);
            let line = match (PLUS >> i & 1, MINUS >> i & 1) {
                (1, _) => pair.moving.add(pair.second),
                (_, 1) => pair.moving.add(&pair.negated),
                _ => continue,
            };
            pair.multiply_by(&mut f, line);
        }
    }
    for pair in pairs {
        let once = pair.second.endomorphism();
        let mut twice = once.endomorphism();
        twice.negate();
        let line = pair.moving.add(&once);
        pair.multiply_by(&mut f, line);
        let line = pair.moving.add(&twice);
        pair.multiply_by(&mut f, line);
        if !pair.moving.is(&twice.endomorphism()) {
            return None;
        }
    }
    Some(f)
}

/// `f` to a multiple of `(p^12 - 1) / r` that is prime to `r` (Fuentes-Castaneda, Knapp and Rodriguez-Henriquez,
/// "Faster hashing to G2").
fn final_exponentiation(f: &Fp12) -> Fp12 {
    // To p^6 - 1, then to p^2 + 1: what is left is in the cyclotomic subgroup, where conjugates are inverses.
    let mut f = {
        let mut power = *f;
        power.conjugate();
        power.multiply(&f.inverse());
        power
    };
    let mut raised = f;
    frobenius(&mut raised);
    frobenius(&mut raised);
    f.multiply(&raised);

    // To the powers 1, p, p^2 and p^3 of what `x` gives:
    //   1 + 6x + 12x^2 + 12x^3,  4x + 6x^2 + 12x^3,  6x + 6x^2 + 12x^3,  -1 + 4x + 6x^2 + 12x^3.
    let mut two_x = power_of_x(&f);
    two_x.cyclotomic_square();
    let mut six_x = two_x;
    six_x.cyclotomic_square();
    let four_x = six_x;
    six_x.multiply(&two_x);
    let six_x2 = power_of_x(&six_x);
    let mut twelve_x3 = six_x2;
    twelve_x3.cyclotomic_square();
    twelve_x3 = power_of_x(&twelve_x3);

    let mut second = twelve_x3; // 4x + 6x^2 + 12x^3
    second.multiply(&six_x2);
    let mut third = second; // 6x + 6x^2 + 12x^3
    third.multiply(&six_x);
    second.multiply(&four_x);
    let mut first = third; // 1 + 6x + 12x^2 + 12x^3
    first.multiply(&six_x2);
    first.multiply(&f);
    let mut fourth = second;
    f.conjugate();
    fourth.multiply(&f);

    // ((fourth^p third)^p second)^p first
    for factor in [third, second, first] {
        frobenius(&mut fourth);
        fourth.multiply(&factor);
    }
    fourth
}

/// `f^x` for `f` in the cyclotomic subgroup.
fn power_of_x(f: &Fp12) -> Fp12 {
    let mut inverse = *f;
    inverse.conjugate();
    let mut power = *f;
    for i in (0..62).rev() {
        power.cyclotomic_square();
        match (X_PLUS >> i & 1, X_MINUS >> i & 1) {
            (1, _) => power.multiply(f),
            (_, 1) => power.multiply(&inverse),
            _ => {}
        }
    }
    power
}

/// `f^p`.
fn frobenius(f: &mut Fp12) {
    let factors = [&Fp2::ONE, &FROBENIUS_1, &ENDOMORPHISM_X, &ENDOMORPHISM_Y, &FROBENIUS_4, &FROBENIUS_5];
    for (k, (part, factor)) in f.parts_mut().into_iter().zip(factors).enumerate() {
        part.conjugate();
        if k != 0 {
            part.multiply(factor);
        }
    }
}
