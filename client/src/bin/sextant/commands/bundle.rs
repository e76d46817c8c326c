//! `sextant bundle`: compressed proof files in, one proof that all of them hold out.

use std::time::Instant;

use sextant_client::{BundlingError, CheckedBundle, ProofKind};
use sextant_consensus::{Program, bundle::BundleError};

use super::{Failure, Outcome, asking::Asker, read_proof};
use crate::{args::Bundle, output};

/// Runs the command.
pub async fn run(bundle: Bundle) -> Outcome {
    if bundle.asking.calldata {
        return Err(Failure::usage(
            "--calldata: a bundle goes to a contract with its statements: sextant submit",
        ));
    }
    if bundle.kind == ProofKind::Stark {
        return Err(Failure::usage("a bundle is no stark: --kind compressed, or groth16 for contracts"));
    }
    let names: Vec<_> = bundle.files.iter().map(|file| file.display().to_string()).collect();
    let proofs = bundle.files.iter().map(|file| read_proof(file)).collect::<Result<Vec<_>, _>>()?;
    let asker = Asker::new(&bundle.asking, bundle.kind)?;
    let work = async {
        let start = Instant::now();
        let checked = CheckedBundle::check(proofs, &asker.verifier).await;
        let checked = checked.map_err(|error| match &error {
            BundlingError::Proof { index, .. }
            | BundlingError::Bundle(BundleError::Statement { index, .. }) => {
                let name = &names[*index];
                Failure::from(error).of(name)
            }
            BundlingError::Bundle(_) => error.into(),
        })?;
        let (count, took) = (names.len(), start.elapsed().as_secs_f64());
        output::detail(&format!("{count} proofs: verified here in {took:.1} s"));
        asker.check_offer(&[Program::Bundle]).await?;
        Ok::<_, Failure>(checked)
    };
    let checked = asker.unless_interrupted(work).await?;
    asker.finish(asker.prover.bundle(checked, bundle.kind)).await
}
