//! Asks a Sextant proof server for proofs, and believes none of its answers.
//!
//! - [`Client`] is one connection with any number of requests at once; [`Client::prove`] gives a [`Proving`] with a
//!   stream of progress and, at its end, a [`Proof`] that was verified here against pinned programs.
//! - [`sources`] fetches what beacon and execution nodes know, and [`input`] builds statement inputs of that, or of files.
//! - [`Client::bundle`] has one proof made of several compressed ones.
//! - [`Client::wrap`] has a compressed proof that one has made a proof for contracts.
//! - [`verify`] checks a proof without any server.
//! - [`follow`] keeps proofs up to date as the chain goes on, with [`ServerProver`] as its prover.
//!
//! ```no_run
//! use futures::StreamExt;
//! use sextant_client::{Client, ProofKind, StatementInput};
//!
//! # async fn example(input: StatementInput) -> Result<(), sextant_client::ClientError> {
//! let client = Client::connect("127.0.0.1:7100").await?;
//! let mut proving = client.prove(input, ProofKind::Compressed, None).await?;
//! proving.progress().for_each(|step| async move { println!("{step:?}") }).await;
//! let proof = proving.finish().await?;
//! println!("{:?}", proof.statement);
//! # Ok(())
//! # }
//! ```

mod bundling;
mod checked;
mod client;
mod dialer;
pub mod error;
pub mod offer;
mod prover;
mod proving;
pub mod security;
pub mod size;
pub mod verify;
mod wrapping;

pub use bundling::{BundlingError, CheckedBundle};
pub use checked::{CheckError, CheckedInput, CheckedProof, WrapError};
pub use client::{Client, Submitted};
pub use dialer::ClientConfig;
pub use error::{AnswerError, ClientError, DeadlineElapsed, TransportError};
pub use offer::NotOffered;
pub use prover::{Patience, ProvingEvent, ServerProver};
pub use proving::{Proof, Proving};
pub use security::Security;
pub use sextant_follow as follow;
pub use sextant_protocol::{
    JobKey, Progress, ProofKind, ProofRecord, ServerError, ServerInfo, StatementInput,
};
pub use sextant_sources::{self as sources, input};
