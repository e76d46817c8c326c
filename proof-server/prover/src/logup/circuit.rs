//! The circuit: fractions of all interactions, added up layer by layer.

use std::collections::BTreeSet;

use rayon::prelude::*;
use slop_algebra::{ExtensionField, Field};
use slop_alloc::CpuBackend;
use sp1_hypercube::{Chip, Interaction, air::MachineAir, prover::Traces};

use super::{
    fractions::{Fractions, Side},
    layer::{AnyLayer, Layer},
};
use crate::{
    packed::{self, Packed, broadcast, lanes},
    table::{Table, Trace},
};

/// What fingerprints are made with.
pub(crate) struct Challenges<EF> {
    pub(crate) alpha: EF,
    /// One for the kind of an interaction and one for each of its values.
    pub(crate) betas: Vec<EF>,
}

/// All layers, the first one first.
pub(crate) struct Circuit<F: Field, EF: ExtensionField<F>> {
    first: Layer<F, F, EF>,
    further: Vec<Layer<F, EF, EF>>,
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
        let mut further: Vec<Layer<F, EF, EF>> = Vec::with_capacity(variables);
        while further.last().map_or(first.row_variables, |layer| layer.row_variables) > 1 {
            further.push(further.last().map_or_else(|| first.next(), |last| Layer::<F, EF, EF>::next(last)));
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
) -> Fractions<F, F, EF> {
    let interactions: Vec<_> = (chip.sends().iter().map(|sent| Fraction::new(sent, true, challenges)))
        .chain(chip.receives().iter().map(|received| Fraction::new(received, false, challenges)))
        .collect();
    let main = main.get(chip.name()).and_then(Trace::of);
    let preprocessed = preprocessed.get(chip.name()).and_then(Trace::of);
    let height = main.as_ref().map_or(0, Table::height_in_pairs);
    let mut sides = [0, 1].map(|_| Side::padding(interactions.len(), height));
    let Some(main) = main else { return Fractions { sides } };

    let [Side { numerators: n0, denominators: d0 }, Side { numerators: n1, denominators: d1 }] = &mut sides;
    let first = n0.columns_mut().zip(d0.columns_mut());
    let second = n1.columns_mut().zip(d1.columns_mut());
    let columns = first.zip(second).zip(&interactions);
    // Each task reads the whole trace, so there are no more of them than threads.
    columns.chunks(interactions.len().div_ceil(rayon::current_num_threads())).for_each(|mut columns| {
        for block in 0..main.blocks() {
            let [even, odd] = rows(&main, block);
            let [even_preprocessed, odd_preprocessed] =
                preprocessed.as_ref().map_or_else(Default::default, |table| rows(table, block));
            // A row that only pads the table has no interactions, whatever its zeros would give.
            let real = |lane: usize, side: usize| 2 * (block * lanes::<F>() + lane) + side < main.height();
            for ((first, second), interaction) in &mut columns {
                let (numerator, denominator) = interaction.at(&even_preprocessed, &even);
                first.0.set::<F>(block, packed::choose::<F, F>(numerator, F::zero(), |lane| real(lane, 0)));
                first
                    .1
                    .set::<EF>(block, packed::choose::<F, EF>(denominator, EF::one(), |lane| real(lane, 0)));
                let (numerator, denominator) = interaction.at(&odd_preprocessed, &odd);
                second.0.set::<F>(block, packed::choose::<F, F>(numerator, F::zero(), |lane| real(lane, 1)));
                second
                    .1
                    .set::<EF>(block, packed::choose::<F, EF>(denominator, EF::one(), |lane| real(lane, 1)));
            }
        }
    });
    Fractions { sides }
}

/// The rows of a block: the first of each pair, and the second.
fn rows<F: Field>(table: &Trace<'_, F>, block: usize) -> [Vec<F::Packing>; 2] {
    let (mut even, mut odd) = (Vec::with_capacity(table.width()), Vec::with_capacity(table.width()));
    for column in 0..table.width() {
        let [first, second] = table.pairs(column, block);
        even.push(first);
        odd.push(second);
    }
    [even, odd]
}

/// An interaction as a fraction: how often it happens, over its fingerprint.
struct Fraction<'a, F: Field, EF: ExtensionField<F>> {
    interaction: &'a Interaction<F>,
    sent: bool,
    /// The fingerprint without values.
    start: Packed<F, EF>,
    betas: Vec<Packed<F, EF>>,
}

impl<'a, F: Field, EF: ExtensionField<F>> Fraction<'a, F, EF> {
    fn new(interaction: &'a Interaction<F>, sent: bool, challenges: &Challenges<EF>) -> Self {
        let kind = challenges.betas[0] * F::from_canonical_usize(interaction.argument_index());
        let betas = challenges.betas[1..].iter().take(interaction.values.len());
        Self {
            interaction,
            sent,
            start: broadcast::<F, EF>(challenges.alpha + kind),
            betas: betas.map(|beta| broadcast::<F, EF>(*beta)).collect(),
        }
    }

    fn at(&self, preprocessed: &[F::Packing], main: &[F::Packing]) -> (F::Packing, Packed<F, EF>) {
        let times = self.interaction.multiplicity.apply::<F::Packing, F::Packing>(preprocessed, main);
        let values = self.interaction.values.iter().zip(&self.betas);
        let fingerprint = values.fold(self.start, |sum, (value, beta)| {
            sum + *beta * value.apply::<F::Packing, F::Packing>(preprocessed, main)
        });
        (if self.sent { times } else { -times }, fingerprint)
    }
}
