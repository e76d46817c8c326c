//! The zkVM's precompiles for big numbers and curves, as bare as they are.
//!
//! Natively the same functions are ordinary code, and stricter: what a precompile must never be given makes them panic.
//! The algorithms above are so tested on a host exactly as they run in the machine, guards included.

/// A number of 256 bits, least significant word first.
pub(crate) type Limbs = [u64; 4];
/// An affine point: its x, then its y. Infinity has no such form.
pub(crate) type Coordinates = [u64; 8];

/// A short Weierstrass curve `y^2 = x^3 + a x + b` of prime order, so without points of order two, whose addition the
/// machine offers.
pub(crate) trait Curve: Copy {
    /// The field's modulus.
    const MODULUS: Limbs;
    /// `a`, for the native side.
    #[cfg(not(target_os = "zkvm"))]
    const A: Limbs;

    /// `p += q`. Both lie on the curve, in canonical form, and their x differ: the precompile divides by the
    /// difference. The result is canonical, which the machine constrains.
    fn add_distinct(p: &mut Coordinates, q: &Coordinates);

    /// `p += p`, for a point of the curve in canonical form.
    fn double(p: &mut Coordinates);
}

/// secp256k1, of transactions' signatures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Secp256k1;

/// secp256r1, also known as P-256.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Secp256r1;

/// The first group of bn254, also known as alt_bn128.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bn254;

#[cfg(target_os = "zkvm")]
mod zkvm {
    use super::{Coordinates, Limbs};

    // SAFETY of calls: every pointer leads to as many aligned words as its type says; a call reads both operands
    // before it writes the first, so they may be the same.
    unsafe extern "C" {
        pub(super) fn syscall_uint256_mulmod(x: *mut Limbs, y_and_modulus: *const Limbs);
        pub(super) fn syscall_bn254_fp_addmod(x: *mut u64, y: *const u64);
        pub(super) fn syscall_bn254_fp_submod(x: *mut u64, y: *const u64);
        pub(super) fn syscall_bn254_fp_mulmod(x: *mut u64, y: *const u64);
        pub(super) fn syscall_secp256k1_add(p: *mut Coordinates, q: *const Coordinates);
        pub(super) fn syscall_secp256k1_double(p: *mut Coordinates);
        pub(super) fn syscall_secp256r1_add(p: *mut Coordinates, q: *const Coordinates);
        pub(super) fn syscall_secp256r1_double(p: *mut Coordinates);
        pub(super) fn syscall_bn254_add(p: *mut Coordinates, q: *const Coordinates);
        pub(super) fn syscall_bn254_double(p: *mut Coordinates);
        pub(super) fn syscall_keccak_permute(state: *mut [u64; 25]);
    }
}

macro_rules! curve {
    ($name:ty, $add:ident, $double:ident, modulus: $modulus:expr, a: $a:expr) => {
        impl Curve for $name {
            const MODULUS: Limbs = $modulus;
            #[cfg(not(target_os = "zkvm"))]
            const A: Limbs = $a;

            #[inline(always)]
            fn add_distinct(p: &mut Coordinates, q: &Coordinates) {
                #[cfg(target_os = "zkvm")]
                // SAFETY: as said at the declaration.
                unsafe {
                    zkvm::$add(p, q);
                }
                #[cfg(not(target_os = "zkvm"))]
                software::add_distinct::<Self>(p, q);
            }

            #[inline(always)]
            fn double(p: &mut Coordinates) {
                #[cfg(target_os = "zkvm")]
                // SAFETY: as said at the declaration.
                unsafe {
                    zkvm::$double(p);
                }
                #[cfg(not(target_os = "zkvm"))]
                software::double::<Self>(p);
            }
        }
    };
}

curve!(
    Secp256k1, syscall_secp256k1_add, syscall_secp256k1_double,
    modulus: [0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX],
    a: [0; 4]
);
curve!(
    Secp256r1, syscall_secp256r1_add, syscall_secp256r1_double,
    modulus: [u64::MAX, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001],
    a: [u64::MAX - 3, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001]
);
curve!(
    Bn254, syscall_bn254_add, syscall_bn254_double,
    modulus: [0x3c20_8c16_d87c_fd47, 0x9781_6a91_6871_ca8d, 0xb850_45b6_8181_585d, 0x3064_4e72_e131_a029],
    a: [0; 4]
);

/// `x = x * y mod modulus`, where `operand` is `y` and behind it the modulus, which is not zero. The result is below
/// the modulus, which the machine constrains.
#[inline(always)]
pub(crate) fn multiply_modulo(x: &mut Limbs, operand: &[Limbs; 2]) {
    #[cfg(target_os = "zkvm")]
    // SAFETY: as said at the declaration; two arrays of four words are eight words.
    unsafe {
        zkvm::syscall_uint256_mulmod(x, operand.as_ptr());
    }
    #[cfg(not(target_os = "zkvm"))]
    {
        *x = software::multiply_modulo(x, &operand[0], &operand[1]);
    }
}

/// `x = x^2 mod modulus` of the eight words `x` and modulus.
#[inline(always)]
pub(crate) fn square_modulo(x: &mut [Limbs; 2]) {
    #[cfg(target_os = "zkvm")]
    // SAFETY: as said at the declaration, with both operands at one place.
    unsafe {
        let place: *mut Limbs = x.as_mut_ptr();
        zkvm::syscall_uint256_mulmod(place, place);
    }
    #[cfg(not(target_os = "zkvm"))]
    {
        x[0] = software::multiply_modulo(&x[0], &x[0], &x[1]);
    }
}

/// What bn254's base field can do in one call.
#[derive(Clone, Copy)]
pub(crate) enum FieldCall {
    Add,
    Subtract,
    Multiply,
}

/// `x = x op y` in bn254's base field, canonical whatever the operands are.
///
/// # Safety
/// Both pointers lead to limbs; they may be the same.
#[inline(always)]
pub(crate) unsafe fn bn254_field(call: FieldCall, x: *mut Limbs, y: *const Limbs) {
    #[cfg(target_os = "zkvm")]
    // SAFETY: as said at the declaration.
    unsafe {
        match call {
            FieldCall::Add => zkvm::syscall_bn254_fp_addmod(x.cast(), y.cast()),
            FieldCall::Subtract => zkvm::syscall_bn254_fp_submod(x.cast(), y.cast()),
            FieldCall::Multiply => zkvm::syscall_bn254_fp_mulmod(x.cast(), y.cast()),
        }
    }
    #[cfg(not(target_os = "zkvm"))]
    // SAFETY: the caller's.
    unsafe {
        *x = software::bn254_field(call, &*x, &*y);
    }
}

/// Keccak-f\[1600\] on 25 lanes.
#[cfg(target_os = "zkvm")]
#[inline(always)]
pub(crate) fn keccak_permute(state: &mut [u64; 25]) {
    // SAFETY: as said at the declaration.
    unsafe { zkvm::syscall_keccak_permute(state) }
}

#[cfg(not(target_os = "zkvm"))]
mod software {
    use alloy_primitives::U256;

    use super::{Bn254, Coordinates, Curve, FieldCall, Limbs};

    pub(super) fn multiply_modulo(x: &Limbs, y: &Limbs, modulus: &Limbs) -> Limbs {
        assert_ne!(*modulus, [0; 4], "the precompile takes zero for 2^256");
        U256::from_limbs(*x).mul_mod(U256::from_limbs(*y), U256::from_limbs(*modulus)).into_limbs()
    }

    pub(super) fn bn254_field(call: FieldCall, x: &Limbs, y: &Limbs) -> Limbs {
        let (x, y, modulus) = (U256::from_limbs(*x), U256::from_limbs(*y), U256::from_limbs(Bn254::MODULUS));
        match call {
            FieldCall::Add => x.add_mod(y, modulus),
            FieldCall::Subtract => x.add_mod(modulus - y % modulus, modulus),
            FieldCall::Multiply => x.mul_mod(y, modulus),
        }
        .into_limbs()
    }

    fn split<C: Curve>(point: &Coordinates) -> (U256, U256) {
        let [x, y] = [&point[..4], &point[4..]].map(U256::from_limbs_slice);
        let modulus = U256::from_limbs(C::MODULUS);
        assert!(x < modulus && y < modulus, "coordinates in canonical form");
        (x, y)
    }

    /// The third point on the line through `p`, mirrored.
    fn along<C: Curve>(p: &mut Coordinates, other_x: U256, rise: U256, run: U256) {
        let modulus = U256::from_limbs(C::MODULUS);
        let minus = |x: U256| (modulus - x) % modulus;
        let (x, y) = split::<C>(p);
        let run = run.inv_mod(modulus).expect("the precompile divides by no zero");
        let slope = rise.mul_mod(run, modulus);
        let third = slope.mul_mod(slope, modulus).add_mod(minus(x), modulus).add_mod(minus(other_x), modulus);
        let height = slope.mul_mod(x.add_mod(minus(third), modulus), modulus).add_mod(minus(y), modulus);
        p[..4].copy_from_slice(third.as_limbs());
        p[4..].copy_from_slice(height.as_limbs());
    }

    pub(super) fn add_distinct<C: Curve>(p: &mut Coordinates, q: &Coordinates) {
        let modulus = U256::from_limbs(C::MODULUS);
        let ((px, py), (qx, qy)) = (split::<C>(p), split::<C>(q));
        assert_ne!(px, qx, "the precompile adds points of different x");
        along::<C>(p, qx, qy.add_mod(modulus - py, modulus), qx.add_mod(modulus - px, modulus));
    }

    pub(super) fn double<C: Curve>(p: &mut Coordinates) {
        let modulus = U256::from_limbs(C::MODULUS);
        let (x, y) = split::<C>(p);
        let rise =
            U256::from(3).mul_mod(x.mul_mod(x, modulus), modulus).add_mod(U256::from_limbs(C::A), modulus);
        along::<C>(p, x, rise, y.add_mod(y, modulus));
    }
}
