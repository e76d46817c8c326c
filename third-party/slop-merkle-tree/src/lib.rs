#![allow(clippy::disallowed_types)]
pub use p3_merkle_tree::*;

mod bn254;
mod p3;
mod tcs;

pub use bn254::BnProver;
pub use p3::*;
pub use tcs::*;
