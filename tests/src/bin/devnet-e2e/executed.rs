//! The inclusion of every finalized head, executed in the committed guest without a proof: far faster than proving, so no
//! head is left out.

use std::{fmt, time::Duration};

use sextant_client::sources::{ExecutionNodes, LightClient, SourceConfig, Watched, prepare};
use sextant_consensus::{
    Program, check_with_hints,
    public_values::{Inclusion, Statement},
};
use sextant_tests::executor::Executor;
use tokio::sync::watch;

use super::{
    Result,
    chain::{connect, word},
    network::Ready,
};

/// Much less than an epoch of the network.
const PAUSE: Duration = Duration::from_secs(1);

/// What the guest said of one head.
pub struct Executed {
    /// Its public values.
    pub inclusion: Inclusion,
    cycles: u64,
}

impl fmt::Display for Executed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = &self.inclusion.head;
        let value = self.inclusion.accounts.iter().flat_map(|account| &account.slots).map(|slot| {
            let last = slot.value.last_chunk().copied().unwrap_or_default();
            u64::from_be_bytes(last)
        });
        write!(
            f,
            "finalized slot {}, signed in period {}, execution block {}, value {:?}, {} cycles",
            head.finalized_slot,
            head.signer_period,
            head.block_number,
            value.collect::<Vec<_>>(),
            self.cycles
        )
    }
}

/// Follows the chain with the light client alone until `done`, and executes the guest at each new head.
pub async fn every_head(ready: Ready, done: watch::Receiver<bool>) -> Result<Vec<Executed>> {
    let (beacon, chain) = connect(&ready).await?;
    let execution = ExecutionNodes::new(vec![ready.rpc.parse()?], SourceConfig::default())?;
    let mut client = LightClient::start(beacon, chain, &word(&ready.checkpoint)?).await?;
    let mut address = [0; 20];
    address.copy_from_slice(&word(&ready.address)?[12..]);
    let watched = [Watched { address, slots: vec![word(&ready.slot)?] }];
    let executor = Executor::new().await;

    let mut heads: Vec<Executed> = Vec::new();
    while !*done.borrow() {
        let finality = client.advance().await?.finality;
        let slot = finality.value.finalized_header.beacon.slot;
        if heads.last().is_none_or(|last| last.inclusion.head.finalized_slot < slot) {
            let prepared = prepare::inclusion_under(&client, &finality, &execution, &watched).await?;
            heads.push(execute(&executor, &prepared.input.bytes).await?);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(heads)
}

async fn execute(executor: &Executor, input: &[u8]) -> Result<Executed> {
    let (native, hints) = check_with_hints(Program::Inclusion, input)?;
    let run = executor.run(Program::Inclusion, input, &hints).await;
    if run.report.exit_code != 0 {
        return Err(format!("the guest refuses what the native check accepts: {}", run.stderr).into());
    }
    let committed = Statement::abi_decode(Program::Inclusion, &run.public_values)?;
    match committed == native {
        true => match committed {
            Statement::Inclusion(inclusion) => {
                Ok(Executed { inclusion, cycles: run.report.total_instruction_count() })
            }
            _ => Err("another statement".into()),
        },
        false => Err("the guest says something else than the native check".into()),
    }
}
