//! Sums and multiples of points on the machine's curve precompiles.
//!
//! The addition precompile divides by the difference of two x, so it has no answer for `P + P`, `P - P` and infinity.
//! Signatures can be made so that any of these comes up in the middle of a sum, therefore each addition here looks
//! first. It looks at the lowest word of x alone as long as these differ, and table entries keep theirs beside them:
//! a word that a precompile has touched costs as much to read as a quarter of an addition.

use core::marker::PhantomData;

use super::machine::{Coordinates, Curve, Limbs};

/// A point of the curve, or infinity. Invariant: coordinates are canonical and on the curve unless it is infinity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Point<C> {
    coordinates: Coordinates,
    infinity: bool,
    curve: PhantomData<C>,
}

/// A point that is added, with a copy of the lowest word of its x.
#[derive(Clone, Copy)]
struct Entry<C> {
    point: Point<C>,
    low: u64,
}

impl<C: Curve> Point<C> {
    /// The neutral element.
    pub(crate) const INFINITY: Self = Self { coordinates: [0; 8], infinity: true, curve: PhantomData };

    /// A point from its coordinates. SOUNDNESS: the caller has checked that they are canonical and satisfy the curve's
    /// equation.
    pub(crate) const fn new(coordinates: Coordinates) -> Self {
        Self { coordinates, infinity: false, curve: PhantomData }
    }

    /// Its coordinates, unless it is infinity.
    pub(crate) fn coordinates(&self) -> Option<&Coordinates> {
        (!self.infinity).then_some(&self.coordinates)
    }

    /// `self += self`. There is no point of order two, so y is not zero.
    #[inline(always)]
    fn double(&mut self) {
        if !self.infinity {
            C::double(&mut self.coordinates);
        }
    }

    /// `self += other`.
    #[inline]
    pub(crate) fn add(&mut self, other: &Self) {
        self.add_with_low_word(other, other.coordinates[0]);
    }

    #[inline(always)]
    fn add_entry(&mut self, entry: &Entry<C>) {
        self.add_with_low_word(&entry.point, entry.low);
    }

    #[inline(always)]
    fn add_with_low_word(&mut self, other: &Self, low: u64) {
        if other.infinity {
            return;
        }
        if self.infinity {
            *self = *other;
            return;
        }
        if self.coordinates[0] == low && self.coordinates[..4] == other.coordinates[..4] {
            return self.add_of_same_x(other);
        }
        C::add_distinct(&mut self.coordinates, &other.coordinates);
    }

    /// Two points of one x are the same, or each other's negation.
    #[cold]
    fn add_of_same_x(&mut self, other: &Self) {
        if self.coordinates[4..] == other.coordinates[4..] {
            C::double(&mut self.coordinates);
        } else {
            *self = Self::INFINITY;
        }
    }

    /// `scalar * self`, for any scalar of 256 bits: the group's order need not be above it.
    pub(crate) fn multiply(&self, scalar: &Limbs) -> Self {
        let mut table = [Entry { point: *self, low: 0 }; 16];
        table[0].point = Self::INFINITY;
        for i in 2..16 {
            let (below, above) = table.split_at_mut(i);
            above[0].point.add(&below[i - 1].point);
        }
        look_up_low_words(&mut table);
        let mut sum = Self::INFINITY;
        for i in (0..64).rev() {
            for _ in 0..4 {
                sum.double();
            }
            sum.add_entry(&table[(scalar[i / 16] >> (4 * (i % 16)) & 15) as usize]);
        }
        sum
    }
}

/// `a * G + b * Q`, given `G`, `2 G` and `3 G`: both scalars two bits at a time, over a table of all sums.
pub(crate) fn combine<C: Curve>(
    a: &Limbs,
    generator: &[Coordinates; 3],
    b: &Limbs,
    q: &Point<C>,
) -> Point<C> {
    // Entry `i + 4 j` is `i G + j Q`. Each starts as a copy of what the processor wrote, and a precompile finishes it.
    let mut table = [Entry { point: Point::INFINITY, low: 0 }; 16];
    for (i, multiple) in generator.iter().enumerate() {
        for j in 0..4 {
            table[i + 1 + 4 * j].point = Point::new(*multiple);
        }
    }
    for j in 1..4 {
        table[4 * j].point = *q;
    }
    table[8].point.double();
    let (below, above) = table.split_at_mut(12);
    above[0].point.add(&below[8].point);
    for j in 1..4 {
        let (multiple, rest) = table[4 * j..4 * j + 4].split_at_mut(1);
        rest.iter_mut().for_each(|entry| entry.point.add(&multiple[0].point));
    }
    look_up_low_words(&mut table);
    let mut sum = Point::INFINITY;
    for i in (0..128).rev() {
        sum.double();
        sum.double();
        let digit = |scalar: &Limbs| (scalar[i / 32] >> (2 * (i % 32)) & 3) as usize;
        sum.add_entry(&table[digit(a) + 4 * digit(b)]);
    }
    sum
}

fn look_up_low_words<C: Curve>(table: &mut [Entry<C>; 16]) {
    for entry in table {
        entry.low = entry.point.coordinates[0];
    }
}
