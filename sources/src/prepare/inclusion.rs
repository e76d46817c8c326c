//! An inclusion from execution nodes: the block that it is about, and in it accounts, transactions and logs.

use sextant_consensus::{
    bls::Plain,
    build::{AccountNodes, StepNodes},
    chain::{ChainConfig, Fork},
    check_statement,
    execution_header::ExecutionHeader,
    hash::{Root, keccak256},
    light_client::{LightClientFinalityUpdate, LightClientHeader},
    public_values::{Inclusion, Statement},
};

use super::{BlockName, PrepareError, QuestionError, Questions, ancestry, events};
use crate::{
    ExecutionNodes, LightClient, Watched,
    input::{self, Parts, Prepared, Signers, Sourced},
};

/// Accounts and slots under a finality update that `client` has accepted.
///
/// # Errors
/// [`PrepareError`].
pub async fn inclusion_under(
    client: &LightClient,
    finality: &Sourced<LightClientFinalityUpdate>,
    execution: &ExecutionNodes,
    watched: &[Watched],
) -> Result<Prepared, PrepareError> {
    let config = &client.chain().statement_config();
    inclusion_for(client, config, finality, execution, watched).await
}

/// The same in the words of one of the schedules that agree on it: see [`crate::forks`].
///
/// # Errors
/// [`PrepareError`].
pub async fn inclusion_for(
    client: &LightClient,
    config: &ChainConfig,
    finality: &Sourced<LightClientFinalityUpdate>,
    execution: &ExecutionNodes,
    watched: &[Watched],
) -> Result<Prepared, PrepareError> {
    inclusion_of(client, config, finality, execution, &Questions::accounts(watched)).await
}

/// Whatever is asked under a finality update that `client` has accepted.
///
/// # Errors
/// [`PrepareError`].
pub async fn inclusion_of(
    client: &LightClient,
    config: &ChainConfig,
    finality: &Sourced<LightClientFinalityUpdate>,
    execution: &ExecutionNodes,
    questions: &Questions,
) -> Result<Prepared, PrepareError> {
    let period = config.period(finality.value.signature_slot);
    let signers = client.signers(period).ok_or(PrepareError::NotYet(period))?;
    let block = FinalBlock::of(&finality.value.finalized_header, config, execution).await?;
    let basis = Basis::new(config, &signers, Parts::under(finality.clone()), block);
    basis.inclusion(execution, questions).await
}

/// An execution block that is known by number and hash, with its header where that was read.
#[derive(Clone, Debug)]
pub(super) struct FinalBlock {
    pub(super) number: u64,
    pub(super) hash: Root,
    pub(super) header: Option<Sourced<Vec<u8>>>,
}

impl FinalBlock {
    /// The execution block of a finalized header. Since Gloas that names only its hash, and the block's own header tells the
    /// rest.
    pub(super) async fn of(
        header: &LightClientHeader,
        config: &ChainConfig,
        execution: &ExecutionNodes,
    ) -> Result<Self, PrepareError> {
        if let Some(payload) = &header.execution {
            return Ok(Self { number: payload.block_number, hash: payload.block_hash, header: None });
        }
        let Some(hash) = header.execution_block_hash else {
            let fork = config.fork_at(header.beacon.slot).unwrap_or(Fork::Phase0);
            return Err(QuestionError::NoExecution(fork).into());
        };
        let block = execution.block_header(&hash).await?;
        let number = ExecutionHeader::read(&block.value)?.number;
        Ok(Self { number, hash, header: Some(block) })
    }
}

/// What an inclusion rests on, and how far back it has gone.
pub(super) struct Basis<'a> {
    pub(super) config: &'a ChainConfig,
    trusted: &'a Signers,
    /// The handovers, the finality, and the steps back so far.
    pub(super) parts: Parts,
    /// Where those steps lead.
    pub(super) block: FinalBlock,
}

impl<'a> Basis<'a> {
    pub(super) fn new(
        config: &'a ChainConfig,
        trusted: &'a Signers,
        mut parts: Parts,
        block: FinalBlock,
    ) -> Self {
        parts.block = block.header.clone();
        Self { config, trusted, parts, block }
    }

    /// Answers the questions.
    pub(super) async fn inclusion(
        mut self,
        execution: &ExecutionNodes,
        questions: &Questions,
    ) -> Result<Prepared, PrepareError> {
        if let Some((number, hash)) = block_asked(execution, questions).await? {
            ancestry::go_back(&mut self, execution, number).await?;
            let other = self.block.hash;
            if let Some(asked) = hash.filter(|hash| *hash != other) {
                return Err(PrepareError::NotAncestor { asked, number, other });
            }
        }
        let mut accounts = Vec::with_capacity(questions.accounts.len());
        for account in &questions.accounts {
            let accept = |account: &Sourced<AccountNodes>| self.proves(account).map(drop);
            accounts.push(execution.proof(self.block.number, account, accept).await?);
        }
        if questions.has_events() {
            let header = self.header(execution).await?;
            events::find(execution, &header, questions, &mut self.parts).await?;
        }
        self.parts.accounts = accounts;
        Ok(input::asked(self.config, self.trusted, self.parts)?)
    }

    /// What an account's proof in the block reached proves. Any failure is the execution node's: all the rest was checked
    /// before.
    pub(super) fn proves(&self, account: &Sourced<AccountNodes>) -> Result<Inclusion, String> {
        let parts = Parts { accounts: vec![account.clone()], ..self.parts.clone() };
        let prepared = input::asked(self.config, self.trusted, parts).map_err(|error| error.to_string())?;
        let program = sextant_consensus::Program::Inclusion;
        match check_statement(program, &prepared.input.bytes, &mut Plain) {
            Ok(Statement::Inclusion(values)) => Ok(values),
            Ok(_) => Err("another statement".into()),
            Err(error) => Err(prepared.explain(&error)),
        }
    }

    /// The header of the block reached, in RLP; of the finalized one it becomes part of the statement.
    pub(super) async fn header(&mut self, execution: &ExecutionNodes) -> Result<Vec<u8>, PrepareError> {
        if let Some(header) = &self.block.header {
            return Ok(header.value.clone());
        }
        let header = execution.block_header(&self.block.hash).await?;
        self.parts.block = Some(header.clone());
        let rlp = header.value.clone();
        self.block.header = Some(header);
        Ok(rlp)
    }

    /// Goes back to the block with this hash.
    pub(super) fn step_back(&mut self, hash: Root, step: Sourced<StepNodes>) {
        debug_assert_eq!(keccak256(&step.value.header), hash);
        let number = ExecutionHeader::read(&step.value.header).map_or(0, |header| header.number);
        let header = Sourced { source: step.source.clone(), value: step.value.header.clone() };
        self.block = FinalBlock { number, hash, header: Some(header) };
        self.parts.ancestry.push(step);
    }
}

/// The block that is asked about, if it need not be the finalized one: its number, and its hash where that is named.
async fn block_asked(
    execution: &ExecutionNodes,
    questions: &Questions,
) -> Result<Option<(u64, Option<Root>)>, PrepareError> {
    match questions.block {
        Some(BlockName::Number(number)) => return Ok(Some((number, None))),
        Some(BlockName::Hash(hash)) => {
            let header = execution.block_header(&hash).await?;
            return Ok(Some((ExecutionHeader::read(&header.value)?.number, Some(hash))));
        }
        None => {}
    }
    let mut first: Option<(Root, u64, Root)> = None;
    for transaction in questions.named() {
        let place = execution.place(&transaction).await?;
        let (number, hash) = place.ok_or(PrepareError::UnknownTransaction(transaction))?;
        match first {
            Some((other, other_block, block)) if block != hash => {
                return Err(PrepareError::TwoBlocks { transaction, block: number, other, other_block });
            }
            _ => first = Some((transaction, number, hash)),
        }
    }
    Ok(first.map(|(_, number, hash)| (number, Some(hash))))
}
