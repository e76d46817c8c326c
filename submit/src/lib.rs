//! Deploys the light client contract, and submits proofs to it.
//!
//! - [`Key`]: who signs transactions;
//! - [`Submitter`]: asks the contract what it knows, sends a proof if it is new, waits for it, and says why if the
//!   contract refuses; of a bundle, of which statement;
//! - [`InTurn`]: looks at proofs and bundles in their order before any is sent, each with what those before it teach;
//! - [`Knowledge`]: what a contract is and knows, in one block; [`Ours`]: what it has to agree with before anything is proven
//!   for it;
//! - [`Refusal`]: a contract's reasons in words, and by its [`Meaning`] what follows from them;
//! - [`Deployment`]: a contract from a checkpoint;
//! - [`contract`]: the contract's interface;
//! - [`Sender`]: one transaction at a time, with its nonce, its fees, and another try where the first is stuck.
//!
//! Contracts, transactions and signatures are alloy's; nodes are asked through [`sextant_sources`], like every other.

mod bundle;
mod chain;
pub mod contract;
mod deploy;
mod error;
mod in_turn;
mod key;
mod knowledge;
mod ledger;
mod limits;
mod preflight;
mod refusal;
mod sender;
mod submitter;
mod transaction;

pub use alloy_primitives::{Address, B256, FixedBytes};
pub use bundle::bundle_calldata;
pub use deploy::{Deployed, Deployment};
pub use error::SubmitError;
pub use in_turn::InTurn;
pub use key::{Key, KeyError};
pub use knowledge::{Knowledge, NextFork, Rules, Trust, learned};
pub use limits::{Fees, Patience};
pub use preflight::{Ours, PreflightError, probe_verifier};
pub use refusal::{Meaning, Refusal};
pub use sender::Sender;
pub use submitter::{Outcome, Submitter, calldata};
pub use transaction::{Mined, OnSent, Sent};
