//! Executing a block on the state in a witness: system calls, transactions, requests, withdrawals (execution-specs,
//! `fork.py` `apply_body`), by alloy-evm's executor on revm.

use alloc::vec::Vec;

use alloy_consensus::transaction::Recovered;
use alloy_consensus::{Eip658Value, Receipt, ReceiptEnvelope, TxType};
use alloy_eips::{
    eip4895::Withdrawal, eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
    eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, eip7685::Requests,
};
use alloy_evm::block::state_changes::post_block_withdrawals_balance_increments;
use alloy_evm::block::{BlockExecutionError, BlockExecutor};
use alloy_evm::eth::receipt_builder::{ReceiptBuilder, ReceiptBuilderCtx};
use alloy_evm::eth::{EthBlockExecutionCtx, EthBlockExecutor};
use alloy_evm::{Evm, EvmEnv};
use alloy_primitives::{Address, U256};
use revm::Database;
use revm::database::{BundleState, State, states::bundle_state::BundleRetention};
use revm::database_interface::{DatabaseCommitExt, bal::EvmDatabaseError};

use crate::block::{Block, BlockTransaction};
use crate::evm::BlockEvm;
use crate::forks::Rules;
use crate::witness::{WitnessDb, WitnessError};

/// What a block's execution comes to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// One for each transaction.
    pub receipts: Vec<ReceiptEnvelope>,
    /// Lists of requests to the consensus layer (EIP-7685), each with its type in front; none before Prague.
    pub requests: Requests,
    /// Gas of all transactions, after refunds.
    pub gas_used: u64,
    /// Blob gas of all transactions.
    pub blob_gas_used: u64,
    /// Accounts and storage as the block leaves them.
    pub changes: BundleState,
}

/// Why a block cannot be executed.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// There are not as many senders as transactions.
    #[error("{got} senders for {expected} transactions")]
    Senders {
        /// Senders given.
        got: usize,
        /// Transactions of the block.
        expected: usize,
    },
    /// A transaction may not stand here, or the witness does not reach for it.
    #[error("transaction {index}: {error}")]
    Transaction {
        /// Its position in the block.
        index: usize,
        /// What is wrong.
        error: BlockExecutionError,
    },
    /// The witness does not reach for an account that a withdrawal goes to (EIP-4895).
    #[error("withdrawals: {error}")]
    Withdrawals {
        /// What is wrong.
        error: EvmDatabaseError<WitnessError>,
    },
    /// A call that the protocol makes fails: before the transactions (EIP-2935, EIP-4788), or after them (EIP-7002, EIP-7251).
    #[error("{stage} the transactions: {error}")]
    System {
        /// `before` or `after`.
        stage: &'static str,
        /// What is wrong.
        error: BlockExecutionError,
    },
    /// The accounts of the block own so much that balances may have passed 2^256, which no chain's do.
    #[error("2^256 wei or more in the block's accounts and withdrawals")]
    Wei,
    /// There is no contract to ask for requests (EIP-7002, EIP-7251: such a block is invalid).
    #[error("no system contract of {eip} at {address}")]
    NoSystemContract {
        /// Which proposal's.
        eip: &'static str,
        /// Where it should be.
        address: Address,
    },
    /// The witness does not say whether there is such a contract.
    #[error("system contract of {eip}: {error}")]
    SystemContract {
        /// Which proposal's.
        eip: &'static str,
        /// What is wrong.
        error: EvmDatabaseError<WitnessError>,
    },
}

/// Executes `block` on the state of its parent, with the transactions' `senders` in their order.
///
/// # Errors
/// [`ExecuteError`].
pub fn execute(
    block: &Block<'_>,
    senders: &[Address],
    db: &mut WitnessDb<'_>,
    rules: &Rules,
) -> Result<Outcome, ExecuteError> {
    let header = &block.header;
    if senders.len() != block.transactions.len() {
        return Err(ExecuteError::Senders { got: senders.len(), expected: block.transactions.len() });
    }
    let mut state = State::builder().with_database(db).with_bundle_update().build();
    let env = EvmEnv::for_eth_block(header, rules, rules.chain_id(), Some(*rules.blob_params()));
    let context = EthBlockExecutionCtx {
        parent_hash: header.parent_hash,
        parent_beacon_block_root: header.parent_beacon_block_root,
        ommers: &[],
        // Paid out below.
        withdrawals: None,
        extra_data: header.extra_data.clone(),
        tx_count_hint: Some(block.transactions.len()),
        slot_number: None,
    };
    let mut executor = EthBlockExecutor::new(BlockEvm::new(&mut state, env), context, rules, Receipts);

    let system = |stage| move |error| ExecuteError::System { stage, error };
    // Beacon roots first, as in `apply_body`; alloy-evm has it the other way round.
    executor
        .system_caller
        .apply_beacon_root_contract_call(header.parent_beacon_block_root, &mut executor.evm)
        .map_err(system("before"))?;
    executor
        .system_caller
        .apply_blockhashes_contract_call(header.parent_hash, &mut executor.evm)
        .map_err(system("before"))?;
    for (index, (transaction, sender)) in block.transactions.iter().zip(senders).enumerate() {
        let transaction = Recovered::new_unchecked(transaction, *sender);
        executor
            .execute_transaction(transaction)
            .map_err(|error| ExecuteError::Transaction { index, error })?;
    }
    // Before requests are collected, as in execution-specs' `apply_body`; alloy-evm would pay them out after.
    let paid = post_block_withdrawals_balance_increments(rules, header.timestamp, &block.withdrawals);
    let db = executor.evm_mut().db_mut();
    db.increment_balances(paid).map_err(|error| ExecuteError::Withdrawals { error })?;
    if rules.is_prague() {
        check_system_contracts(db)?;
    }
    let (evm, result) = executor.finish().map_err(system("after"))?;
    drop(evm);
    check_wei(state.database.wei(), &block.withdrawals)?;

    state.merge_transitions(BundleRetention::PlainState);
    Ok(Outcome {
        receipts: result.receipts,
        requests: result.requests,
        gas_used: result.gas_used,
        blob_gas_used: result.blob_gas_used,
        changes: state.take_bundle(),
    })
}

/// No balance can pass 2^256 where all balances and withdrawals together do not: execution-specs ends with an error there, and
/// revm goes on with another balance.
fn check_wei(wei: Option<U256>, withdrawals: &[Withdrawal]) -> Result<(), ExecuteError> {
    let paid = withdrawals.iter().map(|withdrawal| withdrawal.amount_wei());
    let total = paid.fold(wei, |total, paid| total?.checked_add(paid));
    total.map(drop).ok_or(ExecuteError::Wei)
}

/// The contracts that are asked for requests must be there (execution-specs, `process_checked_system_transaction`); a call to
/// no code succeeds, with no request.
fn check_system_contracts(
    state: &mut impl Database<Error = EvmDatabaseError<WitnessError>>,
) -> Result<(), ExecuteError> {
    let contracts = [
        ("EIP-7002", WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS),
        ("EIP-7251", CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS),
    ];
    for (eip, address) in contracts {
        let account = state.basic(address).map_err(|error| ExecuteError::SystemContract { eip, error })?;
        if account.is_none_or(|account| account.is_empty_code_hash()) {
            return Err(ExecuteError::NoSystemContract { eip, address });
        }
    }
    Ok(())
}

/// Receipts of a block's transactions.
#[derive(Clone, Copy, Debug)]
struct Receipts;

impl ReceiptBuilder for Receipts {
    type Transaction = BlockTransaction;
    type Receipt = ReceiptEnvelope;

    fn build_receipt<E: Evm>(&self, context: ReceiptBuilderCtx<'_, TxType, E>) -> ReceiptEnvelope {
        let receipt = Receipt {
            status: Eip658Value::Eip658(context.result.is_success()),
            cumulative_gas_used: context.cumulative_gas_used,
            logs: context.result.into_logs(),
        };
        let receipt = receipt.with_bloom();
        match context.tx_type {
            TxType::Legacy => ReceiptEnvelope::Legacy(receipt),
            TxType::Eip2930 => ReceiptEnvelope::Eip2930(receipt),
            TxType::Eip1559 => ReceiptEnvelope::Eip1559(receipt),
            TxType::Eip4844 => ReceiptEnvelope::Eip4844(receipt),
            TxType::Eip7702 => ReceiptEnvelope::Eip7702(receipt),
        }
    }
}

#[cfg(test)]
mod tests;
