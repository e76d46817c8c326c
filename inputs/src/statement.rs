//! The objects together: statement inputs, with what is known about where each part came from.

use sextant_consensus::{
    Program, StatementError,
    accounts::AccountsError,
    ancestry::AncestryError,
    build::{AccountNodes, BuildError, bootstrap_committee, committee_change_input},
    chain::ChainConfig,
    codec,
    committee_change::CommitteeChangeError,
    execution::ExecutionFacts,
    inclusion::InclusionError,
    light_client::{LightClientBootstrap, LightClientUpdate, SyncCommittee},
};
use sextant_protocol::StatementInput;

use crate::{InputError, Sourced};

/// A statement input, and the sources of its parts for error messages.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// What a client sends.
    pub input: StatementInput,
    /// One per handover, and of an inclusion the finality update.
    pub(crate) signed: Vec<String>,
    /// One per account, in the input's order.
    pub(crate) accounts: Vec<String>,
    /// One per step back.
    pub(crate) steps: Vec<String>,
}

/// A sync committee and the period in which it signs: what a statement begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signers {
    /// Where it comes from, for error messages.
    pub source: String,
    /// The period.
    pub period: u64,
    /// The committee.
    pub committee: SyncCommittee,
}

impl Signers {
    /// The committee of a bootstrap, checked against its header's state. The header is the caller's to trust.
    ///
    /// # Errors
    /// [`InputError::Build`].
    pub fn of_bootstrap(
        chain: &ChainConfig,
        bootstrap: &Sourced<LightClientBootstrap>,
    ) -> Result<Self, InputError> {
        let source = bootstrap.source.clone();
        match bootstrap_committee(chain, &bootstrap.value) {
            Ok(committee) => Ok(Self {
                source,
                period: chain.period(bootstrap.value.header.beacon.slot),
                committee: committee.clone(),
            }),
            Err(error) => Err(InputError::Build { source_file: source, error }),
        }
    }
}

/// The handover from `signers` through all updates, in order. `block` is the execution block's header in RLP, which
/// since Gloas is what proves block number and state root of the last finalized header.
///
/// # Errors
/// [`InputError`] names source and rule. That the result is true is for
/// [`sextant_consensus::check_statement`] to say, which a client asks before it asks a server.
pub fn committee_change(
    chain: &ChainConfig,
    signers: &Signers,
    updates: Vec<Sourced<LightClientUpdate>>,
    block: Option<&Sourced<Vec<u8>>>,
) -> Result<Prepared, InputError> {
    if let Some(first) = updates.first() {
        connect(chain, signers, &first.source, first.value.signature_slot)?;
    }
    let (signed, updates): (Vec<_>, Vec<_>) =
        updates.into_iter().map(|update| (update.source, update.value)).unzip();
    let mut input = committee_change_input(chain, &signers.committee, &updates)
        .map_err(|error| blame(chain, &signers.committee, &updates, &signed, error))?;
    input.execution = with_block(input.execution, block)?;
    let input = StatementInput::new(Program::CommitteeChange, codec::encode(&input));
    Ok(Prepared { input, signed, accounts: Vec::new(), steps: Vec::new() })
}

/// Adds the block's header where the light-client header names only its hash. Elsewhere the header has said all there
/// is; the block must be the same one.
fn with_block(facts: ExecutionFacts, block: Option<&Sourced<Vec<u8>>>) -> Result<ExecutionFacts, InputError> {
    let Some(block) = block else { return Ok(facts) };
    let hash_only = facts.state_root == [0; 32];
    match facts.clone().with_block_header(block.value.clone()) {
        Ok(complete) if hash_only => Ok(complete),
        Ok(_) => Ok(facts),
        Err(error) => Err(InputError::Block { source_file: block.source.clone(), error }),
    }
}

impl Prepared {
    /// The statement's error in terms of the files or answers it was built from.
    pub fn explain(&self, error: &StatementError) -> String {
        let place = match error {
            StatementError::CommitteeChange(CommitteeChangeError::Handover { index, .. })
            | StatementError::Inclusion(InclusionError::Handover { index, .. }) => self.signed.get(*index),
            StatementError::CommitteeChange(CommitteeChangeError::Execution(_)) => self.signed.last(),
            StatementError::Inclusion(InclusionError::Accounts(
                AccountsError::Account { account, .. } | AccountsError::Slot { account, .. },
            )) => self.accounts.get(*account),
            StatementError::Inclusion(InclusionError::Ancestry(AncestryError::Step { step, .. })) => {
                self.steps.get(*step)
            }
            StatementError::Inclusion(
                InclusionError::Finality(_)
                | InclusionError::SignerPeriod { .. }
                | InclusionError::Execution(_)
                | InclusionError::NoExecution(_)
                | InclusionError::NoStateRoot,
            ) => self.signed.last(),
            _ => None,
        };
        match place {
            Some(source) => format!("{source}: {error}"),
            None => error.to_string(),
        }
    }
}

/// Without this, another period's committee would show as a signature that does not match, which helps nobody.
pub(crate) fn connect(
    chain: &ChainConfig,
    signers: &Signers,
    source: &str,
    slot: u64,
) -> Result<(), InputError> {
    let (got, expected) = (chain.period(slot), signers.period);
    if got == expected {
        return Ok(());
    }
    let (source_file, signers) = (source.to_owned(), signers.source.clone());
    Err(InputError::Period { source_file, slot, got, signers, expected })
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

pub(crate) fn refuse_duplicates(accounts: &[Sourced<AccountNodes>]) -> Result<(), InputError> {
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
