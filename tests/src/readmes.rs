//! The examples of the crates' READMEs, compiled where all of those crates are there. Those of `consensus` could not be
//! part of it: it is guest code, in which not even a line may move.

#[doc = include_str!("../../client/README.md")]
mod client {}
#[doc = include_str!("../../consensus/README.md")]
mod consensus {}
#[doc = include_str!("../../follow/README.md")]
mod follow {}
#[doc = include_str!("../../inputs/README.md")]
mod inputs {}
#[doc = include_str!("../../protocol/README.md")]
mod protocol {}
#[doc = include_str!("../../sources/README.md")]
mod sources {}
#[doc = include_str!("../../verifier/stark/README.md")]
mod stark {}
#[doc = include_str!("../../submit/README.md")]
mod submit {}
#[doc = include_str!("../../verifier/README.md")]
mod verifier {}
