//! A statement told in one JSON document: nodes' answers as they came, and what is asked about them.

use serde::Deserialize;
use serde_json::value::RawValue;
use sextant_consensus::{
    Program,
    chain::ChainConfig,
    events::LogFilter,
    hash::Root,
    json::{hex_array, hex_arrays},
    networks,
};

use crate::{
    Answer, Encoding, Given, InputError, LogName, Parts, Prepared, QuestionError, Questions, Signers,
    committee_change, inclusion_given, read,
};

/// The document. An answer stands in it as the node gave it, with its envelope (`data`, `result`) or without; where several
/// are taken, they are one answer or a list.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The network's name.
    #[serde(default = "mainnet")]
    network: String,
    /// `/eth/v1/beacon/light_client/bootstrap/{block_root}`: the committee to begin with. Whether its block is to be trusted,
    /// only the asker knows.
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    bootstrap: Box<RawValue>,
    /// `/eth/v1/beacon/light_client/updates`: handovers in their order, the first in the bootstrap's period.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    updates: Option<Box<RawValue>>,
    /// For inclusions: `/eth/v1/beacon/light_client/finality_update`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    finality_update: Option<Box<RawValue>>,
    /// `eth_getBlockByHash`: the finalized execution block, where something of it has to be proven that the header of the
    /// beacon chain does not say; and of an inclusion those on the way back to an earlier one, in any order. With
    /// transactions where those or logs are asked for.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    blocks: Option<Box<RawValue>>,
    /// For inclusions: `eth_getProof`, an answer for each account.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    accounts: Option<Box<RawValue>>,
    /// For inclusions: `eth_getProof` of the history contract (EIP-2935), each in the state of the block that it leads on
    /// from, the finalized one first.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    history: Option<Box<RawValue>>,
    /// For inclusions: `eth_getBlockReceipts` of the block that is asked about.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Value"))]
    receipts: Option<Box<RawValue>>,
    /// For inclusions: transactions, by their hashes.
    #[serde(default, deserialize_with = "hex_arrays::deserialize")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    transactions: Vec<Root>,
    /// For inclusions: single logs.
    #[serde(default)]
    logs: Vec<ToldLog>,
    /// For inclusions: every log that passes; where none does, that there is none.
    #[serde(default)]
    filters: Vec<ToldFilter>,
    /// For inclusions: whether all receipts of the block may become part of the statement, where only they prove that there
    /// is no such log.
    #[serde(default)]
    all_receipts: bool,
}

/// A log.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(
    untagged,
    deny_unknown_fields,
    expecting = "a log is told by `transaction` and perhaps `position`, or by `log_index`"
)]
enum ToldLog {
    /// By its transaction.
    Of {
        /// The transaction's hash.
        #[serde(deserialize_with = "hex_array::deserialize")]
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        transaction: Root,
        /// Its place in the receipt, from 0. Without it: all logs of the transaction.
        position: Option<u32>,
    },
    /// By its place in the block.
    InBlock {
        /// Its place among all logs of the block, from 0.
        log_index: u32,
    },
}

/// An address, and the topics that a log begins with.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct ToldFilter {
    /// The contract's address.
    #[serde(deserialize_with = "hex_array::deserialize")]
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    address: [u8; 20],
    /// At most four.
    #[serde(default, deserialize_with = "hex_arrays::deserialize")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
    topics: Vec<Root>,
}

/// Topics that a log can have: the machine's instructions are LOG0 to LOG4.
const MOST_TOPICS: usize = 4;

fn mainnet() -> String {
    "mainnet".into()
}

/// Why a document makes no statement input.
#[derive(Debug, thiserror::Error)]
pub enum ToldError {
    /// It is no such document.
    #[error("no statement in JSON: {0}")]
    Document(#[from] serde_json::Error),
    /// The network has no name here.
    #[error("network `{0}` is not known: a statement in JSON is about mainnet, sepolia, holesky or hoodi")]
    Network(String),
    /// Statements about proofs are asked for by those.
    #[error("a {0} is asked for by proofs, not by a statement in JSON")]
    Program(Program),
    /// The program needs what is not there.
    #[error("a statement for {program} needs `{field}`")]
    Needs {
        /// The program.
        program: Program,
        /// The field that is missing.
        field: &'static str,
    },
    /// The program says nothing about what is there.
    #[error("`{field}` is no part of a statement for {program}")]
    Foreign {
        /// The program.
        program: Program,
        /// The field that is too much.
        field: &'static str,
    },
    /// More topics than a log has.
    #[error("`filters[{0}].topics`: a log has at most {MOST_TOPICS} topics")]
    Topics(usize),
    /// The answers do not fit together.
    #[error(transparent)]
    Input(#[from] InputError),
    /// The block does not answer what is asked.
    #[error(transparent)]
    Question(#[from] QuestionError),
}

impl Told {
    /// Reads a document. Of the answers in it no more is looked at than that they are JSON.
    ///
    /// # Errors
    /// [`ToldError::Document`].
    pub fn read(document: &[u8]) -> Result<Self, ToldError> {
        Ok(serde_json::from_slice(document)?)
    }

    /// The input for `program`.
    ///
    /// # Errors
    /// [`ToldError`] names the field, and in it the place. That the statement is true is for
    /// [`sextant_consensus::check_statement`] to say.
    pub fn input(self, program: Program) -> Result<Prepared, ToldError> {
        let chain =
            networks::by_name(&self.network).ok_or_else(|| ToldError::Network(self.network.clone()))?;
        let bootstrap = read::bootstrap(chain, &answer("bootstrap", &self.bootstrap))?;
        let signers = Signers::of_bootstrap(chain, &bootstrap)?;
        match program {
            Program::CommitteeChange => self.committee_change(chain, &signers),
            Program::Inclusion => self.inclusion(chain, &signers),
            Program::Bundle | Program::Chain => Err(ToldError::Program(program)),
        }
    }

    fn committee_change(self, chain: &ChainConfig, signers: &Signers) -> Result<Prepared, ToldError> {
        let program = Program::CommitteeChange;
        let foreign = [
            ("finality_update", self.finality_update.is_some()),
            ("accounts", self.accounts.is_some()),
            ("history", self.history.is_some()),
            ("receipts", self.receipts.is_some()),
            ("transactions", !self.transactions.is_empty()),
            ("logs", !self.logs.is_empty()),
            ("filters", !self.filters.is_empty()),
            ("all_receipts", self.all_receipts),
        ];
        if let Some((field, _)) = foreign.into_iter().find(|(_, is_there)| *is_there) {
            return Err(ToldError::Foreign { program, field });
        }
        let updates = self.updates.ok_or(ToldError::Needs { program, field: "updates" })?;
        let updates = read::updates(chain, &answer("updates", &updates))?;
        let block = self.blocks.map(|block| read::block_header(&answer("blocks", &block))).transpose()?;
        Ok(committee_change(chain, signers, updates, block.as_ref())?)
    }

    fn inclusion(self, chain: &ChainConfig, signers: &Signers) -> Result<Prepared, ToldError> {
        let program = Program::Inclusion;
        let questions = self.questions()?;
        let finality = self.finality_update.ok_or(ToldError::Needs { program, field: "finality_update" })?;
        if self.accounts.is_none() && !questions.has_events() {
            return Err(ToldError::Needs { program, field: "accounts" });
        }
        let mut parts = Parts::under(read::finality_update(chain, &answer("finality_update", &finality))?);
        if let Some(updates) = &self.updates {
            parts.handovers = read::updates(chain, &answer("updates", updates))?;
        }
        if let Some(accounts) = &self.accounts {
            parts.accounts = read::accounts(&answer("accounts", accounts))?;
        }
        let mut given = Given::default();
        if let Some(blocks) = &self.blocks {
            given.blocks = read::blocks(&answer("blocks", blocks))?;
        }
        if let Some(history) = &self.history {
            given.history = read::accounts(&answer("history", history))?;
        }
        if let Some(receipts) = &self.receipts {
            given.receipts = Some(read::receipts(&[answer("receipts", receipts)])?);
        }
        Ok(inclusion_given(chain, signers, parts, given, &questions)?)
    }

    /// What is asked of the block, but for its accounts, which are where their proofs are.
    fn questions(&self) -> Result<Questions, ToldError> {
        let logs = self.logs.iter().map(|log| match *log {
            ToldLog::Of { transaction, position } => LogName::Of { transaction, position },
            ToldLog::InBlock { log_index } => LogName::InBlock(log_index),
        });
        let mut filters = Vec::with_capacity(self.filters.len());
        for (index, filter) in self.filters.iter().enumerate() {
            if filter.topics.len() > MOST_TOPICS {
                return Err(ToldError::Topics(index));
            }
            filters.push(LogFilter { address: filter.address, topics: filter.topics.clone() });
        }
        Ok(Questions {
            transactions: self.transactions.clone(),
            logs: logs.collect(),
            filters,
            all_receipts: self.all_receipts,
            ..Questions::default()
        })
    }
}

/// What stands in a field, as an answer that errors name after the field.
fn answer(field: &str, json: &RawValue) -> Answer {
    Answer { source: field.into(), encoding: Encoding::Json, bytes: json.get().as_bytes().to_vec() }
}
