//! The Montgomery product with BMI2 and ADX: `mulx` leaves the flags alone, and `adcx` and `adox` add along two carry
//! chains at once, so that the low and the high halves of a row of products are added without saving a carry.
//!
//! The compiler does not make two chains out of Rust code, hence the assembly. The steps are those of
//! [`crate::limbs`], with the same bounds.

use core::arch::asm;

use crate::limbs::{Limbs, MODULUS, NEG_INV, SHIFTED};

static P: Limbs = MODULUS;
static S: Limbs = SHIFTED;

/// Adds `rdx * (n0, n1, n2, n3)` to the five limbs `t1, t2, t3, t4, t0`, lowest first. Needs both carry flags clear and
/// a sum that fits, and leaves both clear.
macro_rules! add_row {
    ($n0:literal, $n1:literal, $n2:literal, $n3:literal, $t1:literal, $t2:literal, $t3:literal, $t4:literal, $t0:literal) => {
        concat!(
            "mulx {hi}, {lo}, ",
            $n0,
            "\n",
            "adcx {",
            $t1,
            "}, {lo}\n",
            "adox {",
            $t2,
            "}, {hi}\n",
            "mulx {hi}, {lo}, ",
            $n1,
            "\n",
            "adcx {",
            $t2,
            "}, {lo}\n",
            "adox {",
            $t3,
            "}, {hi}\n",
            "mulx {hi}, {lo}, ",
            $n2,
            "\n",
            "adcx {",
            $t3,
            "}, {lo}\n",
            "adox {",
            $t4,
            "}, {hi}\n",
            "mulx {hi}, {lo}, ",
            $n3,
            "\n",
            "adcx {",
            $t4,
            "}, {lo}\n",
            "adox {",
            $t0,
            "}, {hi}\n",
            "mov {lo:e}, 0\n",
            "adcx {",
            $t0,
            "}, {lo}\n",
        )
    };
}

/// Divides by `2^64` and adds a limb of the second factor, `$b`, times the first factor. The limbs move one place:
/// what was `t0` becomes the highest.
macro_rules! step {
    ($b:literal, $t0:literal, $t1:literal, $t2:literal, $t3:literal, $t4:literal) => {
        concat!(
            "mov {q}, {",
            $t0,
            "}\n",
            "mov rdx, ",
            $b,
            "\n",
            "xor {",
            $t0,
            ":e}, {",
            $t0,
            ":e}\n",
            add_row!("{a0}", "{a1}", "{a2}", "{a3}", $t1, $t2, $t3, $t4, $t0),
            "mov rdx, {q}\n",
            "xor {lo:e}, {lo:e}\n",
            add_row!(
                "[rip + {s}]",
                "[rip + {s} + 8]",
                "[rip + {s} + 16]",
                "[rip + {s} + 24]",
                $t1,
                $t2,
                $t3,
                $t4,
                $t0
            ),
        )
    };
}

/// The whole product, the limbs of its second factor written as given. `rdx` holds the first one.
macro_rules! product {
    ($a:ident, $b1:literal, $b2:literal, $b3:literal, $($operands:tt)*) => {{
        let (r0, r1, r2, r3): (u64, u64, u64, u64);
        // SAFETY: reads the limbs named as inputs and two constants, and writes registers only. The build targets BMI2
        // and ADX.
        unsafe {
            asm!(
                "xor {t4:e}, {t4:e}",
                "mulx {t1}, {t0}, {a0}",
                "mulx {t2}, {lo}, {a1}",
                "adcx {t1}, {lo}",
                "mulx {t3}, {lo}, {a2}",
                "adcx {t2}, {lo}",
                "mulx {hi}, {lo}, {a3}",
                "adcx {t3}, {lo}",
                "adcx {t4}, {hi}",
                step!($b1, "t0", "t1", "t2", "t3", "t4"),
                step!($b2, "t1", "t2", "t3", "t4", "t0"),
                step!($b3, "t2", "t3", "t4", "t0", "t1"),
                // Now `t3` is the lowest limb, and `p` itself clears it: the first sum is zero and a carry.
                "mov rdx, {neg_inv}",
                "imul rdx, {t3}",
                "xor {lo:e}, {lo:e}",
                "mulx {hi}, {lo}, [rip + {p}]",
                "adcx {t3}, {lo}",
                "adox {t4}, {hi}",
                "mulx {hi}, {lo}, [rip + {p} + 8]",
                "adcx {t4}, {lo}",
                "adox {t0}, {hi}",
                "mulx {hi}, {lo}, [rip + {p} + 16]",
                "adcx {t0}, {lo}",
                "adox {t1}, {hi}",
                "mulx {hi}, {lo}, [rip + {p} + 24]",
                "adcx {t1}, {lo}",
                "adox {t2}, {hi}",
                "adcx {t2}, {t3}",
                $($operands)*
                a0 = in(reg) $a[0],
                a1 = in(reg) $a[1],
                a2 = in(reg) $a[2],
                a3 = in(reg) $a[3],
                p = sym P,
                s = sym S,
                neg_inv = const NEG_INV,
                t4 = out(reg) r0,
                t0 = out(reg) r1,
                t1 = out(reg) r2,
                t2 = out(reg) r3,
                t3 = out(reg) _,
                lo = out(reg) _,
                hi = out(reg) _,
                q = out(reg) _,
            );
        }
        [r0, r1, r2, r3]
    }};
}

/// See [`crate::limbs::mul_lazy_portable`]. Where one factor is known later than the other, it should be `a`.
#[inline(always)]
pub(crate) fn mul_lazy(a: &Limbs, b: &Limbs) -> Limbs {
    product!(a, "[{b} + 8]", "[{b} + 16]", "[{b} + 24]",
        b = in(reg) b.as_ptr(), inout("rdx") b[0] => _, options(pure, readonly, nostack),)
}

/// See [`crate::limbs::square_lazy_portable`].
#[inline(always)]
pub(crate) fn square_lazy(a: &Limbs) -> Limbs {
    product!(a, "{a1}", "{a2}", "{a3}", inout("rdx") a[0] => _, options(pure, readonly, nostack),)
}
