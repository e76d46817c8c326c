//! Calls that the protocol makes, before and after a block's transactions (execution-specs, `fork.py`
//! `process_system_transaction`).

use alloy_evm::Evm;
use alloy_primitives::{Address, Bytes};
use revm::ExecuteEvm;
use revm::context::TxEnv;
use revm::context_interface::{ContextSetters, result::ResultAndState};
use revm::handler::{Handler, MainnetHandler, SystemCallTx};
use revm::inspector::InspectorHandler;

use super::BlockEvm;

/// Gas of a call (execution-specs, `SYSTEM_TRANSACTION_GAS`). revm's has in every fork what Amsterdam adds to it.
const SYSTEM_TRANSACTION_GAS: u64 = 30_000_000;

impl BlockEvm<'_, '_, '_> {
    /// Calls `contract`. Nobody pays for it; the gas price that the contract sees is the base fee.
    pub(super) fn call_by_system(
        &mut self,
        caller: Address,
        contract: Address,
        data: Bytes,
    ) -> Result<ResultAndState, <Self as Evm>::Error> {
        self.keep_storage()?;
        let call = TxEnv {
            gas_limit: SYSTEM_TRANSACTION_GAS,
            gas_price: u128::from(self.0.ctx.block.basefee),
            ..TxEnv::new_system_tx_with_caller(caller, contract, data)
        };
        self.0.ctx.set_tx(call);
        let mut result: Result<_, <Self as Evm>::Error> =
            MainnetHandler::default().run_system_call(&mut self.0);
        let mut state = self.0.finalize();
        if self.has_met_storage_alone() {
            result = MainnetHandler::default().inspect_run_system_call(&mut self.0);
            state = self.0.finalize();
        }
        Ok(ResultAndState::new(result?, state))
    }
}
