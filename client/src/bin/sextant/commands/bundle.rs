//! `sextant bundle`: compressed proof files in, one proof that all of them hold out.

use std::{path::PathBuf, time::Instant};

use sextant_client::{CheckedBundle, ProofKind};
use sextant_consensus::Program;

use super::{Failure, Outcome, asking::Asker, read_proof};
use crate::{
    args::{Asking, Bundle},
    output,
};

/// Runs the command.
pub async fn run(bundle: Bundle) -> Outcome {
    if bundle.asking.calldata {
        return Err(Failure::usage(
            "--calldata: a bundle goes to a contract with its statements: sextant submit",
        ));
    }
    join(Program::Bundle, &bundle.files, bundle.kind, &bundle.asking).await
}

/// Has one proof by `program` made of the proofs in `files`.
pub async fn join(program: Program, files: &[PathBuf], kind: ProofKind, asking: &Asking) -> Outcome {
    if kind == ProofKind::Stark {
        return Err(Failure::usage(format!(
            "a {program} is no stark: --kind compressed, or groth16 for contracts"
        )));
    }
    let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
    let proofs = files.iter().map(|file| read_proof(file)).collect::<Result<Vec<_>, _>>()?;
    let asker = Asker::new(asking, kind)?;
    let work = async {
        let start = Instant::now();
        let checked = match program {
            Program::Chain => CheckedBundle::chain(proofs, &asker.verifier).await,
            _ => CheckedBundle::check(proofs, &asker.verifier).await,
        };
        let checked = checked.map_err(|error| match error.index() {
            Some(index) => {
                let name = &names[index];
                Failure::from(error).of(name)
            }
            None => error.into(),
        })?;
        let (count, took) = (names.len(), start.elapsed().as_secs_f64());
        output::detail(&format!("{count} proofs: verified here in {took:.1} s"));
        asker.check_offer(&[program]).await?;
        Ok::<_, Failure>(checked)
    };
    let checked = asker.unless_interrupted(work).await?;
    asker.finish(asker.prover.bundle(checked, kind)).await
}
