//! What was submitted, what the contract knew when it was last looked at, where the chain of committees begins: one JSON value
//! each.

use redb::ReadableDatabase;
use serde::{Serialize, de::DeserializeOwned};

use super::{State, StateError, boxed, known::VALUES};
use crate::{ContractStatus, Journal};

/// Name of the submissions' journal among the values.
const JOURNAL: &str = "sent";
/// Name of what the contract knows among the values.
const CONTRACT: &str = "contract";
/// Name of the period that the chain of committees begins with, among the values.
const CHAIN_ANCHOR: &str = "chain_anchor";

impl State {
    /// What was submitted.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn journal(&self) -> Result<Journal, StateError> {
        Ok(self.json(JOURNAL)?.unwrap_or_default())
    }

    /// Records what was submitted; on disk when this returns.
    pub(crate) fn write_journal(&self, journal: &Journal) -> Result<(), StateError> {
        self.write_json(JOURNAL, journal)
    }

    /// What the contract knew when it was last looked at.
    ///
    /// # Errors
    /// [`StateError`].
    pub fn contract(&self) -> Result<Option<ContractStatus>, StateError> {
        self.json(CONTRACT)
    }

    /// Records what the contract knows.
    pub(crate) fn write_contract(&self, contract: &ContractStatus) -> Result<(), StateError> {
        self.write_json(CONTRACT, contract)
    }

    /// The period whose committee the chain of committees begins with, once it was begun.
    pub(crate) fn chain_anchor(&self) -> Result<Option<u64>, StateError> {
        self.json(CHAIN_ANCHOR)
    }

    /// Records with which period's committee the chain begins.
    pub(crate) fn write_chain_anchor(&self, period: u64) -> Result<(), StateError> {
        match self.chain_anchor()? {
            Some(noted) if noted == period => Ok(()),
            _ => self.write_json(CHAIN_ANCHOR, &period),
        }
    }

    fn json<T: DeserializeOwned>(&self, name: &'static str) -> Result<Option<T>, StateError> {
        let transaction = self.database.begin_read().map_err(boxed)?;
        let values = transaction.open_table(VALUES).map_err(boxed)?;
        let Some(bytes) = values.get(name).map_err(boxed)? else { return Ok(None) };
        serde_json::from_slice(bytes.value()).map(Some).map_err(|_| StateError::Content(name))
    }

    fn write_json<T: Serialize>(&self, name: &'static str, value: &T) -> Result<(), StateError> {
        let json = serde_json::to_vec(value).map_err(|_| StateError::Content(name))?;
        self.write(|transaction| {
            let mut values = transaction.open_table(VALUES).map_err(boxed)?;
            values.insert(name, &json[..]).map_err(boxed)?;
            Ok(())
        })
    }
}
