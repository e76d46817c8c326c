//! The EVM over a witness, with the one rule that revm leaves to its database and has no way to ask for: a contract cannot be
//! created where an account has storage, though it has neither code nor a nonce (EIP-7610).
//!
//! There are 28 such accounts on mainnet, from before EIP-161, and none is ever added. So a transaction is run as usual, and
//! only where one of them has been met so far, once more with an inspector that lets creation there collide. The first run
//! leaves nothing behind but what has been read. And revm's state takes it that there is no storage without code or nonce,
//! which is put right.

mod instructions;
mod system_call;

use alloy_evm::eth::{EthEvmBuilder, EthEvmContext};
use alloy_evm::precompiles::PrecompilesMap;
use alloy_evm::{Evm, EvmEnv};
use alloy_primitives::{Address, Bytes, KECCAK256_EMPTY};
use revm::context::{BlockEnv, CfgEnv, Evm as Revm, TxEnv};
use revm::context_interface::result::{EVMError, HaltReason, ResultAndState};
use revm::context_interface::{ContextTr, JournalTr, journaled_state::account::JournaledAccountTr};
use revm::database::{AccountStatus, State};
use revm::database_interface::bal::EvmDatabaseError;
use revm::handler::{EthFrame, instructions::EthInstructions};
use revm::interpreter::{
    CreateInputs, CreateOutcome, Gas, InstructionResult, InterpreterResult, interpreter::EthInterpreter,
};
use revm::primitives::{constants::CALL_STACK_LIMIT, hardfork::SpecId};
use revm::{ExecuteEvm, InspectEvm, Inspector};

use crate::witness::{WitnessDb, WitnessError};

/// Where a block's transactions are executed: changes so far, on the witness.
type BlockState<'d, 'a> = State<&'d mut WitnessDb<'a>>;

type Context<'s, 'd, 'a> = EthEvmContext<&'s mut BlockState<'d, 'a>>;

/// An EVM that executes transactions on a witness, one after the other.
#[expect(missing_debug_implementations, reason = "revm's has none for its precompiles")]
pub struct BlockEvm<'s, 'd, 'a>(
    Revm<
        Context<'s, 'd, 'a>,
        StorageCollisions,
        EthInstructions<EthInterpreter, Context<'s, 'd, 'a>>,
        PrecompilesMap,
        EthFrame,
    >,
);

impl<'s, 'd, 'a> BlockEvm<'s, 'd, 'a> {
    /// An EVM on `state`.
    pub fn new(state: &'s mut BlockState<'d, 'a>, env: EvmEnv) -> Self {
        let mut evm = EthEvmBuilder::new(state, env).inspector(StorageCollisions).build().into_inner();
        instructions::install(&mut evm.instruction);
        Self(evm)
    }

    fn has_met_storage_alone(&self) -> bool {
        self.0.ctx.journaled_state.database.database.has_met_storage_alone()
    }

    /// Lets storage be read from the witness where revm's state would not look: once an account without code or nonce has
    /// changed, all of it counts as known, with nothing in its storage. Only code that the account delegates to afterwards
    /// (EIP-7702) could tell.
    fn keep_storage(&mut self) -> Result<(), <Self as Evm>::Error> {
        if !self.has_met_storage_alone() {
            return Ok(());
        }
        let State { cache, database, .. } = &mut *self.0.ctx.journaled_state.database;
        for (address, account) in &mut cache.accounts {
            let is_storage_alone = |database: &mut WitnessDb<'_>| database.is_storage_alone(*address);
            if account.status == AccountStatus::InMemoryChange
                && is_storage_alone(database)
                    .map_err(EvmDatabaseError::Database)
                    .map_err(EVMError::Database)?
            {
                account.status = AccountStatus::Changed;
            }
        }
        Ok(())
    }
}

impl<'s, 'd, 'a> Evm for BlockEvm<'s, 'd, 'a> {
    type DB = &'s mut BlockState<'d, 'a>;
    type Tx = TxEnv;
    type Error = EVMError<EvmDatabaseError<WitnessError>>;
    type HaltReason = HaltReason;
    type Spec = SpecId;
    type BlockEnv = BlockEnv;
    type Precompiles = PrecompilesMap;
    type Inspector = StorageCollisions;

    fn block(&self) -> &BlockEnv {
        &self.0.ctx.block
    }

    fn cfg_env(&self) -> &CfgEnv {
        &self.0.ctx.cfg
    }

    fn chain_id(&self) -> u64 {
        self.0.ctx.cfg.chain_id
    }

    fn transact_raw(&mut self, tx: TxEnv) -> Result<ResultAndState, Self::Error> {
        self.keep_storage()?;
        let result = self.0.transact(tx);
        if !self.has_met_storage_alone() {
            return result;
        }
        self.0.inspect_tx(self.0.ctx.tx.clone())
    }

    fn transact_system_call(
        &mut self,
        caller: Address,
        contract: Address,
        data: Bytes,
    ) -> Result<ResultAndState, Self::Error> {
        self.call_by_system(caller, contract, data)
    }

    fn finish(self) -> (Self::DB, EvmEnv) {
        let EthEvmContext { block, cfg, journaled_state, .. } = self.0.ctx;
        (journaled_state.database, EvmEnv { block_env: block, cfg_env: cfg })
    }

    /// Whether to inspect is for the state to say.
    fn set_inspector_enabled(&mut self, _enabled: bool) {}

    fn components(&self) -> (&Self::DB, &Self::Inspector, &Self::Precompiles) {
        (&self.0.ctx.journaled_state.database, &self.0.inspector, &self.0.precompiles)
    }

    fn components_mut(&mut self) -> (&mut Self::DB, &mut Self::Inspector, &mut Self::Precompiles) {
        (&mut self.0.ctx.journaled_state.database, &mut self.0.inspector, &mut self.0.precompiles)
    }
}

/// Lets creation collide with storage.
#[derive(Clone, Copy, Debug)]
pub struct StorageCollisions;

impl<'s, 'd, 'a> Inspector<Context<'s, 'd, 'a>> for StorageCollisions {
    /// Called before revm creates the frame. All that is left to revm ends with nothing said here.
    fn create(
        &mut self,
        context: &mut Context<'s, 'd, 'a>,
        inputs: &mut CreateInputs,
    ) -> Option<CreateOutcome> {
        let journal = context.journal_mut();
        // What comes before the look at the address (`make_create_frame`), and does not look at it if it fails.
        if journal.depth() > CALL_STACK_LIMIT as usize {
            return None;
        }
        let nonce = {
            let caller = journal.load_account(inputs.caller()).ok()?;
            if caller.info.balance < inputs.value() || caller.info.nonce == u64::MAX {
                return None;
            }
            caller.info.nonce
        };
        let address = inputs.created_address(nonce);
        // An error here is one that revm meets again.
        if !has_storage_alone(journal.db_mut(), address).ok()? {
            return None;
        }
        let target = journal.load_account(address).ok()?;
        if target.info.nonce != 0 || target.info.code_hash != KECCAK256_EMPTY {
            return None;
        }
        // As with any collision: the creator's nonce has moved on, and all the gas is gone.
        journal.load_account_mut(inputs.caller()).ok()?.bump_nonce();
        let gas = Gas::new_with_regular_gas_and_reservoir(inputs.gas_limit(), inputs.reservoir());
        let result = InterpreterResult::new(InstructionResult::CreateCollision, Bytes::new(), gas);
        Some(CreateOutcome {
            result,
            address: None,
            charged_create_state_gas: inputs.charged_create_state_gas(),
        })
    }
}

/// Whether an account had storage and neither code nor a nonce before the block, and has not been removed since.
fn has_storage_alone(state: &mut BlockState<'_, '_>, address: Address) -> Result<bool, WitnessError> {
    let removed = state.cache.accounts.get(&address).is_some_and(|account| account.status.was_destroyed());
    Ok(!removed && state.database.is_storage_alone(address)?)
}

#[cfg(test)]
mod tests;
