//! Polynomials as a list of steps, and the interpreter of such lists.
//!
//! A chip says by polynomials in a row of its table which rows are good ones: each has to be zero. SP1 has them as Rust
//! code that is generic in what it calculates with. Here they are data: one step after the other, each of values of steps
//! before it. What is calculated with is generic still: numbers in a verifier.

use serde::{Deserialize, Serialize};
use slop_air::{AirBuilder, AirBuilderWithPublicValues};
use slop_algebra::AbstractField;

/// One step. What it works on are values of earlier steps, said by how many steps before; constants are elements of the
/// field, those of its upper half as negative numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Step {
    /// A column of the row.
    Main(u32),
    /// A column of the row that the verifying key fixes.
    Preprocessed(u32),
    /// One of the shard's public values.
    Public(u32),
    /// A constant.
    Constant(i32),
    /// The sum of two values.
    Add(u32, u32),
    /// The first value less the second.
    Subtract(u32, u32),
    /// The product of two values.
    Multiply(u32, u32),
    /// A value and a constant.
    Shift(u32, i32),
    /// A value times a constant.
    Scale(u32, i32),
}

/// Polynomials that have to be zero, and what is sent to other tables beside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Circuit {
    /// The steps.
    pub steps: Vec<Step>,
    /// The steps whose value has to be zero, in the order in which SP1 asserts them: powers of one challenge tell them
    /// apart.
    pub zeros: Vec<u32>,
    /// What is sent and received. Of the public values alone: a chip's are affine, and beside its circuit.
    pub messages: Vec<Message>,
}

/// Something that is sent to another table, or received from one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Whether it is received.
    pub received: bool,
    /// Number of its kind.
    pub kind: u8,
    /// Whether it is between shards.
    pub global: bool,
    /// The step with how often it is sent.
    pub multiplicity: u32,
    /// The steps with what is sent.
    pub values: Vec<u32>,
}

impl Circuit {
    /// The values of all steps.
    pub(crate) fn run<AB: AirBuilderWithPublicValues>(
        &self,
        main: &[AB::Var],
        preprocessed: &[AB::Var],
        public: &[AB::PublicVar],
    ) -> Vec<AB::Expr> {
        let mut values: Vec<AB::Expr> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let back = |steps: u32| values[values.len() - steps as usize].clone();
            let value = match *step {
                Step::Main(column) => main[column as usize].into(),
                Step::Preprocessed(column) => preprocessed[column as usize].into(),
                Step::Public(index) => public[index as usize].into(),
                Step::Constant(constant) => element::<AB::F>(constant).into(),
                Step::Add(a, b) => back(a) + back(b),
                Step::Subtract(a, b) => back(a) - back(b),
                Step::Multiply(a, b) => back(a) * back(b),
                Step::Shift(a, constant) => back(a) + element::<AB::F>(constant),
                Step::Scale(a, constant) => back(a) * element::<AB::F>(constant),
            };
            values.push(value);
        }
        values
    }

    /// Asserts that what has to be zero is.
    pub(crate) fn assert<AB: AirBuilder>(&self, values: &[AB::Expr], builder: &mut AB) {
        for &zero in &self.zeros {
            builder.assert_zero(values[zero as usize].clone());
        }
    }
}

/// The element of the field that a constant stands for.
pub(crate) fn element<F: AbstractField>(constant: i32) -> F {
    let size = F::from_canonical_u32(constant.unsigned_abs());
    if constant < 0 { -size } else { size }
}
