//! Makes a recording of SP1's RISC-V machine: its chips are run on symbols in place of numbers, and what they assert is
//! written down.

mod lowering;

use std::collections::BTreeSet;

use lowering::Lowering;
use sextant_stark_verifier::{
    circuit::{Circuit, Message},
    recording::{Affine, ChipData, Lookup, Recording},
};
use slop_air::{Air, AirBuilder, AirBuilderWithPublicValues, BaseAir, PairBuilder, PairCol, VirtualPairCol};
use slop_algebra::PrimeField32;
use slop_matrix::dense::RowMajorMatrix;
use slop_uni_stark::{Entry, SymbolicExpression, SymbolicVariable};
use sp1_core_executor::ExecutionRecord;
use sp1_core_machine::{air::TrivialOperationBuilder, riscv::RiscvAir};
use sp1_hypercube::{
    Chip, Interaction, MachineRecord, PROOF_MAX_NUM_PVS,
    air::{AirInteraction, InteractionScope, MachineAir, MessageBuilder},
};
use sp1_primitives::SP1Field;

type Symbol = SymbolicVariable<SP1Field>;
type Expression = SymbolicExpression<SP1Field>;

/// The machine as SP1 has it. On a thread of its own: sums of many terms are deep.
pub fn recorded() -> Recording {
    let thread = std::thread::Builder::new().stack_size(1 << 30).spawn(record);
    thread.expect("a thread").join().expect("a recording")
}

fn record() -> Recording {
    let machine = RiscvAir::<SP1Field>::machine();
    let in_some_set: BTreeSet<_> = machine.shape().chip_clusters.iter().flatten().collect();
    let chips: Vec<_> = machine.chips().iter().filter(|chip| in_some_set.contains(chip)).collect();
    let place =
        |chip: &Chip<_, _>| chips.iter().position(|other| *other == chip).expect("a chip of the machine");
    let sets = machine.shape().chip_clusters.iter();
    let clusters = sets.map(|set| set.iter().map(|chip| number(place(chip))).collect()).collect();

    let mut public = Recorder::new(0, 0);
    ExecutionRecord::eval_public_values(&mut public);
    Recording {
        public_values: number(machine.num_pv_elts()),
        public: public.circuit(),
        public_kinds: ExecutionRecord::interactions_in_public_values()
            .iter()
            .map(|kind| *kind as u8)
            .collect(),
        chips: chips.into_iter().map(chip).collect(),
        clusters,
    }
}

fn chip(chip: &Chip<SP1Field, RiscvAir<SP1Field>>) -> ChipData {
    let mut recorder = Recorder::new(chip.width(), chip.preprocessed_width());
    chip.air.eval(&mut recorder);
    // What a chip sends is recorded by SP1 itself, as sums of columns.
    recorder.messages.clear();
    ChipData {
        name: chip.name().to_owned(),
        width: number(chip.width()),
        preprocessed_width: number(chip.preprocessed_width()),
        circuit: recorder.circuit(),
        sends: chip.sends().iter().map(lookup).collect(),
        receives: chip.receives().iter().map(lookup).collect(),
    }
}

fn lookup(interaction: &Interaction<SP1Field>) -> Lookup {
    Lookup {
        kind: interaction.kind as u8,
        global: interaction.scope == InteractionScope::Global,
        multiplicity: affine(&interaction.multiplicity),
        values: interaction.values.iter().map(affine).collect(),
    }
}

fn affine(columns: &VirtualPairCol<SP1Field>) -> Affine {
    let mut affine =
        Affine { constant: constant(columns.constant), main: Vec::new(), preprocessed: Vec::new() };
    for (column, weight) in &columns.column_weights {
        match column {
            PairCol::Main(column) => affine.main.push((number(*column), constant(*weight))),
            PairCol::Preprocessed(column) => affine.preprocessed.push((number(*column), constant(*weight))),
        }
    }
    affine
}

/// An element of the field as a number that is near to zero.
fn constant(element: SP1Field) -> i32 {
    let (value, order) = (i64::from(element.as_canonical_u32()), i64::from(SP1Field::ORDER_U32));
    i32::try_from(if value > order / 2 { value - order } else { value }).expect("half of a field of 31 bits")
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("machines are not that large")
}

/// Takes down what is asserted, and what is sent.
struct Recorder {
    main: RowMajorMatrix<Symbol>,
    preprocessed: RowMajorMatrix<Symbol>,
    public: Vec<Symbol>,
    asserted: Vec<Expression>,
    messages: Vec<(bool, AirInteraction<Expression>, InteractionScope)>,
}

impl Recorder {
    fn new(width: usize, preprocessed_width: usize) -> Self {
        let symbols = |entry, count| (0..count).map(|index| Symbol::new(entry, index)).collect::<Vec<_>>();
        let row = |entry, width: usize| RowMajorMatrix::new(symbols(entry, width.max(1)), width.max(1));
        Self {
            main: row(Entry::Main { offset: 0 }, width),
            preprocessed: row(Entry::Preprocessed { offset: 0 }, preprocessed_width),
            public: symbols(Entry::Public, PROOF_MAX_NUM_PVS),
            asserted: Vec::new(),
            messages: Vec::new(),
        }
    }

    fn circuit(self) -> Circuit {
        let mut lowering = Lowering::default();
        let zeros = self.asserted.iter().map(|expression| lowering.step(expression)).collect();
        let messages = self.messages.iter().map(|(received, message, scope)| Message {
            received: *received,
            kind: message.kind as u8,
            global: *scope == InteractionScope::Global,
            multiplicity: lowering.step(&message.multiplicity),
            values: message.values.iter().map(|value| lowering.step(value)).collect(),
        });
        let messages = messages.collect();
        Circuit { zeros, messages, steps: lowering.steps() }
    }
}

impl AirBuilder for Recorder {
    type F = SP1Field;
    type Expr = Expression;
    type Var = Symbol;
    type M = RowMajorMatrix<Symbol>;

    fn main(&self) -> Self::M {
        self.main.clone()
    }

    fn is_first_row(&self) -> Expression {
        unreachable!("SP1's chips are about one row")
    }

    fn is_last_row(&self) -> Expression {
        unreachable!("SP1's chips are about one row")
    }

    fn is_transition_window(&self, _: usize) -> Expression {
        unreachable!("SP1's chips are about one row")
    }

    fn assert_zero<I: Into<Expression>>(&mut self, expression: I) {
        self.asserted.push(expression.into());
    }
}

impl PairBuilder for Recorder {
    fn preprocessed(&self) -> Self::M {
        self.preprocessed.clone()
    }
}

impl AirBuilderWithPublicValues for Recorder {
    type PublicVar = Symbol;

    fn public_values(&self) -> &[Symbol] {
        &self.public
    }
}

impl MessageBuilder<AirInteraction<Expression>> for Recorder {
    fn send(&mut self, message: AirInteraction<Expression>, scope: InteractionScope) {
        self.messages.push((false, message, scope));
    }

    fn receive(&mut self, message: AirInteraction<Expression>, scope: InteractionScope) {
        self.messages.push((true, message, scope));
    }
}

impl TrivialOperationBuilder for Recorder {}
