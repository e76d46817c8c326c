//! `sextant wrap`: a compressed proof file in, a proof for contracts of the same statement out.

use std::time::Instant;

use sextant_client::{CheckedProof, ProofKind};

use super::{Failure, Outcome, asking::Asker, read_proof};
use crate::{args::Wrap, output};

/// Runs the command.
pub async fn run(wrap: Wrap) -> Outcome {
    let name = wrap.file.display().to_string();
    let record = read_proof(&wrap.file)?;
    let asker = Asker::new(&wrap.asking, ProofKind::Groth16)?;
    let work = async {
        let start = Instant::now();
        let checked = CheckedProof::check(record, &asker.verifier).await;
        let checked = checked.map_err(|error| Failure::from(error).of(&name))?;
        output::detail(&format!("{name}: verified here in {:.1} s", start.elapsed().as_secs_f64()));
        asker.check_offer(&[checked.statement().program()]).await?;
        Ok::<_, Failure>(checked)
    };
    let checked = asker.unless_interrupted(work).await?;
    asker.finish(asker.prover.wrap(checked)).await
}
