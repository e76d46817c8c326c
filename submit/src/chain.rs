//! What is asked of the chain that the contract is on.

use alloy_primitives::{Address, B256, Bytes, U256};
use serde_json::{Value, json};
use sextant_sources::{ExecutionNodes, SourceError};

use crate::SubmitError;

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub succeeded: bool,
    pub block: u64,
    pub gas_used: u64,
    /// Wei per gas; not every chain tells.
    pub gas_price: Option<u128>,
    pub contract: Option<Address>,
}

/// A call, as it would be sent.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    pub from: Option<Address>,
    /// `None` to create a contract.
    pub to: Option<Address>,
    pub data: &'a [u8],
}

impl Call<'_> {
    fn json(&self) -> Value {
        let mut call = json!({ "data": format!("0x{}", hex::encode(self.data)) });
        if let Some(from) = self.from {
            call["from"] = json!(from);
        }
        if let Some(to) = self.to {
            call["to"] = json!(to);
        }
        call
    }
}

pub(crate) async fn chain_id(nodes: &ExecutionNodes) -> Result<u64, SubmitError> {
    number(nodes, "eth_chainId", json!([])).await
}

pub(crate) async fn block_number(nodes: &ExecutionNodes) -> Result<u64, SubmitError> {
    number(nodes, "eth_blockNumber", json!([])).await
}

pub(crate) async fn has_code(nodes: &ExecutionNodes, address: Address) -> Result<bool, SubmitError> {
    let code: Bytes = ask(nodes, "eth_getCode", json!([address, "latest"])).await?;
    Ok(!code.is_empty())
}

/// Wei.
pub(crate) async fn balance(nodes: &ExecutionNodes, account: Address) -> Result<u128, SubmitError> {
    let balance: U256 = ask(nodes, "eth_getBalance", json!([account, "latest"])).await?;
    Ok(balance.saturating_to())
}

/// How many transactions of the account are in blocks, or with `pending` also wait for one.
pub(crate) async fn nonce(
    nodes: &ExecutionNodes,
    account: Address,
    pending: bool,
) -> Result<u64, SubmitError> {
    let block = if pending { "pending" } else { "latest" };
    number(nodes, "eth_getTransactionCount", json!([account, block])).await
}

/// The base fee of the next block, wei per gas: that of the last, which moves by an eighth at most (EIP-1559).
pub(crate) async fn base_fee(nodes: &ExecutionNodes) -> Result<u128, SubmitError> {
    let block = nodes.call("eth_getBlockByNumber", json!(["latest", false])).await?;
    match block.get("baseFeePerGas") {
        None | Some(Value::Null) => Err(SubmitError::NoBaseFee),
        Some(fee) => read::<U256>("eth_getBlockByNumber", fee.clone()).map(|fee| fee.saturating_to()),
    }
}

/// The tip that the node suggests, wei per gas; where it suggests none, what its gas price has above the base fee.
pub(crate) async fn suggested_tip(nodes: &ExecutionNodes, base: u128) -> Result<u128, SubmitError> {
    match ask::<U256>(nodes, "eth_maxPriorityFeePerGas", json!([])).await {
        Err(SubmitError::Nodes(error)) if error.is_unsupported() => {}
        tip => return Ok(tip?.saturating_to()),
    }
    match ask::<U256>(nodes, "eth_gasPrice", json!([])).await {
        Err(SubmitError::Nodes(error)) if error.is_unsupported() => Err(SubmitError::NoTip),
        price => Ok(price?.saturating_to::<u128>().saturating_sub(base)),
    }
}

/// What a call returns, in the latest block or another.
pub(crate) async fn call(
    nodes: &ExecutionNodes,
    call: &Call<'_>,
    block: Option<u64>,
) -> Result<Bytes, SubmitError> {
    let block = block.map_or("latest".into(), |number| format!("{number:#x}"));
    ask(nodes, "eth_call", json!([call.json(), block])).await
}

pub(crate) async fn estimate_gas(nodes: &ExecutionNodes, call: &Call<'_>) -> Result<u64, SubmitError> {
    number(nodes, "eth_estimateGas", json!([call.json()])).await
}

/// Hands a signed transaction to the nodes.
pub(crate) async fn send(nodes: &ExecutionNodes, raw: &[u8]) -> Result<(), SourceError> {
    nodes.call("eth_sendRawTransaction", json!([format!("0x{}", hex::encode(raw))])).await.map(drop)
}

/// `None` while the transaction is in no block.
pub(crate) async fn receipt(nodes: &ExecutionNodes, hash: B256) -> Result<Option<Receipt>, SubmitError> {
    const METHOD: &str = "eth_getTransactionReceipt";
    let receipt = nodes.call(METHOD, json!([hash])).await?;
    if receipt.is_null() {
        return Ok(None);
    }
    let quantity = |name: &str| read::<U256>(METHOD, receipt[name].clone());
    let price: Option<U256> = read(METHOD, receipt["effectiveGasPrice"].clone())?;
    Ok(Some(Receipt {
        succeeded: quantity("status")? == U256::ONE,
        block: quantity("blockNumber")?.saturating_to(),
        gas_used: quantity("gasUsed")?.saturating_to(),
        gas_price: price.map(|price| price.saturating_to()),
        contract: read(METHOD, receipt["contractAddress"].clone())?,
    }))
}

async fn number(nodes: &ExecutionNodes, method: &'static str, params: Value) -> Result<u64, SubmitError> {
    let number: U256 = ask(nodes, method, params).await?;
    u64::try_from(number).map_err(|_| SubmitError::Answer { method, got: number.to_string() })
}

async fn ask<T: serde::de::DeserializeOwned>(
    nodes: &ExecutionNodes,
    method: &'static str,
    params: Value,
) -> Result<T, SubmitError> {
    read(method, nodes.call(method, params).await?)
}

fn read<T: serde::de::DeserializeOwned>(method: &'static str, answer: Value) -> Result<T, SubmitError> {
    let text = answer.to_string();
    serde_json::from_value(answer)
        .map_err(|_| SubmitError::Answer { method, got: text.chars().take(80).collect() })
}
