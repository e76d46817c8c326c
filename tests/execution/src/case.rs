//! A case of BlockchainTests: a state, a chain of blocks on it, and which of them are to be refused.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use alloy_primitives::{Address, B256, Bytes, U256};
use serde::{Deserialize, Deserializer, de};

use crate::world::{Account, World};

/// A case.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// Which rules hold.
    pub network: String,
    /// The first block, as far as its header.
    #[serde(rename = "genesisRLP")]
    pub genesis: Hex<Bytes>,
    /// The state after it.
    pre: BTreeMap<Hex<Address>, JsonAccount>,
    /// Blocks on it, valid and not.
    pub blocks: Vec<Block>,
    /// The last valid one of them.
    #[serde(rename = "lastblockhash")]
    pub last: Hex<B256>,
    /// The state after that one; a few cases have its root alone.
    post_state: Option<BTreeMap<Hex<Address>, JsonAccount>>,
}

/// A block.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Block {
    /// Its bytes.
    pub rlp: Hex<Bytes>,
    /// Why it is to be refused, in the words of others.
    pub expect_exception: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct JsonAccount {
    nonce: Hex<U256>,
    balance: Hex<U256>,
    code: Hex<Bytes>,
    storage: BTreeMap<Hex<U256>, Hex<U256>>,
}

/// A value in hex with `0x`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hex<T>(pub T);

impl<'de, T: FromStr<Err: Display>> Deserialize<'de> for Hex<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|error| de::Error::custom(format_args!("{text:?}: {error}")))
    }
}

impl Case {
    /// The cases of a file, with their names.
    ///
    /// # Errors
    /// In words, if the file is not of this kind.
    pub fn all(file: &str, json: &[u8]) -> Result<Vec<(String, Self)>, String> {
        let cases: BTreeMap<String, Self> =
            serde_json::from_slice(json).map_err(|error| format!("{file}: {error}"))?;
        Ok(cases.into_iter().map(|(name, case)| (format!("{file}::{name}"), case)).collect())
    }

    /// The state that the blocks begin with.
    pub fn before(&self) -> World {
        world(&self.pre)
    }

    /// The state after the last valid block, where the case has it.
    pub fn after(&self) -> Option<World> {
        self.post_state.as_ref().map(world)
    }
}

fn world(accounts: &BTreeMap<Hex<Address>, JsonAccount>) -> World {
    let account = |(address, account): (&Hex<Address>, &JsonAccount)| {
        let storage = account.storage.iter().map(|(slot, word)| (slot.0, word.0));
        let account = Account {
            nonce: account.nonce.0.saturating_to(),
            balance: account.balance.0,
            code: account.code.0.clone(),
            storage: storage.filter(|(_, word)| !word.is_zero()).collect(),
        };
        (address.0, account)
    };
    accounts.iter().map(account).collect()
}
