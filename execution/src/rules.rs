//! The rules of a block, apart from what its transactions do (execution-specs, `fork.py` `state_transition`): of its header
//! on its parent, of its body under its header, and of what has come out of its execution.

pub mod body;
pub mod deposits;
pub mod header;
pub mod post;
