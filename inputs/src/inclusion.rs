//! Inclusions of all that they may say: catch-up, earlier blocks, accounts, transactions and logs.

use sextant_consensus::{
    Program,
    build::{
        AccountNodes, Asked, BuildError, StepNodes, TransactionNodes, asked_input, committee_change_input,
        inclusion_input,
    },
    chain::ChainConfig,
    codec,
    events::LogFilter,
    light_client::{LightClientFinalityUpdate, LightClientUpdate},
};
use sextant_protocol::StatementInput;

use crate::{
    InputError, Prepared, Signers, Sourced,
    statement::{connect, refuse_duplicates},
};

/// What an inclusion is made of, beside the committee that is trusted.
#[derive(Clone, Debug)]
pub struct Parts {
    /// From the trusted committee to the one that signed, one a period. None: it signed itself.
    pub handovers: Vec<Sourced<LightClientUpdate>>,
    /// The finality that was signed.
    pub finality: Sourced<LightClientFinalityUpdate>,
    /// The finalized execution block's header in RLP. Since Gloas everything needs it; before, transactions and logs of
    /// that block, and a first step to its parent.
    pub block: Option<Sourced<Vec<u8>>>,
    /// From the finalized block back to the one asked about.
    pub ancestry: Vec<Sourced<StepNodes>>,
    /// Accounts and slots, in any order.
    pub accounts: Vec<Sourced<AccountNodes>>,
    /// Transactions and logs, in any order.
    pub transactions: Vec<TransactionNodes>,
    /// Logs that are not there, in any order.
    pub no_logs: Vec<LogFilter>,
    /// All receipts of the block as their trie holds them, where they are needed.
    pub receipts: Vec<Vec<u8>>,
}

impl Parts {
    /// A finality under which nothing is asked yet.
    pub fn under(finality: Sourced<LightClientFinalityUpdate>) -> Self {
        Self {
            handovers: Vec::new(),
            finality,
            block: None,
            ancestry: Vec::new(),
            accounts: Vec::new(),
            transactions: Vec::new(),
            no_logs: Vec::new(),
            receipts: Vec::new(),
        }
    }

    /// Whether the finalized block's own header has to be part of the statement.
    fn needs_block(&self) -> bool {
        let has_events = !self.transactions.is_empty() || !self.no_logs.is_empty();
        match self.ancestry.first() {
            Some(step) => step.value.history.is_none(),
            None => has_events,
        }
    }
}

/// The accounts under the finality update's finalized header, signed by `signers`. `block` is the execution block's
/// header in RLP, which since Gloas is what proves the state root.
///
/// # Errors
/// As [`asked`].
pub fn inclusion(
    chain: &ChainConfig,
    signers: &Signers,
    update: &Sourced<LightClientFinalityUpdate>,
    accounts: Vec<Sourced<AccountNodes>>,
    block: Option<&Sourced<Vec<u8>>>,
) -> Result<Prepared, InputError> {
    asked(chain, signers, Parts { accounts, block: block.cloned(), ..Parts::under(update.clone()) })
}

/// The inclusion of these parts; `trusted` is the committee of the first handover, or else the one that signed.
///
/// # Errors
/// [`InputError`] names source and rule. That the result is true is for [`sextant_consensus::check_statement`] to say, which
/// a client asks before it asks a server.
pub fn asked(chain: &ChainConfig, trusted: &Signers, mut parts: Parts) -> Result<Prepared, InputError> {
    let (source, slot) = match parts.handovers.first() {
        Some(update) => (&update.source, update.value.signature_slot),
        None => (&parts.finality.source, parts.finality.value.signature_slot),
    };
    connect(chain, trusted, source, slot)?;
    let block_header = block_header(chain, trusted, &parts)?;
    // The input has them in this order, and errors count by it.
    parts.accounts.sort_by_key(|account| account.value.address);
    refuse_duplicates(&parts.accounts)?;
    let names = parts
        .accounts
        .iter()
        .map(|account| format!("{} (account 0x{})", account.source, hex::encode(account.value.address)))
        .collect();
    let (mut signed, handovers) = apart(parts.handovers);
    let (steps, ancestry) = apart(parts.ancestry);
    let (_, accounts) = apart(parts.accounts);
    let asked = Asked {
        handovers: &handovers,
        block_header: block_header.as_deref(),
        ancestry: &ancestry,
        accounts: &accounts,
        transactions: &parts.transactions,
        no_logs: &parts.no_logs,
        receipts: &parts.receipts,
    };
    let input = asked_input(chain, &trusted.committee, &parts.finality.value, &asked).map_err(|error| {
        let culprit = blame(chain, trusted, &handovers, &error).and_then(|index| signed.get(index));
        let source_file = culprit.unwrap_or(&parts.finality.source).clone();
        InputError::Build { source_file, error }
    })?;
    signed.push(parts.finality.source);
    let input = StatementInput::new(Program::Inclusion, codec::encode(&input));
    Ok(Prepared { input, signed, accounts: names, steps })
}

/// The finalized block's header, where the statement needs it. Elsewhere the light-client header has said all there is; a
/// header that is given must be that block's all the same.
fn block_header(
    chain: &ChainConfig,
    trusted: &Signers,
    parts: &Parts,
) -> Result<Option<Vec<u8>>, InputError> {
    let Some(block) = &parts.block else { return Ok(None) };
    let finality = &parts.finality;
    let signers = parts.handovers.last().map_or(&trusted.committee, |last| &last.value.next_sync_committee);
    let facts = inclusion_input(chain, signers, &finality.value, &[])
        .map_err(|error| InputError::Build { source_file: finality.source.clone(), error })?
        .execution;
    let hash_only = facts.state_root == [0; 32];
    facts
        .with_block_header(block.value.clone())
        .map_err(|error| InputError::Block { source_file: block.source.clone(), error })?;
    Ok((hash_only || parts.needs_block()).then(|| block.value.clone()))
}

/// The update that does not build, if it is one of the handovers.
fn blame(
    chain: &ChainConfig,
    trusted: &Signers,
    handovers: &[LightClientUpdate],
    error: &BuildError,
) -> Option<usize> {
    let fails = |index: &usize| {
        committee_change_input(chain, &trusted.committee, &handovers[..=*index]).as_ref().err() == Some(error)
    };
    (0..handovers.len()).find(fails)
}

fn apart<T>(list: Vec<Sourced<T>>) -> (Vec<String>, Vec<T>) {
    list.into_iter().map(|sourced| (sourced.source, sourced.value)).unzip()
}
