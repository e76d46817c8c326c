//! As many values as a vector register holds: 16 with AVX-512, 8 with AVX2, one where there is neither.

use std::{
    iter::{Product, Sum},
    ops::{Add, AddAssign, Mul, MulAssign, Neg, Sub, SubAssign},
};

use slop_algebra::{AbstractExtensionField, AbstractField, ExtensionField, Field, PackedValue};

/// Values of `N`, one in each lane.
pub(crate) type Packed<F, N> = <N as ExtensionField<F>>::ExtensionPacking;

/// Lanes of a register.
pub(crate) fn lanes<F: Field>() -> usize {
    F::Packing::WIDTH
}

/// The same value in all lanes.
pub(crate) fn broadcast<F: Field, N: ExtensionField<F>>(value: N) -> Packed<F, N> {
    Packed::<F, N>::from_base_fn(|digit| F::Packing::from(value.as_base_slice()[digit]))
}

/// The sum over all lanes.
pub(crate) fn sum<F: Field, N: ExtensionField<F>>(packed: Packed<F, N>) -> N {
    N::from_base_fn(|digit| packed.as_base_slice()[digit].as_slice().iter().copied().sum())
}

/// The value in the first lane.
pub(crate) fn first<F: Field, N: ExtensionField<F>>(packed: Packed<F, N>) -> N {
    N::from_base_fn(|digit| packed.as_base_slice()[digit].as_slice()[0])
}

/// The values in the lanes that are `wanted`, and `other` in all others.
pub(crate) fn choose<F: Field, N: ExtensionField<F>>(
    packed: Packed<F, N>,
    other: N,
    wanted: impl Fn(usize) -> bool,
) -> Packed<F, N> {
    Packed::<F, N>::from_base_fn(|digit| {
        let (values, other) = (packed.as_base_slice()[digit], other.as_base_slice()[digit]);
        F::Packing::from_fn(|lane| if wanted(lane) { values.as_slice()[lane] } else { other })
    })
}

/// A weight for each lane, the first `wanted` of `weights` from `from` on and zeros after them.
pub(crate) fn weights<F: Field, EF: ExtensionField<F>>(
    weights: &[EF],
    from: usize,
    wanted: usize,
) -> Packed<F, EF> {
    let weights = &weights[from.min(weights.len())..wanted.min(weights.len())];
    Packed::<F, EF>::from_base_fn(|digit| {
        F::Packing::from_fn(|lane| {
            weights.get(lane).map_or(F::zero(), |weight| weight.as_base_slice()[digit])
        })
    })
}

/// Values as SP1's tables want the expressions that their constraints are made of: they multiply by constants of the base
/// field, which packed values of an extension do not.
pub struct Lanes<F: Field, N: ExtensionField<F>>(pub(crate) Packed<F, N>);

impl<F: Field, N: ExtensionField<F>> Clone for Lanes<F, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F: Field, N: ExtensionField<F>> Copy for Lanes<F, N> {}

impl<F: Field, N: ExtensionField<F>> Default for Lanes<F, N> {
    fn default() -> Self {
        Self(Packed::<F, N>::zero())
    }
}

impl<F: Field, N: ExtensionField<F>> std::fmt::Debug for Lanes<F, N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl<F: Field, N: ExtensionField<F>> From<F> for Lanes<F, N> {
    fn from(value: F) -> Self {
        Self(Packed::<F, N>::from_base(F::Packing::from(value)))
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $assign:ident, $assign_method:ident) => {
        impl<F: Field, N: ExtensionField<F>> $trait for Lanes<F, N> {
            type Output = Self;
            #[inline]
            fn $method(self, other: Self) -> Self {
                Self(self.0.$method(other.0))
            }
        }

        impl<F: Field, N: ExtensionField<F>> $trait<F> for Lanes<F, N> {
            type Output = Self;
            #[inline]
            fn $method(self, constant: F) -> Self {
                Self(self.0.$method(F::Packing::from(constant)))
            }
        }

        impl<F: Field, N: ExtensionField<F>> $assign for Lanes<F, N> {
            #[inline]
            fn $assign_method(&mut self, other: Self) {
                *self = (*self).$method(other);
            }
        }
    };
}

operator!(Add, add, AddAssign, add_assign);
operator!(Sub, sub, SubAssign, sub_assign);
operator!(Mul, mul, MulAssign, mul_assign);

impl<F: Field, N: ExtensionField<F>> Neg for Lanes<F, N> {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl<F: Field, N: ExtensionField<F>> Sum for Lanes<F, N> {
    fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
        values.fold(Self::zero(), Add::add)
    }
}

impl<F: Field, N: ExtensionField<F>> Product for Lanes<F, N> {
    fn product<I: Iterator<Item = Self>>(values: I) -> Self {
        values.fold(Self::one(), Mul::mul)
    }
}

macro_rules! constants {
    ($($name:ident($($argument:ident: $type:ty)?);)*) => {
        $(fn $name($($argument: $type)?) -> Self {
            Self(Packed::<F, N>::$name($($argument)?))
        })*
    };
}

impl<F: Field, N: ExtensionField<F>> AbstractField for Lanes<F, N> {
    type F = N;

    fn from_f(value: N) -> Self {
        Self(broadcast::<F, N>(value))
    }

    constants! {
        zero();
        one();
        two();
        neg_one();
        generator();
        from_bool(b: bool);
        from_canonical_u8(n: u8);
        from_canonical_u16(n: u16);
        from_canonical_u32(n: u32);
        from_canonical_u64(n: u64);
        from_canonical_usize(n: usize);
        from_wrapped_u32(n: u32);
        from_wrapped_u64(n: u64);
    }
}
