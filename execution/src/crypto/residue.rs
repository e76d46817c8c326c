//! Numbers under a modulus of up to 256 bits, odd or even.

use super::machine::{Limbs, multiply_modulo, square_modulo};

/// A number and its modulus, which lie as the precompile takes its second operand: that a modulus follows each number
/// spares copies of both. Processor and precompiles seldom touch the same word here: each time that a word comes back
/// from a precompile costs more than ten instructions do.
#[derive(Clone, Copy, Debug)]
#[repr(transparent)]
pub(crate) struct Residue([Limbs; 2]);

impl Residue {
    /// `value` under `modulus`, which is not zero. It need not be below it.
    #[inline]
    pub(crate) fn new(value: Limbs, modulus: &Limbs) -> Self {
        debug_assert_ne!(*modulus, [0; 4]);
        Self([value, *modulus])
    }

    /// The number, as it is: below the modulus after any operation.
    #[inline]
    pub(crate) fn limbs(&self) -> &Limbs {
        &self.0[0]
    }

    /// Multiplies in place.
    #[inline(always)]
    pub(crate) fn multiply(&mut self, other: &Self) {
        debug_assert_eq!(self.0[1], other.0[1]);
        multiply_modulo(&mut self.0[0], &other.0);
    }

    /// Squares in place.
    #[inline(always)]
    pub(crate) fn square(&mut self) {
        square_modulo(&mut self.0);
    }

    /// Takes it below its modulus.
    #[inline]
    pub(crate) fn reduce(&mut self) {
        let one = Self([[1, 0, 0, 0], self.0[1]]);
        self.multiply(&one);
    }

    /// `self^exponent`, whose bytes are in big-endian order; below the modulus, also where that is one.
    pub(crate) fn power(&self, exponent: &[u8]) -> Self {
        let modulus = self.0[1];
        let mut result = Self([[1, 0, 0, 0], modulus]);
        result.reduce();
        let mut nibbles =
            exponent.iter().flat_map(|byte| [byte >> 4, byte & 15]).skip_while(|nibble| *nibble == 0);
        let Some(first) = nibbles.next() else { return result };
        // All entries are written before the first call, so that none is read back.
        let mut powers = [*self; 16];
        powers[0] = Self([[1, 0, 0, 0], modulus]);
        let mut done = 1;
        for i in 2..16 {
            let (below, above) = powers.split_at_mut(i);
            above[0].multiply(&below[done]);
            done = i;
        }
        result.multiply(&powers[usize::from(first)]);
        for nibble in nibbles {
            for _ in 0..4 {
                result.square();
            }
            if nibble != 0 {
                result.multiply(&powers[usize::from(nibble)]);
            }
        }
        result
    }

    /// The inverse under a prime modulus above two (Fermat); zero for zero.
    pub(crate) fn inverse(&self) -> Self {
        let mut exponent = self.0[1];
        exponent[0] -= 2; // Primes of cryptography do not end in 64 zero bits but one.
        self.power(&to_bytes(&exponent))
    }
}

/// Whether `a < b`.
pub(crate) fn below(a: &Limbs, b: &Limbs) -> bool {
    for i in (0..4).rev() {
        if a[i] != b[i] {
            return a[i] < b[i];
        }
    }
    false
}

/// `a + b` and whether it passes 2^256.
pub(crate) fn add(a: &Limbs, b: &Limbs) -> (Limbs, bool) {
    let mut sum = [0; 4];
    let mut carry = false;
    for i in 0..4 {
        let (partial, first) = a[i].overflowing_add(b[i]);
        let (total, second) = partial.overflowing_add(u64::from(carry));
        sum[i] = total;
        carry = first | second;
    }
    (sum, carry)
}

/// `a - b` modulo 2^256.
pub(crate) fn subtract(a: &Limbs, b: &Limbs) -> Limbs {
    let mut difference = [0; 4];
    let mut borrow = false;
    for i in 0..4 {
        let (partial, first) = a[i].overflowing_sub(b[i]);
        let (total, second) = partial.overflowing_sub(u64::from(borrow));
        difference[i] = total;
        borrow = first | second;
    }
    difference
}

/// `-a` for an `a` below the modulus.
pub(crate) fn negate(a: &Limbs, modulus: &Limbs) -> Limbs {
    if *a == [0; 4] { *a } else { subtract(modulus, a) }
}

/// `a + b` for two numbers below the modulus.
pub(crate) fn add_modulo(a: &Limbs, b: &Limbs, modulus: &Limbs) -> Limbs {
    let (sum, carry) = add(a, b);
    if carry || !below(&sum, modulus) { subtract(&sum, modulus) } else { sum }
}

/// Reads a big-endian number of 32 bytes.
pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Limbs {
    let (words, _) = bytes.as_chunks::<8>();
    let word = |i: usize| u64::from_be_bytes(words[i]);
    [word(3), word(2), word(1), word(0)]
}

/// Writes a number as 32 big-endian bytes.
pub(crate) fn to_bytes(limbs: &Limbs) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (place, limb) in bytes.chunks_exact_mut(8).zip(limbs.iter().rev()) {
        place.copy_from_slice(&limb.to_be_bytes());
    }
    bytes
}
