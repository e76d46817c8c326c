//! The objects together: statement inputs, with what is known about where each part came from.

use sextant_consensus::{
    Program, StatementError,
    build::{AccountNodes, BuildError, bootstrap_committee, committee_change_input, inclusion_input},
    chain::ChainConfig,
    codec,
    committee_change::CommitteeChangeError,
    inclusion::InclusionError,
    light_client::{LightClientBootstrap, LightClientFinalityUpdate, LightClientUpdate, SyncCommittee},
};
use sextant_protocol::StatementInput;

use super::{InputError, Sourced};

/// A statement input, and the sources of its parts for error messages.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What a client sends.
    pub input: StatementInput,
    /// One per handover, or the finality update alone.
    signed: Vec<String>,
    /// One per account, in the input's order.
    accounts: Vec<String>,
}

/// The handover from the bootstrap's committee through all updates, in order.
///
/// # Errors
/// [`InputError`] names file and rule. That the result is true is for
/// [`sextant_consensus::check_statement`] to say, which [`crate::Client::prove`] asks.
pub fn committee_change(
    chain: &ChainConfig,
    bootstrap: &Sourced<LightClientBootstrap>,
    updates: Vec<Sourced<LightClientUpdate>>,
) -> Result<Prepared, InputError> {
    let committee = committee(chain, bootstrap)?;
    if let Some(first) = updates.first() {
        connect(chain, bootstrap, &first.source, first.value.signature_slot)?;
    }
    let (signed, updates): (Vec<_>, Vec<_>) =
        updates.into_iter().map(|update| (update.source, update.value)).unzip();
    let input = committee_change_input(chain, committee, &updates)
        .map_err(|error| blame(chain, committee, &updates, &signed, error))?;
    let input = StatementInput::new(Program::CommitteeChange, codec::encode(&input));
    Ok(Prepared { input, signed, accounts: Vec::new() })
}

/// The accounts under the finality update's finalized header, signed by the bootstrap's committee.
///
/// # Errors
/// As [`committee_change`].
pub fn inclusion(
    chain: &ChainConfig,
    bootstrap: &Sourced<LightClientBootstrap>,
    update: &Sourced<LightClientFinalityUpdate>,
    mut accounts: Vec<Sourced<AccountNodes>>,
) -> Result<Prepared, InputError> {
    let committee = committee(chain, bootstrap)?;
    connect(chain, bootstrap, &update.source, update.value.signature_slot)?;
    // The input has them in this order, and errors count by it.
    accounts.sort_by_key(|account| account.value.address);
    refuse_duplicates(&accounts)?;
    let (sources, accounts): (Vec<_>, Vec<_>) =
        accounts.into_iter().map(|account| (account.source, account.value)).unzip();
    let names = sources
        .iter()
        .zip(&accounts)
        .map(|(source, account)| format!("{source} (account 0x{})", hex::encode(account.address)))
        .collect();
    let input = inclusion_input(chain, committee, &update.value, &accounts)
        .map_err(|error| InputError::Build { source_file: update.source.clone(), error })?;
    let input = StatementInput::new(Program::Inclusion, codec::encode(&input));
    Ok(Prepared { input, signed: vec![update.source.clone()], accounts: names })
}

impl Prepared {
    /// The statement's error in terms of the files it was built from.
    pub fn explain(&self, error: &StatementError) -> String {
        let place = match error {
            StatementError::CommitteeChange(CommitteeChangeError::Handover { index, .. }) => {
                self.signed.get(*index)
            }
            StatementError::CommitteeChange(CommitteeChangeError::Execution(_)) => self.signed.last(),
            StatementError::Inclusion(
                InclusionError::Account { account, .. } | InclusionError::Slot { account, .. },
            ) => self.accounts.get(*account),
            StatementError::Inclusion(
                InclusionError::Finality(_) | InclusionError::Execution(_) | InclusionError::NoExecution(_),
            ) => self.signed.first(),
            _ => None,
        };
        match place {
            Some(source) => format!("{source}: {error}"),
            None => error.to_string(),
        }
    }
}

fn committee<'a>(
    chain: &ChainConfig,
    bootstrap: &'a Sourced<LightClientBootstrap>,
) -> Result<&'a SyncCommittee, InputError> {
    bootstrap_committee(chain, &bootstrap.value)
        .map_err(|error| InputError::Build { source_file: bootstrap.source.clone(), error })
}

/// Without this, another period's committee would show as a signature that does not match, which helps nobody.
fn connect(
    chain: &ChainConfig,
    bootstrap: &Sourced<LightClientBootstrap>,
    source: &str,
    slot: u64,
) -> Result<(), InputError> {
    let (got, expected) = (chain.period(slot), chain.period(bootstrap.value.header.beacon.slot));
    if got == expected {
        return Ok(());
    }
    let (source_file, bootstrap) = (source.to_owned(), bootstrap.source.clone());
    Err(InputError::Period { source_file, slot, got, bootstrap, expected })
}

/// Names the update that does not build: the first one whose prefix fails.
fn blame(
    chain: &ChainConfig,
    committee: &SyncCommittee,
    updates: &[LightClientUpdate],
    sources: &[String],
    error: BuildError,
) -> InputError {
    let culprit = sources.iter().enumerate().find_map(|(index, source)| {
        let error = committee_change_input(chain, committee, &updates[..=index]).err()?;
        Some(InputError::Build { source_file: source.clone(), error })
    });
    culprit.unwrap_or_else(|| InputError::Build { source_file: sources.join(", "), error })
}

fn refuse_duplicates(accounts: &[Sourced<AccountNodes>]) -> Result<(), InputError> {
    if let Some(pair) = accounts.windows(2).find(|pair| pair[0].value.address == pair[1].value.address) {
        let what = format!("account 0x{}", hex::encode(pair[0].value.address));
        return Err(InputError::Duplicate {
            what,
            first: pair[0].source.clone(),
            second: pair[1].source.clone(),
        });
    }
    for account in accounts {
        let mut keys: Vec<_> = account.value.slots.iter().map(|(key, _)| key).collect();
        keys.sort_unstable();
        if let Some(pair) = keys.windows(2).find(|pair| pair[0] == pair[1]) {
            let what = format!("slot 0x{} of 0x{}", hex::encode(pair[0]), hex::encode(account.value.address));
            let (first, second) = (account.source.clone(), account.source.clone());
            return Err(InputError::Duplicate { what, first, second });
        }
    }
    Ok(())
}
