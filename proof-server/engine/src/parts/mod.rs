//! The parts of a proof that several machines make: what they are called, what they belong to, and how they are told from
//! parts of something else.

mod belonging;
mod check;
mod expected;
mod name;
mod part;
mod run;

pub use belonging::{Other, PartError};
pub(crate) use belonging::{adjacent, in_order, known, place};
pub(crate) use check::{Checker, links};
pub(crate) use expected::{Expected, is_folded};
pub use name::{PartName, UnknownName};
pub use part::{FoldedPart, Label, Part, ShardPart, Span};
pub use run::{Origin, PlannedRun};
