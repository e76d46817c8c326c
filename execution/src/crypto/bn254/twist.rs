//! Points on the twist `y^2 = x^3 + 3 / (9 + i)`, and the lines that Miller's algorithm draws through them.
//!
//! Formulas: Aranha, Barreto, Longa and Ricardini, "The Realm of the Pairings" (2013/722), in homogeneous coordinates
//! and scaled by 4 where that spares halving.

use super::field::Fp;
use super::fp2::Fp2;

/// `3 / (9 + i)`.
const B: Fp2 = Fp2 {
    c0: Fp([0x3267_e6dc_24a1_38e5, 0xb5b4_c5e5_59db_efa3, 0x81be_1899_1be0_6ac3, 0x2b14_9d40_ceb8_aaae]),
    c1: Fp([0xe4a2_bd06_85c3_15d2, 0xa74f_a084_e52d_1852, 0xcd2c_afad_eed8_fdf4, 0x0097_13b0_3af0_fed4]),
};

/// `9 / (9 + i)`.
const THREE_B: Fp2 = Fp2 {
    c0: Fp([0x1ef6_9c66_bce9_b021, 0xf21b_7c8d_3cb0_39cf, 0x1499_be5e_509e_8f8f, 0x2075_3adc_a9c6_bfb8]),
    c1: Fp([0xade8_3713_9149_4176, 0xf5ee_e18e_af87_48f8, 0x6786_0f09_cc8a_f9dd, 0x01c5_3b10_b0d2_fc7e]),
};

/// `(9 + i)^((p - 1) / 3)`: the endomorphism multiplies the conjugate of x by it.
pub(super) const ENDOMORPHISM_X: Fp2 = Fp2 {
    c0: Fp([0x99e3_9557_176f_553d, 0xb78c_c310_c2c3_330c, 0x4c0b_ec3c_f559_b143, 0x2fb3_4798_4f79_11f7]),
    c1: Fp([0x1665_d51c_640f_cba2, 0x32ae_2a1d_0b7c_9dce, 0x4ba4_cc8b_d75a_0794, 0x16c9_e550_61eb_ae20]),
};

/// `(9 + i)^((p - 1) / 2)`: it multiplies the conjugate of y by that.
pub(super) const ENDOMORPHISM_Y: Fp2 = Fp2 {
    c0: Fp([0xdc54_0146_71a0_135a, 0xdbaa_e0ed_a9c9_5998, 0xdc5e_c698_b6e2_f9b9, 0x063c_f305_489a_f5dc]),
    c1: Fp([0x82d3_7f63_2623_b0e3, 0x2180_7dc9_8fa2_5bd2, 0x0704_b5a7_ec79_6f2b, 0x07c0_3cbc_ac41_049a]),
};

/// A point of the twist other than infinity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TwistPoint {
    pub(crate) x: Fp2,
    pub(crate) y: Fp2,
}

impl TwistPoint {
    /// Whether it satisfies the equation.
    pub(super) fn is_on_twist(&self) -> bool {
        let mut right = self.x;
        right.square();
        right.multiply(&self.x);
        right.add(&B);
        let mut left = self.y;
        left.square();
        left == right
    }

    /// The endomorphism that on the second group multiplies by `p`: untwist, Frobenius, twist.
    pub(super) fn endomorphism(&self) -> Self {
        let mut image = *self;
        image.x.conjugate();
        image.x.multiply(&ENDOMORPHISM_X);
        image.y.conjugate();
        image.y.multiply(&ENDOMORPHISM_Y);
        image
    }

    pub(super) fn negate(&mut self) {
        self.y.negate();
    }
}

/// A point as `x / z, y / z`. Once `z` is zero it stays so.
#[derive(Clone, Debug)]
pub(super) struct Moving {
    x: Fp2,
    y: Fp2,
    z: Fp2,
}

/// A line's coefficients: `a y + b x w + c w^3` at the point `(x, y)` of the first group.
pub(super) type Line = [Fp2; 3];

impl Moving {
    pub(super) fn new(point: &TwistPoint) -> Self {
        Self { x: point.x, y: point.y, z: Fp2::ONE }
    }

    /// Whether it is this point. Never for `z = 0`: what went through an exceptional case of the formulas is refused.
    pub(super) fn is(&self, point: &TwistPoint) -> bool {
        !self.z.is_zero() && point.x.product(&self.z) == self.x && point.y.product(&self.z) == self.y
    }

    /// Doubles it and gives the tangent.
    pub(super) fn double(&mut self) -> Line {
        let mut twice_xy = self.x.product(&self.y);
        twice_xy.double();
        let mut twice_yz = self.y.product(&self.z);
        twice_yz.double();
        let (mut b, mut e) = (self.y, self.z);
        b.square();
        e.square();
        e.multiply(&THREE_B);
        let mut f = e;
        f.double();
        f.add(&e);
        let mut slope = self.x;
        slope.square();
        let mut tangent = slope;
        tangent.double();
        tangent.add(&slope);
        let mut constant = e;
        constant.subtract(&b);

        self.x = b;
        self.x.subtract(&f);
        self.x.multiply(&twice_xy);
        self.y = b;
        self.y.add(&f);
        self.y.square();
        // 12 e^2 = (2 e) (6 e)
        e.double();
        f.double();
        e.multiply(&f);
        self.y.subtract(&e);
        self.z = b;
        self.z.multiply(&twice_yz);
        self.z.double();
        self.z.double();

        twice_yz.negate();
        [twice_yz, tangent, constant]
    }

    /// Adds a point, other than itself and its negation, and gives the line through both.
    pub(super) fn add(&mut self, point: &TwistPoint) -> Line {
        let (mut theta, mut lambda) = (self.y, self.x);
        theta.subtract(&point.y.product(&self.z));
        lambda.subtract(&point.x.product(&self.z));
        let (mut c, mut d) = (theta, lambda);
        c.square();
        d.square();
        let e = lambda.product(&d);
        c.multiply(&self.z);
        d.multiply(&self.x);
        let mut h = e;
        h.add(&c);
        h.subtract(&d);
        h.subtract(&d);
        self.x = lambda.product(&h);
        d.subtract(&h);
        d.multiply(&theta);
        self.y.multiply(&e);
        d.subtract(&self.y);
        self.y = d;
        self.z.multiply(&e);
        let mut constant = theta.product(&point.x);
        constant.subtract(&lambda.product(&point.y));
        theta.negate();
        [lambda, theta, constant]
    }
}
