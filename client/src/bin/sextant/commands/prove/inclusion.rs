//! The inclusion that is asked for, and where its handovers are to be proven apart, the committee change before it.

use std::{collections::BTreeSet, time::Duration};

use sextant_client::{
    input::{self, Parts, Prepared, Signers},
    sources::{
        ExecutionNodes,
        prepare::{Finalized, Given, PrepareError, Questions, inclusion_given, taught_by},
    },
};

use super::say_untrusted;
use crate::{args::Inclusion, commands::Failure, failure::Code, output, render};

/// What is to be proven, in its order.
pub async fn prepare(inclusion: &Inclusion) -> Result<Vec<Prepared>, Failure> {
    match (&inclusion.bootstrap, &inclusion.finality_update) {
        (Some(bootstrap), Some(update)) => from_files(inclusion, bootstrap, update),
        _ => from_nodes(inclusion).await,
    }
}

async fn from_nodes(inclusion: &Inclusion) -> Result<Vec<Prepared>, Failure> {
    let asked = Questions { block: inclusion.block, ..Questions::accounts(&inclusion.watched.0) };
    let questions = inclusion.events.ask(asked);
    if questions.is_empty() {
        return Err(nothing("--address, and --slot for each slot of it"));
    }
    let (beacon, execution) = (
        inclusion.beacon.nodes(&inclusion.access)?,
        inclusion.rpc.nodes(&inclusion.access).map_err(|error| Failure::from(error).of("--rpc"))?,
    );
    let chain = beacon.chain(&inclusion.options.network.expected()).await?;
    if let Some(id) = chain.execution_chain_id {
        execution.check_chain(id).await?;
    }
    say_untrusted(inclusion.checkpoint.is_none());
    let mut finalized = Finalized::reach(beacon, &execution, chain, inclusion.checkpoint).await?;
    if let Some(least) = inclusion.min_block {
        let waited = wait(&mut finalized, &execution, least);
        match inclusion.options.asking.deadline {
            0 => waited.await?,
            seconds => tokio::time::timeout(Duration::from_secs(seconds), waited)
                .await
                .unwrap_or_else(|_| Err(late(least, seconds)))?,
        }
    }
    let mut all = Vec::new();
    if inclusion.separate {
        all.extend(finalized.committee_change()?);
        finalized = finalized.separately();
    }
    all.push(finalized.inclusion(&execution, &questions).await?);
    Ok(all)
}

fn nothing(accounts: &str) -> Failure {
    Failure::usage(format!("nothing to look up: give {accounts}, or --transaction, --log or --logs"))
}

/// Waits until a block of at least this number is final. What nodes do meanwhile is told, and ends nothing.
async fn wait(finalized: &mut Finalized, execution: &ExecutionNodes, least: u64) -> Result<(), Failure> {
    let mut told = BTreeSet::new();
    let mut tell = |text: String| {
        if told.insert(text.clone()) {
            output::note(&text);
        }
    };
    let pause = finalized.chain().slot;
    while finalized.number() < least {
        let last = finalized.number();
        tell(format!(
            "block {least} is not final yet, the last final one is block {last}; looking again every {}",
            render::duration(pause)
        ));
        tokio::time::sleep(pause).await;
        match finalized.look(execution).await {
            Ok(()) => {}
            Err(error @ (PrepareError::Source(_) | PrepareError::LightClient(_))) => tell(error.to_string()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn late(least: u64, seconds: u64) -> Failure {
    Failure::new(Code::Deadline, format!("block {least} was not final within {seconds} s"))
}

fn from_files(
    inclusion: &Inclusion,
    bootstrap: &std::path::Path,
    update: &std::path::Path,
) -> Result<Vec<Prepared>, Failure> {
    let questions = inclusion.events.ask(Questions::default());
    if questions.is_empty() && inclusion.proofs.is_empty() {
        return Err(nothing("--proof"));
    }
    let chain = inclusion.options.network.config()?;
    let mut signers = Signers::of_bootstrap(chain, &input::bootstrap(chain, bootstrap)?)?;
    let mut parts = Parts::under(input::finality_update(chain, update)?);
    for file in &inclusion.updates {
        parts.handovers.extend(input::updates(chain, file)?);
    }
    for file in &inclusion.proofs {
        parts.accounts.extend(input::accounts(file)?);
    }
    let mut given = Given::default();
    for file in &inclusion.block_files {
        given.blocks.extend(input::blocks(file)?);
    }
    for file in &inclusion.history_proofs {
        given.history.extend(input::accounts(file)?);
    }
    if !inclusion.receipts_files.is_empty() {
        given.receipts = Some(input::receipts(&inclusion.receipts_files)?);
    }
    let mut all = Vec::new();
    if inclusion.separate
        && let Some(last) = parts.handovers.last()
    {
        let taught = taught_by(chain, last);
        all.push(input::committee_change(chain, &signers, std::mem::take(&mut parts.handovers), None)?);
        signers = taught;
    }
    all.push(inclusion_given(chain, &signers, parts, given, &questions)?);
    Ok(all)
}
