//! ECDSA over the curve precompiles: what verification and recovery share.

use super::machine::{Coordinates, Curve, Limbs};
use super::point::{Point, combine};
use super::residue::{Residue, below, from_bytes, negate, subtract};

/// A curve with what signatures need beside its addition.
pub(crate) trait SigningCurve: Curve {
    /// The group's order, a prime.
    const ORDER: Limbs;
    /// The generator, twice and three times it.
    const GENERATOR: [Coordinates; 3];

    /// Whether `y^2 = x^3 + a x + b`, for x and y below the modulus.
    fn holds(x: &Limbs, y: &Limbs) -> bool;
}

/// Both halves of a signature, not zero and below the group's order.
#[derive(Clone, Copy)]
pub(crate) struct Signature {
    pub(crate) r: Limbs,
    pub(crate) s: Limbs,
}

impl Signature {
    /// Reads `r` and `s`, 32 big-endian bytes each; none if one of them is zero or not below the order.
    pub(crate) fn read<C: SigningCurve>(bytes: &[u8; 64]) -> Option<Self> {
        let [r, s] = halves(bytes);
        let valid = |scalar: &Limbs| *scalar != [0; 4] && below(scalar, &C::ORDER);
        (valid(&r) && valid(&s)).then_some(Self { r, s })
    }

    /// The point whose x is `r` modulo the order if the signature of `digest` is by `key`: `z/s G + r/s Q`.
    pub(crate) fn commitment<C: SigningCurve>(&self, digest: &[u8; 32], key: &Point<C>) -> Point<C> {
        let scalar = |limbs| Residue::new(limbs, &C::ORDER);
        let inverse = scalar(self.s).inverse();
        let mut a = scalar(from_bytes(digest));
        a.multiply(&inverse);
        let mut b = scalar(self.r);
        b.multiply(&inverse);
        combine(a.limbs(), &C::GENERATOR, b.limbs(), key)
    }

    /// The key under which `commitment` is that of this signature of `digest`: `-z/r G + s/r R`.
    pub(crate) fn key<C: SigningCurve>(&self, digest: &[u8; 32], commitment: &Point<C>) -> Point<C> {
        let scalar = |limbs| Residue::new(limbs, &C::ORDER);
        let inverse = scalar(self.r).inverse();
        let mut a = scalar(from_bytes(digest));
        a.multiply(&inverse);
        let mut b = scalar(self.s);
        b.multiply(&inverse);
        combine(&negate(a.limbs(), &C::ORDER), &C::GENERATOR, b.limbs(), commitment)
    }
}

/// Reads an uncompressed key without its tag; none if it is no point of the curve.
pub(crate) fn read_key<C: SigningCurve>(bytes: &[u8; 64]) -> Option<Point<C>> {
    let [x, y] = halves(bytes);
    if !below(&x, &C::MODULUS) || !below(&y, &C::MODULUS) || !C::holds(&x, &y) {
        return None;
    }
    Some(Point::new(join(&x, &y)))
}

/// Both coordinates in one.
pub(crate) fn join(x: &Limbs, y: &Limbs) -> Coordinates {
    [x[0], x[1], x[2], x[3], y[0], y[1], y[2], y[3]]
}

/// Two numbers of 32 big-endian bytes each.
pub(crate) fn halves(bytes: &[u8; 64]) -> [Limbs; 2] {
    let (halves, _) = bytes.as_chunks::<32>();
    [from_bytes(&halves[0]), from_bytes(&halves[1])]
}

/// Whether `signature` of `digest` is by `key`, which is uncompressed and without its tag. `s` may be high.
pub(crate) fn verify<C: SigningCurve>(signature: &[u8; 64], digest: &[u8; 32], key: &[u8; 64]) -> Option<()> {
    let signature = Signature::read::<C>(signature)?;
    let key = read_key::<C>(key)?;
    let commitment = signature.commitment(digest, &key);
    let [x0, x1, x2, x3, ..] = *commitment.coordinates()?;
    let x = [x0, x1, x2, x3];
    // An x is below the modulus, and both curves' moduli are below twice their order.
    let x = if below(&x, &C::ORDER) { x } else { subtract(&x, &C::ORDER) };
    (x == signature.r).then_some(())
}
