//! A table's constraints, evaluated in all lanes at once.

use slop_air::{Air, AirBuilder, AirBuilderWithPublicValues, PairBuilder};
use slop_algebra::{AbstractExtensionField, ExtensionField, Field};
use slop_matrix::dense::RowMajorMatrixView;
use sp1_core_machine::air::TrivialOperationBuilder;
use sp1_hypercube::air::EmptyMessageBuilder;

use crate::packed::{Lanes, Packed, broadcast};

/// An AIR whose constraints can be evaluated in lanes, of the base field and of the extension: those of SP1's machines.
pub trait PackedAir<F: Field, EF: ExtensionField<F>>:
    for<'a> Air<LaneFolder<'a, F, EF, F>> + for<'a> Air<LaneFolder<'a, F, EF, EF>>
where
    Packed<F, EF>: AbstractExtensionField<Packed<F, F>> + AbstractExtensionField<Packed<F, EF>>,
{
}

impl<F: Field, EF: ExtensionField<F>, A> PackedAir<F, EF> for A
where
    A: for<'a> Air<LaneFolder<'a, F, EF, F>> + for<'a> Air<LaneFolder<'a, F, EF, EF>>,
    Packed<F, EF>: AbstractExtensionField<Packed<F, F>> + AbstractExtensionField<Packed<F, EF>>,
{
}

/// Adds constraints up, each with its weight.
pub struct LaneFolder<'a, F: Field, EF: ExtensionField<F>, N: ExtensionField<F>> {
    preprocessed: &'a [Lanes<F, N>],
    main: &'a [Lanes<F, N>],
    public_values: &'a [F],
    /// Weights of the constraints that are still to come.
    powers: &'a [EF],
    sum: Packed<F, EF>,
}

impl<'a, F: Field, EF: ExtensionField<F>, N: ExtensionField<F>> LaneFolder<'a, F, EF, N>
where
    Packed<F, EF>: AbstractExtensionField<Packed<F, N>>,
{
    /// The weighed sum of the constraints of `air` in a row.
    pub(crate) fn sum<A: Air<Self>>(
        air: &A,
        preprocessed: &'a [Lanes<F, N>],
        main: &'a [Lanes<F, N>],
        public_values: &'a [F],
        powers: &'a [EF],
    ) -> Packed<F, EF> {
        let sum = broadcast::<F, EF>(EF::zero());
        let mut folder = Self { preprocessed, main, public_values, powers, sum };
        air.eval(&mut folder);
        folder.sum
    }
}

impl<'a, F: Field, EF: ExtensionField<F>, N: ExtensionField<F>> AirBuilder for LaneFolder<'a, F, EF, N>
where
    Packed<F, EF>: AbstractExtensionField<Packed<F, N>>,
{
    type F = F;
    type Expr = Lanes<F, N>;
    type Var = Lanes<F, N>;
    type M = RowMajorMatrixView<'a, Lanes<F, N>>;

    fn main(&self) -> Self::M {
        RowMajorMatrixView::new_row(self.main)
    }

    // SP1's tables look at one row at a time: there is no first and no last one.
    fn is_first_row(&self) -> Self::Expr {
        unreachable!("no constraint of SP1's tables depends on the place of a row")
    }

    fn is_last_row(&self) -> Self::Expr {
        unreachable!("no constraint of SP1's tables depends on the place of a row")
    }

    fn is_transition_window(&self, _: usize) -> Self::Expr {
        unreachable!("no constraint of SP1's tables depends on the place of a row")
    }

    #[inline]
    fn assert_zero<I: Into<Self::Expr>>(&mut self, expression: I) {
        let (power, rest) = self.powers.split_first().expect("a chip counts its constraints");
        self.powers = rest;
        self.sum += broadcast::<F, EF>(*power) * expression.into().0;
    }
}

impl<F: Field, EF: ExtensionField<F>, N: ExtensionField<F>> PairBuilder for LaneFolder<'_, F, EF, N>
where
    Packed<F, EF>: AbstractExtensionField<Packed<F, N>>,
{
    fn preprocessed(&self) -> Self::M {
        RowMajorMatrixView::new_row(self.preprocessed)
    }
}

impl<F: Field, EF: ExtensionField<F>, N: ExtensionField<F>> AirBuilderWithPublicValues
    for LaneFolder<'_, F, EF, N>
where
    Packed<F, EF>: AbstractExtensionField<Packed<F, N>>,
{
    type PublicVar = F;

    fn public_values(&self) -> &[F] {
        self.public_values
    }
}

impl<F: Field, EF: ExtensionField<F>, N: ExtensionField<F>> EmptyMessageBuilder for LaneFolder<'_, F, EF, N> where
    Packed<F, EF>: AbstractExtensionField<Packed<F, N>>
{
}

impl<F: Field, EF: ExtensionField<F>, N: ExtensionField<F>> TrivialOperationBuilder
    for LaneFolder<'_, F, EF, N>
where
    Packed<F, EF>: AbstractExtensionField<Packed<F, N>>,
{
}
