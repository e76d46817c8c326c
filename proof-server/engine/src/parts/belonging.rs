//! Which parts belong together: the rules that need no cryptography.

use std::fmt;

use super::{FoldedPart, Label, Origin, Part, PartName, ShardPart, Span};
use crate::Plan;

/// Why a part was refused; each kind names it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// It belongs to something else.
    #[error("{part} is of another {other}")]
    Foreign {
        /// The part.
        part: Label,
        /// What is not the same.
        other: Other,
    },
    /// The plan has no such part.
    #[error("{part} is not in the plan")]
    Unknown {
        /// The part.
        part: Label,
    },
    /// It was given twice, or is within another that was given.
    #[error("{part} is there twice")]
    Doubled {
        /// The part.
        part: Label,
    },
    /// It was not given, nor anything that it is within.
    #[error("{part} is missing")]
    Missing {
        /// The part.
        part: PartName,
    },
    /// What it holds does not prove what it says.
    #[error("{part} is not a proof of that part: {reason}")]
    Invalid {
        /// The part.
        part: Label,
        /// What is wrong with it.
        reason: String,
    },
}

/// What two parts may differ in that belong to different proofs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Other {
    /// Another program.
    Program,
    /// The same program with another input.
    Input,
    /// The same run, planned otherwise.
    Plan,
}

impl fmt::Display for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Program => "program",
            Self::Input => "input",
            Self::Plan => "plan",
        })
    }
}

/// Whether `part` says to be of `origin`.
fn belongs<L: Copy + Into<Label>>(origin: &Origin, part: &Part<L>) -> Result<(), PartError> {
    let Origin { program, input, plan } = part.of;
    let other = if program != origin.program {
        Other::Program
    } else if input != origin.input {
        Other::Input
    } else if plan != origin.plan {
        Other::Plan
    } else {
        return Ok(());
    };
    Err(PartError::Foreign { part: part.label.into(), other })
}

/// Whether the plan has the shard.
pub(crate) fn known(plan: &Plan, name: PartName) -> Result<(), PartError> {
    plan.parts.contains(&name).then_some(()).ok_or(PartError::Unknown { part: name.into() })
}

/// The place in the plan of a shard that belongs to it; the first is 1.
pub(crate) fn place(origin: &Origin, plan: &Plan, part: &ShardPart) -> Result<u32, PartError> {
    belongs(origin, part)?;
    let place = plan.parts.iter().position(|name| *name == part.label);
    place.map(|place| place as u32 + 1).ok_or(PartError::Unknown { part: part.label.into() })
}

/// Whether the plan has what the span covers.
fn within(plan: &Plan, span: Span) -> Result<(), PartError> {
    let there = 1 <= span.first && span.first <= span.last && span.last as usize <= plan.parts.len();
    there.then_some(()).ok_or(PartError::Unknown { part: span.into() })
}

/// The parts in the order of the plan, if they are all of its shards.
pub(crate) fn in_order(
    origin: &Origin,
    plan: &Plan,
    mut parts: Vec<ShardPart>,
) -> Result<Vec<ShardPart>, PartError> {
    for part in &parts {
        place(origin, plan, part)?;
    }
    parts.sort_by_key(|part| part.label);
    if let Some(twice) = parts.windows(2).find(|pair| pair[0].label == pair[1].label) {
        return Err(PartError::Doubled { part: twice[0].label.into() });
    }
    let missing = plan.parts.iter().find(|name| parts.iter().all(|part| part.label != **name));
    missing.map_or(Ok(parts), |name| Err(PartError::Missing { part: *name }))
}

/// The parts in the order of the plan, if each begins where the one before ends; and what they cover together.
pub(crate) fn adjacent(
    origin: &Origin,
    plan: &Plan,
    mut parts: Vec<FoldedPart>,
) -> Result<(Vec<FoldedPart>, Span), PartError> {
    for part in &parts {
        belongs(origin, part)?;
        within(plan, part.label)?;
    }
    parts.sort_by_key(|part| part.label);
    for pair in parts.windows(2) {
        let [before, after] = [pair[0].label, pair[1].label];
        if after.first <= before.last {
            return Err(PartError::Doubled { part: after.into() });
        }
        if after.first > before.last + 1 {
            return Err(PartError::Missing { part: plan.parts[before.last as usize] });
        }
    }
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else {
        return Err(PartError::Missing { part: plan.parts[0] });
    };
    let span = first.label.to(last.label);
    Ok((parts, span))
}

#[cfg(test)]
mod tests;
