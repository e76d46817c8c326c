//! Execution nodes over JSON-RPC. As with beacon nodes, shape and subject are checked here; that the trie nodes lead to
//! the state root is for the caller's `accept` to judge, who knows the root from a signed header.

use std::{fmt::Display, sync::Arc};

use serde::Deserialize;
use serde_json::{Value, json};
use sextant_consensus::{
    build::AccountNodes,
    hash::{Root, keccak256},
};

use crate::{
    Endpoint, PoolError, Reason, SourceConfig, SourceError, Watched,
    batch::BatchSize,
    http::{self, Request},
    input::{self, Answer, Encoding, Sourced, read},
    pool::Pool,
    rpc,
};

/// Largest proof of one path: 64 branches of 532 bytes, in hex.
const PATH_LIMIT: u64 = 128 << 10;
/// Largest block without its transactions' content: the hashes of some 30,000.
pub(crate) const BLOCK_LIMIT: u64 = 4 << 20;
/// Largest other answer.
const SMALL_LIMIT: u64 = 16 << 10;

/// An execution node's JSON-RPC, behind one or more endpoints.
#[derive(Clone, Debug)]
pub struct ExecutionNodes {
    pub(crate) pool: Arc<Pool>,
    pub(crate) batch: Arc<BatchSize>,
}

impl ExecutionNodes {
    /// Nodes to ask, the first one first.
    ///
    /// # Errors
    /// [`PoolError`].
    pub fn new(endpoints: Vec<Endpoint>, config: SourceConfig) -> Result<Self, PoolError> {
        Ok(Self { pool: Arc::new(Pool::new(endpoints, config)?), batch: Arc::default() })
    }

    /// `eth_chainId`, which must be `expected`.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn check_chain(&self, expected: u64) -> Result<(), SourceError> {
        let request = call("chain id", "eth_chainId", json!([]), SMALL_LIMIT);
        self.pool
            .ask(&request, |answer| {
                let id = result(&answer)?;
                let number = id
                    .as_str()
                    .and_then(|text| u64::from_str_radix(text.strip_prefix("0x")?, 16).ok())
                    .ok_or_else(|| {
                        Reason::refused(format!("not a quantity: {}", http::clip(&id.to_string())))
                    })?;
                if number == expected { Ok(()) } else { Err(Reason::mismatch("chain id", number, expected)) }
            })
            .await
    }

    /// `eth_getProof` of an account and its slots in a block: of this address and these slots.
    ///
    /// The block is named by its number, which all nodes understand; that it is the right one, the state root tells.
    ///
    /// # Errors
    /// [`SourceError`], also where `accept` refuses every endpoint's answer.
    pub async fn proof<E: Display>(
        &self,
        block: u64,
        watched: &Watched,
        accept: impl Fn(&Sourced<AccountNodes>) -> Result<(), E>,
    ) -> Result<Sourced<AccountNodes>, SourceError> {
        let hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
        let keys: Vec<_> = watched.slots.iter().map(|key| hex(key)).collect();
        let request = call(
            format!("proof of {} in block {block}", hex(&watched.address)),
            "eth_getProof",
            json!([hex(&watched.address), keys, format!("{block:#x}")]),
            PATH_LIMIT * (1 + watched.slots.len() as u64),
        );
        let asked = self
            .pool
            .ask(&request, |answer| {
                result(&answer)?;
                let mut accounts = read::accounts(&answer)?;
                if accounts.len() != 1 {
                    return Err(Reason::mismatch("number of accounts", accounts.len(), 1));
                }
                let account = accounts.swap_remove(0);
                if account.value.address != watched.address {
                    return Err(Reason::mismatch(
                        "address",
                        hex(&account.value.address),
                        hex(&watched.address),
                    ));
                }
                let got: Vec<_> = account.value.slots.iter().map(|(key, _)| *key).collect();
                if got != watched.slots {
                    let text =
                        |slots: &[[u8; 32]]| slots.iter().map(|key| hex(key)).collect::<Vec<_>>().join(" ");
                    return Err(Reason::mismatch("list of slots", text(&got), text(&watched.slots)));
                }
                accept(&account).map_err(Reason::refused)?;
                Ok(account)
            })
            .await;
        match asked {
            Ok(account) => Ok(account),
            Err(error) => Err(self.explained(error).await),
        }
    }

    /// Adds what lets a node answer that has not the state it was asked about.
    async fn explained(&self, mut error: SourceError) -> SourceError {
        let version = call("client", "web3_clientVersion", json!([]), SMALL_LIMIT);
        for failure in &mut error.failures {
            let Reason::Rpc { message, .. } = &mut failure.reason else { continue };
            if !rpc::lacks_state(message) {
                continue;
            }
            let answer = self.pool.explain(&failure.endpoint, &version).await;
            let client = answer.and_then(|answer| result(&answer).ok()?.as_str().map(String::from));
            let hint = rpc::proof_window_hint(&client.unwrap_or_default(), &message.to_lowercase());
            *message = format!("{message} ({hint})");
        }
        error
    }

    /// Any other method: the `result`, of which nothing is checked here.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn call(&self, method: &'static str, params: Value) -> Result<Value, SourceError> {
        self.pool.ask(&call(method, method, params, BLOCK_LIMIT), |answer| result(&answer)).await
    }

    /// The header, in RLP, of the block with this hash (`eth_getBlockByHash`): it hashes to it.
    ///
    /// # Errors
    /// [`SourceError`].
    pub async fn block_header(&self, hash: &Root) -> Result<Sourced<Vec<u8>>, SourceError> {
        let text = format!("0x{}", hex::encode(hash));
        let request = call(format!("block {text}"), "eth_getBlockByHash", json!([text, false]), BLOCK_LIMIT);
        self.pool
            .ask(&request, |answer| {
                result(&answer)?;
                let header = read::block_header(&answer)?;
                match keccak256(&header.value) {
                    got if got == *hash => Ok(header),
                    got => Err(Reason::mismatch("block hash", format!("0x{}", hex::encode(got)), &text)),
                }
            })
            .await
    }
}

const ID: u64 = 1;

pub(crate) fn call(name: impl Into<String>, method: &str, params: Value, limit: u64) -> Request {
    let call = json!({ "jsonrpc": "2.0", "id": ID, "method": method, "params": params });
    let (path, query) = (String::new(), Vec::new());
    Request { name: name.into(), path, query, call: Some(call), ssz: false, less: None, limit }
}

/// The `result` of a JSON-RPC answer to our call.
pub(crate) fn result(answer: &Answer) -> Result<Value, Reason> {
    debug_assert_eq!(answer.encoding, Encoding::Json);
    let document = input::json::only(answer)?;
    if let Some(error) = rpc::error(document.value()) {
        return Err(error);
    }
    match document.member("id") {
        Some(id) if *id == ID => {}
        id => return Err(Reason::mismatch("id", id.map_or("missing".into(), Value::to_string), ID)),
    }
    document.member("result").cloned().ok_or_else(|| document.field("result", "is missing").into())
}

/// Reads a result as a `T`.
pub(crate) fn parsed<T: for<'de> Deserialize<'de>>(value: Value) -> Result<T, Reason> {
    if value.is_null() {
        return Err(Reason::Nothing);
    }
    serde_json::from_value(value).map_err(Reason::refused)
}

/// A hash as JSON-RPC has it.
pub(crate) fn hex(hash: &Root) -> String {
    format!("0x{}", hex::encode(hash))
}

/// Where Solidity keeps a mapping's value: `keccak256(key . base)`, for the mapping declared at slot `base` and a key
/// that is left-padded to 32 bytes, as addresses and numbers are.
pub fn mapping_slot(base: &[u8; 32], key: &[u8; 32]) -> [u8; 32] {
    keccak256(&[*key, *base].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mapping_slots_are_soliditys() {
        // keccak256 of 64 zero bytes, the slot of `m[0]` where `m` is declared first.
        let first = "ad3228b676f7d3cd4284a5443f17f1962b36e491b30a40b2405849e597ba5fb5";
        assert_eq!(hex::encode(mapping_slot(&[0; 32], &[0; 32])), first);
        let (mut base, mut key) = ([0; 32], [0; 32]);
        (base[31], key[31]) = (1, 2);
        assert_ne!(mapping_slot(&base, &key), mapping_slot(&key, &base));
    }
}
