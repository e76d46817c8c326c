//! One module per handler of the runner.

pub(crate) mod single_merkle_proof;
pub(crate) mod sync;
pub(crate) mod update_ranking;

use crate::case::{Case, Failure};

/// Runs a case; returns how many single steps agreed.
pub(crate) fn run(case: &Case) -> Result<usize, Failure> {
    case.check_manifest()?;
    match case.handler.as_str() {
        "sync" => sync::run(case),
        "update_ranking" => update_ranking::run(case),
        "single_merkle_proof" => single_merkle_proof::run(case),
        other => Err(format!("unknown handler {other}")),
    }
}
