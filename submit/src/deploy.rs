//! A new light client contract.

use alloy_primitives::{Address, B256};
use alloy_sol_types::SolConstructor;

use crate::{
    Mined, OnSent, Rules, Sender, SubmitError, Trust, chain,
    contract::LightClient::{self, constructorCall},
};

/// What a contract is deployed with: see `docs/contracts.md` for what each means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployment {
    /// What it takes on trust.
    pub trust: Trust,
    /// What it demands of statements.
    pub rules: Rules,
    /// Slot of the finalized header that is trusted.
    pub slot: u64,
    /// Its block root.
    pub root: B256,
    /// Period of the committee that is trusted.
    pub period: u64,
    /// `hash_tree_root` of that committee.
    pub committee_root: B256,
    /// Who may replace verifier, keys and chain; zero for nobody.
    pub guardian: Address,
    /// Seconds that a replacement is announced ahead.
    pub delay: u64,
}

/// A contract that was deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deployed {
    /// Where it is.
    pub contract: Address,
    /// The transaction.
    pub mined: Mined,
}

impl Deployment {
    /// The transaction's data: the contract's code and its constructor's arguments.
    pub fn init_code(&self) -> Vec<u8> {
        let call = constructorCall {
            trust_: self.trust.abi(),
            rules: self.rules.abi(),
            checkpoint: LightClient::Checkpoint {
                slot: self.slot,
                root: self.root,
                period: self.period,
                committeeRoot: self.committee_root,
            },
            guardian_: self.guardian,
            delay_: self.delay,
        };
        [&LightClient::BYTECODE[..], &call.abi_encode()].concat()
    }

    /// Deploys, unless a dry run fails.
    ///
    /// # Errors
    /// [`SubmitError`]: among others that there is no verifier, or the constructor's reason.
    pub async fn deploy(&self, sender: &Sender, on_sent: OnSent<'_>) -> Result<Deployed, SubmitError> {
        if !chain::has_code(&sender.nodes, self.trust.verifier).await? {
            return Err(SubmitError::NoContract(self.trust.verifier));
        }
        let code = self.init_code();
        let gas = sender.dry_run(None, &code).await?;
        let mined = sender.send(None, &code, gas, on_sent).await?;
        let contract = mined.contract.ok_or(SubmitError::Answer {
            method: "eth_getTransactionReceipt",
            got: "no contract created".into(),
        })?;
        Ok(Deployed { contract, mined })
    }
}
