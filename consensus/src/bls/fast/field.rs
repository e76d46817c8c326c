//! The base field, in canonical form: six little-endian limbs below the modulus.
//!
//! In the zkVM each operation is one precompile call that overwrites its left operand, so everything above
//! is written in place. SP1's chip (`FpOpChip`) accepts any 384-bit operands and constrains its result to be
//! below the modulus (`output_range`, a `FieldLtCols`), and the executor reduces its operands first. Results
//! are therefore always canonical; what enters from outside is made canonical by [`Fp::from_be_bytes`], by
//! [`Fp::is_canonical`] on each hint, or is a constant. So equality of limbs is equality in the field, and
//! sign rules may look at the limbs.

use super::constants::MODULUS;

/// A field element. Invariant: the limbs are below the modulus.
#[derive(Clone, Copy, Debug, Eq)]
#[repr(C)]
pub struct Fp(pub(crate) [u64; 6]);

impl Fp {
    /// Zero.
    pub const ZERO: Self = Self([0; 6]);
    /// One.
    pub const ONE: Self = Self([1, 0, 0, 0, 0, 0]);

    /// A copy, limb by limb. In the zkVM, two copies side by side would become a call of `memcpy`, which
    /// costs more than they do; volatile reads are left alone.
    #[inline(always)]
    pub fn copy(&self) -> Self {
        #[cfg(target_os = "zkvm")]
        {
            let limb = |i: usize| {
                // SAFETY: a reference to a limb is valid and aligned.
                unsafe { core::ptr::read_volatile(&self.0[i]) }
            };
            Self([limb(0), limb(1), limb(2), limb(3), limb(4), limb(5)])
        }
        #[cfg(not(target_os = "zkvm"))]
        *self
    }

    /// Reads a big-endian number below the modulus, its three top bits masked off (the flags of a
    /// compressed point).
    #[inline(always)]
    pub fn from_be_bytes_masked(bytes: &[u8; 48]) -> Option<Self> {
        let mut limbs = [0; 6];
        for (i, limb) in limbs.iter_mut().enumerate() {
            *limb = be_word(bytes, 40 - 8 * i);
        }
        limbs[5] &= (1 << 61) - 1;
        let value = Self(limbs);
        value.is_canonical().then_some(value)
    }

    /// Whether the limbs are below the modulus.
    #[inline(always)]
    pub fn is_canonical(&self) -> bool {
        self.0[5] < MODULUS[5] || self.0[5] == MODULUS[5] && below(&self.0, &MODULUS)
    }

    /// Whether this is zero.
    #[inline(always)]
    pub fn is_zero(&self) -> bool {
        self.0.iter().fold(0, |all, limb| all | limb) == 0
    }

    /// RFC 9380's `sgn0` of a base field element.
    #[inline(always)]
    pub fn is_odd(&self) -> bool {
        self.0[0] & 1 == 1
    }

    /// Whether this is above its own negation: the sign flag of compressed points.
    #[inline(always)]
    pub fn is_lexicographically_largest(&self) -> bool {
        // (p - 1) / 2 < self; the top limb decides almost always.
        let (top, half) = (self.0[5], super::constants::HALF_MODULUS[5]);
        top > half || top == half && below(&super::constants::HALF_MODULUS, &self.0)
    }

    /// Adds `other` in place.
    #[inline(always)]
    pub fn add(&mut self, other: &Self) {
        backend::add(self, other);
    }

    /// Subtracts `other` in place.
    #[inline(always)]
    pub fn sub(&mut self, other: &Self) {
        backend::sub(self, other);
    }

    /// Multiplies by `other` in place.
    #[inline(always)]
    pub fn mul(&mut self, other: &Self) {
        backend::mul(self, other);
    }

    /// Doubles in place.
    #[inline(always)]
    pub fn double(&mut self) {
        backend::double(self);
    }

    /// Squares in place.
    #[inline(always)]
    pub fn square(&mut self) {
        backend::square(self);
    }

    /// Negates in place.
    #[inline(always)]
    pub fn neg(&mut self) {
        let mut negated = Self::ZERO;
        negated.sub(self);
        *self = negated;
    }
}

impl PartialEq for Fp {
    // Spelled out: the derived one becomes a call of `bcmp`.
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        let mut difference = 0;
        for (a, b) in self.0.iter().zip(&other.0) {
            difference |= a ^ b;
        }
        difference == 0
    }
}

/// The big-endian word at `offset`, a multiple of eight.
#[inline(always)]
fn be_word(bytes: &[u8; 48], offset: usize) -> u64 {
    // Aligned bytes are read as a word and swapped by halves: the zkVM has no instruction for either.
    // SAFETY: every bit pattern is a word; `align_to` minds alignment.
    if let ([], words, []) = unsafe { bytes.align_to::<u64>() } {
        return swap_bytes(u64::from_le(words[offset / 8]));
    }
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[offset..offset + 8]);
    u64::from_be_bytes(word)
}

/// `u64::swap_bytes`, in three steps instead of seven.
#[inline(always)]
pub fn swap_bytes(word: u64) -> u64 {
    const BYTES: u64 = 0x00ff_00ff_00ff_00ff;
    const SHORTS: u64 = 0x0000_ffff_0000_ffff;
    let word = ((word >> 8) & BYTES) | ((word & BYTES) << 8);
    let word = ((word >> 16) & SHORTS) | ((word & SHORTS) << 16);
    word.rotate_left(32)
}

/// Whether `a < b` as numbers.
#[inline(never)]
fn below(a: &[u64; 6], b: &[u64; 6]) -> bool {
    for i in (0..6).rev() {
        if a[i] != b[i] {
            return a[i] < b[i];
        }
    }
    false
}

/// SP1's precompiles. `t0` keeps the call number, memory behind `a0` is overwritten.
#[cfg(target_os = "zkvm")]
mod backend {
    use super::Fp;
    use core::arch::asm;

    const ADD: u64 = 0x0001_0120;
    const SUB: u64 = 0x0001_0121;
    const MUL: u64 = 0x0001_0122;

    /// # Safety
    /// Both pointers lead to six aligned words; they may be the same.
    #[inline(always)]
    unsafe fn call<const CODE: u64>(x: *mut Fp, y: *const Fp) {
        // SAFETY: the call reads 48 bytes at both pointers and writes 48 bytes at `x`; the machine reads `y`
        // before it writes `x`, so they may coincide.
        unsafe { asm!("ecall", in("t0") CODE, in("a0") x, in("a1") y, options(nostack)) }
    }

    #[inline(always)]
    pub fn add(x: &mut Fp, y: &Fp) {
        // SAFETY: `Fp` is six aligned words.
        unsafe { call::<ADD>(x, y) }
    }

    #[inline(always)]
    pub fn sub(x: &mut Fp, y: &Fp) {
        // SAFETY: as above.
        unsafe { call::<SUB>(x, y) }
    }

    #[inline(always)]
    pub fn mul(x: &mut Fp, y: &Fp) {
        // SAFETY: as above.
        unsafe { call::<MUL>(x, y) }
    }

    #[inline(always)]
    pub fn double(x: &mut Fp) {
        let x: *mut Fp = x;
        // SAFETY: as above, with both operands the same.
        unsafe { call::<ADD>(x, x) }
    }

    #[inline(always)]
    pub fn square(x: &mut Fp) {
        let x: *mut Fp = x;
        // SAFETY: as above, with both operands the same.
        unsafe { call::<MUL>(x, x) }
    }
}

/// Ordinary code with the same results, for the native side.
#[cfg(not(target_os = "zkvm"))]
mod backend {
    use super::super::constants::{MODULUS, MONTGOMERY_INVERSE, MONTGOMERY_R2};
    use super::Fp;

    pub fn add(x: &mut Fp, y: &Fp) {
        // Both are below the modulus, which leaves three spare bits: no carry out of the top limb.
        let mut carry = false;
        for i in 0..6 {
            let (sum, c1) = x.0[i].overflowing_add(y.0[i]);
            let (sum, c2) = sum.overflowing_add(u64::from(carry));
            x.0[i] = sum;
            carry = c1 | c2;
        }
        reduce(&mut x.0);
    }

    pub fn sub(x: &mut Fp, y: &Fp) {
        if subtract(&mut x.0, &y.0) {
            let mut carry = false;
            for (limb, modulus) in x.0.iter_mut().zip(MODULUS) {
                let (sum, c1) = limb.overflowing_add(modulus);
                let (sum, c2) = sum.overflowing_add(u64::from(carry));
                *limb = sum;
                carry = c1 | c2;
            }
        }
    }

    pub fn mul(x: &mut Fp, y: &Fp) {
        // Two Montgomery steps: x * y / R, then times R^2 / R.
        x.0 = montgomery(&montgomery(&x.0, &y.0), &MONTGOMERY_R2);
    }

    pub fn double(x: &mut Fp) {
        let y = *x;
        add(x, &y);
    }

    pub fn square(x: &mut Fp) {
        let y = *x;
        mul(x, &y);
    }

    /// `a * b / 2^384` modulo the modulus, reduced.
    fn montgomery(a: &[u64; 6], b: &[u64; 6]) -> [u64; 6] {
        let mut t = [0u64; 8];
        for &digit in b {
            let mut carry = 0;
            for j in 0..6 {
                (t[j], carry) = multiply_add(a[j], digit, t[j], carry);
            }
            let (sum, overflow) = t[6].overflowing_add(carry);
            (t[6], t[7]) = (sum, u64::from(overflow));
            let factor = t[0].wrapping_mul(MONTGOMERY_INVERSE);
            let (_, mut carry) = multiply_add(factor, MODULUS[0], t[0], 0);
            for j in 1..6 {
                (t[j - 1], carry) = multiply_add(factor, MODULUS[j], t[j], carry);
            }
            let (sum, overflow) = t[6].overflowing_add(carry);
            t[5] = sum;
            t[6] = t[7] + u64::from(overflow);
        }
        let mut out = [t[0], t[1], t[2], t[3], t[4], t[5]];
        reduce(&mut out);
        out
    }

    /// `a * b + c + carry` as (low, high).
    fn multiply_add(a: u64, b: u64, c: u64, carry: u64) -> (u64, u64) {
        let wide = u128::from(a) * u128::from(b) + u128::from(c) + u128::from(carry);
        (wide as u64, (wide >> 64) as u64)
    }

    /// Subtracts the modulus once where needed.
    fn reduce(limbs: &mut [u64; 6]) {
        let mut reduced = *limbs;
        if !subtract(&mut reduced, &MODULUS) {
            *limbs = reduced;
        }
    }

    /// Subtracts in place and tells whether it borrowed.
    fn subtract(a: &mut [u64; 6], b: &[u64; 6]) -> bool {
        let mut borrow = false;
        for i in 0..6 {
            let (difference, b1) = a[i].overflowing_sub(b[i]);
            let (difference, b2) = difference.overflowing_sub(u64::from(borrow));
            a[i] = difference;
            borrow = b1 | b2;
        }
        borrow
    }
}
