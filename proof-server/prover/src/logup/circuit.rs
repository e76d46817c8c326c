//! The circuit: fractions of all interactions, added up layer by layer.

use std::collections::BTreeSet;

use slop_algebra::{ExtensionField, Field};
use slop_alloc::CpuBackend;
use sp1_hypercube::{Chip, Interaction, air::MachineAir, prover::Traces};

use super::layer::{AnyLayer, Fractions, Layer};
use crate::table::Table;

/// What fingerprints are made with.
pub(crate) struct Challenges<EF> {
    pub(crate) alpha: EF,
    /// One for the kind of an interaction and one for each of its values.
    pub(crate) betas: Vec<EF>,
}

/// All layers, the first one first.
pub(crate) struct Circuit<F: Field, EF: ExtensionField<F>> {
    first: Layer<F, EF>,
    further: Vec<Layer<EF, EF>>,
    interaction_variables: usize,
}

impl<F: Field, EF: ExtensionField<F>> Circuit<F, EF> {
    pub(crate) fn new<A: MachineAir<F>>(
        chips: &BTreeSet<Chip<F, A>>,
        preprocessed: &Traces<F, CpuBackend>,
        main: &Traces<F, CpuBackend>,
        challenges: &Challenges<EF>,
    ) -> Self {
        let variables = main.values().next().expect("a shard has tables").num_variables() as usize;
        let tables = chips.iter().map(|chip| fractions(chip, preprocessed, main, challenges)).collect();
        let first = Layer { tables, row_variables: variables - 1 };
        let mut further: Vec<Layer<EF, EF>> = Vec::with_capacity(variables);
        while further.last().map_or(first.row_variables, |layer| layer.row_variables) > 1 {
            further.push(further.last().map_or_else(|| first.next(), Layer::next));
        }
        let interactions = first.tables.iter().map(Fractions::width).sum::<usize>();
        Self { first, further, interaction_variables: interactions.next_power_of_two().ilog2() as usize }
    }

    /// Logarithm of the number of interactions.
    pub(crate) fn interaction_variables(&self) -> usize {
        self.interaction_variables
    }

    /// Numerators and denominators of the two fractions that are left of each interaction.
    pub(crate) fn output(&self) -> (Vec<EF>, Vec<EF>) {
        let last = self.further.last().expect("machines have more than two row variables");
        let fractions = last.tables.iter().flat_map(|table| {
            (0..table.width()).flat_map(move |column| [0, 1].map(|row| table.sum_at(row, column)))
        });
        let (mut numerators, mut denominators): (Vec<_>, Vec<_>) = fractions.unzip();
        numerators.resize(2 << self.interaction_variables, EF::zero());
        denominators.resize(2 << self.interaction_variables, EF::one());
        (numerators, denominators)
    }

    pub(crate) fn into_layers_from_the_last(self) -> impl Iterator<Item = AnyLayer<F, EF>> {
        self.further
            .into_iter()
            .rev()
            .map(AnyLayer::Further)
            .chain(std::iter::once(AnyLayer::First(self.first)))
    }
}

/// The fractions of a table's interactions, in the first layer.
fn fractions<F: Field, EF: ExtensionField<F>, A: MachineAir<F>>(
    chip: &Chip<F, A>,
    preprocessed: &Traces<F, CpuBackend>,
    main: &Traces<F, CpuBackend>,
    challenges: &Challenges<EF>,
) -> Fractions<F, EF> {
    let interactions: Vec<(&Interaction<F>, bool)> = (chip.sends().iter().map(|sent| (sent, true)))
        .chain(chip.receives().iter().map(|received| (received, false)))
        .collect();
    let width = interactions.len();
    let main = trace(chip.name(), main);
    let preprocessed = trace(chip.name(), preprocessed);
    let height = main.as_ref().map_or(0, Table::height);
    Fractions::new(width, height, |row, numerators, denominators| {
        let main = main.as_ref().and_then(|table| table.row(row)).unwrap_or(&[]);
        let preprocessed = preprocessed.as_ref().and_then(|table| table.row(row)).unwrap_or(&[]);
        for (column, (interaction, sent)) in interactions.iter().enumerate() {
            let multiplicity = interaction.multiplicity.apply::<F, F>(preprocessed, main);
            numerators[column] = if *sent { multiplicity } else { -multiplicity };
            denominators[column] = fingerprint(interaction, preprocessed, main, challenges);
        }
    })
}

fn trace<'a, F: Field>(name: &str, traces: &'a Traces<F, CpuBackend>) -> Option<Table<'a, F>> {
    let trace = traces.get(name)?;
    let values = trace.inner().as_ref()?.guts().as_slice();
    Some(Table::new(values, trace.num_polynomials(), F::zero()))
}

fn fingerprint<F: Field, EF: ExtensionField<F>>(
    interaction: &Interaction<F>,
    preprocessed: &[F],
    main: &[F],
    challenges: &Challenges<EF>,
) -> EF {
    let kind = challenges.betas[0] * F::from_canonical_usize(interaction.argument_index());
    interaction
        .values
        .iter()
        .zip(&challenges.betas[1..])
        .fold(challenges.alpha + kind, |sum, (value, beta)| {
            sum + *beta * value.apply::<F, F>(preprocessed, main)
        })
}
