//! The traits of [`Bn254Fr`]. The code is the original's; the arithmetic it calls is ours.

use core::fmt;
use core::fmt::{Debug, Display, Formatter};
use core::hash::{Hash, Hasher};
use core::iter::{Product, Sum};
use core::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use ff::{Field as FFField, PrimeField as FFPrimeField, PrimeFieldBits};
use num_bigint::BigUint;
use p3_field::{AbstractField, Field, Packable, PrimeField};
use rand::distributions::{Distribution, Standard};
use rand::Rng;
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize};

use crate::limbs::{self, Limbs, NEG_R, R, TWO_R};
use crate::{Bn254Fr, FFBn254Fr};

impl Bn254Fr {
    const fn new(value: FFBn254Fr) -> Self {
        Self { value }
    }

    #[inline(always)]
    pub(crate) const fn from_limbs(limbs: Limbs) -> Self {
        Self::new(FFBn254Fr::from_limbs(limbs))
    }

    #[inline(always)]
    pub(crate) const fn limbs(&self) -> &Limbs {
        self.value.limbs()
    }
}

impl PartialEq for Bn254Fr {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.limbs() == other.limbs()
    }
}

impl Eq for Bn254Fr {}

impl Serialize for Bn254Fr {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let repr = self.value.to_repr();
        let bytes = repr.as_ref();

        let mut seq = serializer.serialize_seq(Some(bytes.len()))?;
        for e in bytes {
            seq.serialize_element(&e)?;
        }
        seq.end()
    }
}

impl<'de> Deserialize<'de> for Bn254Fr {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let bytes: Vec<u8> = Deserialize::deserialize(d)?;

        let mut res = <FFBn254Fr as FFPrimeField>::Repr::default();

        // As in the original, bytes beyond the 32nd do not count. Fewer are an error; the original panics.
        match bytes.get(..res.0.len()) {
            Some(bytes) => res.0.copy_from_slice(bytes),
            None => return Err(serde::de::Error::invalid_length(bytes.len(), &"32 bytes")),
        }

        let value = FFBn254Fr::from_repr(res);

        if value.is_some().into() {
            Ok(Self { value: value.unwrap() })
        } else {
            Err(serde::de::Error::custom("Invalid field element"))
        }
    }
}

impl Packable for Bn254Fr {}

impl Hash for Bn254Fr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.value.to_repr().as_ref().iter() {
            state.write_u8(*byte);
        }
    }
}

impl Ord for Bn254Fr {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.value.cmp(&other.value)
    }
}

impl PartialOrd for Bn254Fr {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Display for Bn254Fr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        <FFBn254Fr as Debug>::fmt(&self.value, f)
    }
}

impl Debug for Bn254Fr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Debug::fmt(&self.value, f)
    }
}

impl AbstractField for Bn254Fr {
    type F = Self;

    #[inline]
    fn zero() -> Self {
        Self::from_limbs([0; 4])
    }

    #[inline]
    fn one() -> Self {
        Self::from_limbs(R)
    }

    #[inline]
    fn two() -> Self {
        Self::from_limbs(TWO_R)
    }

    #[inline]
    fn neg_one() -> Self {
        Self::from_limbs(NEG_R)
    }

    #[inline]
    fn from_f(f: Self::F) -> Self {
        f
    }

    #[inline]
    fn from_bool(b: bool) -> Self {
        Self::from_canonical_u64(b as u64)
    }

    #[inline]
    fn from_canonical_u8(n: u8) -> Self {
        Self::from_canonical_u64(n as u64)
    }

    #[inline]
    fn from_canonical_u16(n: u16) -> Self {
        Self::from_canonical_u64(n as u64)
    }

    #[inline]
    fn from_canonical_u32(n: u32) -> Self {
        Self::from_canonical_u64(n as u64)
    }

    #[inline]
    fn from_canonical_u64(n: u64) -> Self {
        Self::from_limbs(limbs::from_u64(n))
    }

    #[inline]
    fn from_canonical_usize(n: usize) -> Self {
        Self::from_canonical_u64(n as u64)
    }

    #[inline]
    fn from_wrapped_u32(n: u32) -> Self {
        Self::from_canonical_u64(n as u64)
    }

    #[inline]
    fn from_wrapped_u64(n: u64) -> Self {
        Self::from_canonical_u64(n)
    }

    fn generator() -> Self {
        Self::from_canonical_u64(5)
    }

    #[inline]
    fn double(&self) -> Self {
        *self + *self
    }

    #[inline]
    fn square(&self) -> Self {
        Self::from_limbs(limbs::square(self.limbs()))
    }
}

impl Field for Bn254Fr {
    type Packing = Self;

    #[inline]
    fn is_zero(&self) -> bool {
        *self.limbs() == [0; 4]
    }

    fn try_inverse(&self) -> Option<Self> {
        let inverse = self.value.invert();

        if inverse.is_some().into() {
            Some(Self::new(inverse.unwrap()))
        } else {
            None
        }
    }

    fn order() -> BigUint {
        let bytes = FFBn254Fr::char_le_bits();
        BigUint::from_bytes_le(bytes.as_raw_slice())
    }
}

impl PrimeField for Bn254Fr {
    fn as_canonical_biguint(&self) -> BigUint {
        let repr = self.value.to_repr();
        let le_bytes = repr.as_ref();
        BigUint::from_bytes_le(le_bytes)
    }
}

impl Add for Bn254Fr {
    type Output = Self;

    #[inline]
    fn add(self, rhs: Self) -> Self {
        Self::from_limbs(limbs::add(self.limbs(), rhs.limbs()))
    }
}

impl AddAssign for Bn254Fr {
    #[inline]
    fn add_assign(&mut self, rhs: Self) {
        *self = *self + rhs;
    }
}

impl Sum for Bn254Fr {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.reduce(|x, y| x + y).unwrap_or(Self::zero())
    }
}

impl Sub for Bn254Fr {
    type Output = Self;

    #[inline]
    fn sub(self, rhs: Self) -> Self {
        Self::from_limbs(limbs::sub(self.limbs(), rhs.limbs()))
    }
}

impl SubAssign for Bn254Fr {
    #[inline]
    fn sub_assign(&mut self, rhs: Self) {
        *self = *self - rhs;
    }
}

impl Neg for Bn254Fr {
    type Output = Self;

    #[inline]
    fn neg(self) -> Self::Output {
        Self::from_limbs(limbs::neg(self.limbs()))
    }
}

impl Mul for Bn254Fr {
    type Output = Self;

    #[inline]
    fn mul(self, rhs: Self) -> Self {
        Self::from_limbs(limbs::mul(self.limbs(), rhs.limbs()))
    }
}

impl MulAssign for Bn254Fr {
    #[inline]
    fn mul_assign(&mut self, rhs: Self) {
        *self = *self * rhs;
    }
}

impl Product for Bn254Fr {
    fn product<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.reduce(|x, y| x * y).unwrap_or(Self::one())
    }
}

impl Div for Bn254Fr {
    type Output = Self;

    #[allow(clippy::suspicious_arithmetic_impl)]
    fn div(self, rhs: Self) -> Self {
        self * rhs.inverse()
    }
}

impl Distribution<Bn254Fr> for Standard {
    #[inline]
    fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> Bn254Fr {
        Bn254Fr::new(FFBn254Fr::random(rng))
    }
}
