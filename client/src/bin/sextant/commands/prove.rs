//! `sextant prove`: what nodes or files say in, a verified proof file out.

mod inclusion;

use std::{path::Path, time::Instant};

use sextant_client::{
    CheckError, CheckedInput, ProofKind,
    input::{self, Prepared, Signers},
    sources::prepare::{self, Periods},
};
use sextant_consensus::{
    Program,
    public_values::{Inclusion, Statement},
};

use super::{Failure, Outcome, asking::Asker};
use crate::{
    args::{CommitteeChange, Prove, ProveOptions},
    failure::Code,
    output, render,
};

/// Runs the command.
pub async fn run(prove: Prove) -> Outcome {
    let ProveOptions { kind, asking, input_only, .. } = prove.options();
    if asking.calldata && !matches!(kind, ProofKind::Groth16 | ProofKind::Plonk | ProofKind::Bundled) {
        return Err(Failure::usage("--calldata needs a proof for contracts: --kind groth16"));
    }
    let asker = Asker::new(asking, *kind)?;
    let work = async {
        let (programs, from_files) = match &prove {
            Prove::CommitteeChange(change) => (&[Program::CommitteeChange][..], change.bootstrap.is_some()),
            Prove::Inclusion(inclusion) if inclusion.separate => {
                (&Program::OF_CHAINS[..], inclusion.bootstrap.is_some())
            }
            Prove::Inclusion(inclusion) => (&[Program::Inclusion][..], inclusion.bootstrap.is_some()),
        };
        // Before anything is fetched. Files are at hand: what they say is known without any server.
        if !from_files && input_only.is_none() {
            asker.check_offer(programs).await?;
        }
        let prepared = match &prove {
            Prove::CommitteeChange(change) => vec![committee_change(change).await?],
            Prove::Inclusion(inclusion) => inclusion::prepare(inclusion).await?,
        };
        let mut all = Vec::new();
        for prepared in prepared {
            let bytes = input_only.as_ref().map(|_| prepared.input.bytes.clone());
            let checked = check(prepared).await?;
            match (input_only, bytes) {
                (Some(out), Some(bytes)) => write_input(out, &bytes)?,
                _ => all.push(checked),
            }
        }
        if from_files && input_only.is_none() {
            asker.check_offer(programs).await?;
        }
        Ok::<_, Failure>(all)
    };
    for checked in asker.unless_interrupted(work).await? {
        asker.finish(asker.prover.ask(checked, *kind)).await?;
    }
    Ok(())
}

/// Writes a checked input for whoever asks by other means.
fn write_input(out: &Path, bytes: &[u8]) -> Outcome {
    if out.as_os_str() == "-" {
        return output::print_bytes(bytes);
    }
    Ok(std::fs::write(out, bytes).map_err(|error| format!("cannot write {}: {error}", out.display()))?)
}

/// Checks a statement here, before anybody is asked to prove it.
async fn check(prepared: Prepared) -> Result<CheckedInput, Failure> {
    let start = Instant::now();
    let input = &prepared.input;
    let said = format!("input of {} bytes, digest {}", input.bytes.len(), render::hex(&input.digest()));
    let checked = CheckedInput::check(input.clone()).await.map_err(|error| match error {
        CheckError::Statement(error) => Failure::new(Code::InvalidStatement, prepared.explain(&error)),
        other => other.into(),
    })?;
    output::detail(&format!("{said}: true, checked here in {:.1} s", start.elapsed().as_secs_f64()));
    if let Statement::Inclusion(Inclusion { head, learned, .. }) = checked.statement()
        && let Some(last) = learned.last()
    {
        let (first, last) = (head.signer_period, last.period);
        output::note(&format!(
            "the trusted committee is of period {first}, period {last}'s signed: one proof with the handovers between them \
             (--separate makes two)"
        ));
    }
    Ok(checked)
}

async fn committee_change(change: &CommitteeChange) -> Result<Prepared, Failure> {
    let network = &change.options.network;
    let Some(bootstrap) = &change.bootstrap else {
        let beacon = change.beacon.nodes(&change.access)?;
        let chain = beacon.chain(&network.expected()).await?;
        let execution = match change.rpc.rpc[..] {
            [] => None,
            _ => Some(change.rpc.nodes(&change.access)?),
        };
        say_untrusted(change.checkpoint.is_none());
        let periods = Periods { from: change.from, to: change.to, checkpoint: change.checkpoint };
        return Ok(prepare::committee_change(beacon, chain, periods, execution.as_ref()).await?);
    };
    let chain = network.config()?;
    let signers = Signers::of_bootstrap(chain, &input::bootstrap(chain, bootstrap)?)?;
    let mut updates = Vec::new();
    for file in &change.updates {
        updates.extend(input::updates(chain, file)?);
    }
    let block = change.block_file.as_deref().map(input::block_header).transpose()?;
    Ok(input::committee_change(chain, &signers, updates, block.as_ref())?)
}

/// Without a checkpoint the first committee is whatever the node says.
fn say_untrusted(untrusted: bool) {
    if untrusted {
        output::note(
            "no --checkpoint given, so the first committee is the beacon node's word; compare the signer committee's \
             root in the result with one that you trust",
        );
    }
}
