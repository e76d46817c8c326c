//! `sextant chain`: a chain of committees and proofs of committee changes in, the chain that is longer by them out.

use sextant_consensus::Program;

use super::{Failure, Outcome, bundle::join};
use crate::args::Chain;

/// Runs the command.
pub async fn run(chain: Chain) -> Outcome {
    if chain.asking.calldata {
        return Err(Failure::usage("--calldata: contracts take committee changes, not chains of them"));
    }
    let files: Vec<_> = chain.from.into_iter().chain(chain.files).collect();
    join(Program::Chain, &files, chain.kind, &chain.asking).await
}
