//! Symbolic expressions to steps: each value once, constants calculated.

use std::{collections::HashMap, rc::Rc};

use sextant_stark_verifier::circuit::Step;
use slop_algebra::AbstractField;
use slop_uni_stark::{Entry, SymbolicExpression};
use sp1_primitives::SP1Field;

use super::{Expression, Symbol, constant, number};

/// The steps so far.
#[derive(Default)]
pub struct Lowering {
    steps: Vec<Absolute>,
    /// The step that has a value already.
    known: HashMap<Absolute, usize>,
    /// What an expression became that others share. By its address: whoever lowers expressions keeps them meanwhile.
    shared: HashMap<*const Expression, Value>,
}

#[derive(Clone, Copy)]
enum Value {
    Constant(SP1Field),
    Step(usize),
}

/// A step with the numbers of the steps that it works on.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Absolute {
    Leaf(Step),
    Add(usize, usize),
    Subtract(usize, usize),
    Multiply(usize, usize),
    Shift(usize, i32),
    Scale(usize, i32),
}

impl Lowering {
    /// The step with the expression's value.
    pub fn step(&mut self, expression: &Expression) -> u32 {
        let step = match self.value(expression) {
            Value::Step(step) => step,
            Value::Constant(element) => self.add(Absolute::Leaf(Step::Constant(constant(element)))),
        };
        number(step)
    }

    /// All of them.
    pub fn steps(self) -> Vec<Step> {
        let relative = |(place, step): (usize, &Absolute)| {
            let back = |step: usize| number(place - step);
            match *step {
                Absolute::Leaf(step) => step,
                Absolute::Add(a, b) => Step::Add(back(a), back(b)),
                Absolute::Subtract(a, b) => Step::Subtract(back(a), back(b)),
                Absolute::Multiply(a, b) => Step::Multiply(back(a), back(b)),
                Absolute::Shift(a, constant) => Step::Shift(back(a), constant),
                Absolute::Scale(a, constant) => Step::Scale(back(a), constant),
            }
        };
        self.steps.iter().enumerate().map(relative).collect()
    }

    fn add(&mut self, step: Absolute) -> usize {
        *self.known.entry(step).or_insert_with(|| {
            self.steps.push(step);
            self.steps.len() - 1
        })
    }

    fn shared(&mut self, expression: &Rc<Expression>) -> Value {
        let address = Rc::as_ptr(expression);
        if let Some(value) = self.shared.get(&address) {
            return *value;
        }
        let value = self.value(expression);
        self.shared.insert(address, value);
        value
    }

    fn value(&mut self, expression: &Expression) -> Value {
        match expression {
            SymbolicExpression::Constant(element) => Value::Constant(*element),
            SymbolicExpression::Variable(symbol) => Value::Step(self.add(Absolute::Leaf(leaf(symbol)))),
            SymbolicExpression::Add { x, y, .. } => {
                let (x, y) = (self.shared(x), self.shared(y));
                self.sum(x, y)
            }
            SymbolicExpression::Sub { x, y, .. } => {
                let (x, y) = (self.shared(x), self.shared(y));
                self.difference(x, y)
            }
            SymbolicExpression::Neg { x, .. } => {
                let x = self.shared(x);
                self.product(x, Value::Constant(SP1Field::neg_one()))
            }
            SymbolicExpression::Mul { x, y, .. } => {
                let (x, y) = (self.shared(x), self.shared(y));
                self.product(x, y)
            }
            SymbolicExpression::IsFirstRow
            | SymbolicExpression::IsLastRow
            | SymbolicExpression::IsTransition => {
                unreachable!("SP1's chips are about one row")
            }
        }
    }

    fn sum(&mut self, x: Value, y: Value) -> Value {
        match (x, y) {
            (Value::Constant(x), Value::Constant(y)) => Value::Constant(x + y),
            (Value::Constant(element), Value::Step(step)) | (Value::Step(step), Value::Constant(element)) => {
                self.shift(step, element)
            }
            (Value::Step(x), Value::Step(y)) => Value::Step(self.add(Absolute::Add(x.min(y), x.max(y)))),
        }
    }

    fn difference(&mut self, x: Value, y: Value) -> Value {
        match (x, y) {
            (Value::Constant(x), Value::Constant(y)) => Value::Constant(x - y),
            (Value::Step(step), Value::Constant(element)) => self.shift(step, -element),
            (Value::Constant(element), step @ Value::Step(_)) => {
                let negative = self.product(step, Value::Constant(SP1Field::neg_one()));
                self.sum(negative, Value::Constant(element))
            }
            (Value::Step(x), Value::Step(y)) => Value::Step(self.add(Absolute::Subtract(x, y))),
        }
    }

    fn product(&mut self, x: Value, y: Value) -> Value {
        match (x, y) {
            (Value::Constant(x), Value::Constant(y)) => Value::Constant(x * y),
            (Value::Constant(element), Value::Step(step)) | (Value::Step(step), Value::Constant(element)) => {
                if element == SP1Field::zero() {
                    Value::Constant(element)
                } else if element == SP1Field::one() {
                    Value::Step(step)
                } else {
                    Value::Step(self.add(Absolute::Scale(step, constant(element))))
                }
            }
            (Value::Step(x), Value::Step(y)) => Value::Step(self.add(Absolute::Multiply(x.min(y), x.max(y)))),
        }
    }

    fn shift(&mut self, step: usize, element: SP1Field) -> Value {
        if element == SP1Field::zero() {
            Value::Step(step)
        } else {
            Value::Step(self.add(Absolute::Shift(step, constant(element))))
        }
    }
}

fn leaf(symbol: &Symbol) -> Step {
    let index = number(symbol.index);
    match symbol.entry {
        Entry::Main { offset: 0 } => Step::Main(index),
        Entry::Preprocessed { offset: 0 } => Step::Preprocessed(index),
        Entry::Public => Step::Public(index),
        other => unreachable!("SP1's chips are about one row, not {other:?}"),
    }
}
