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

/// `None` while the transaction is in no block: some nodes have a receipt of it all the same.
pub(crate) async fn receipt(nodes: &ExecutionNodes, hash: B256) -> Result<Option<Receipt>, SubmitError> {
    const METHOD: &str = "eth_getTransactionReceipt";
    let receipt = nodes.call(METHOD, json!([hash])).await?;
    if receipt["blockNumber"].is_null() {
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

#[cfg(test)]
mod tests {
    use sextant_sources::SourceConfig;
    use sextant_test_nodes::{Node, Reply};

    use super::*;

    /// A node with an answer to each of these methods, which knows no other.
    async fn node(answers: Value) -> (Node, ExecutionNodes) {
        let node = Node::start(move |ask| {
            let mut reply = json!({ "jsonrpc": "2.0", "id": ask.call["id"] });
            match answers.get(ask.call["method"].as_str().unwrap()) {
                Some(result) => reply["result"] = result.clone(),
                None => reply["error"] = json!({ "code": -32601, "message": "the method does not exist" }),
            }
            Reply::Json(reply)
        })
        .await;
        let config = SourceConfig { rounds: 1, ..SourceConfig::default() };
        let nodes = ExecutionNodes::new(vec![node.url().parse().unwrap()], config).unwrap();
        (node, nodes)
    }

    /// The receipt of a transaction that succeeded, edited.
    async fn receipt_with(
        edit: impl Fn(&mut serde_json::Map<String, Value>),
    ) -> Result<Option<Receipt>, SubmitError> {
        let mut answer = json!({
            "status": "0x1", "blockNumber": "0x10", "gasUsed": "0x5208", "effectiveGasPrice": "0x7", "contractAddress": null
        });
        edit(answer.as_object_mut().unwrap());
        let (_node, nodes) = node(json!({ "eth_getTransactionReceipt": answer })).await;
        receipt(&nodes, B256::ZERO).await
    }

    /// What a chain or a node need not tell is left open; nothing that was mined is lost for it.
    #[tokio::test]
    async fn a_receipt_needs_no_more_than_what_is_decided_by_it() {
        let full =
            Receipt { succeeded: true, block: 16, gas_used: 21_000, gas_price: Some(7), contract: None };
        assert_eq!(receipt_with(|_| ()).await.unwrap(), Some(full.clone()));
        let unpriced = Receipt { gas_price: None, ..full.clone() };
        let price = |value: Option<Value>| {
            receipt_with(move |fields| match &value {
                Some(value) => drop(fields.insert("effectiveGasPrice".into(), value.clone())),
                None => drop(fields.remove("effectiveGasPrice")),
            })
        };
        assert_eq!(price(None).await.unwrap(), Some(unpriced.clone()));
        assert_eq!(price(Some(Value::Null)).await.unwrap(), Some(unpriced));
        let without = |name: &'static str| receipt_with(move |fields| drop(fields.remove(name)));
        assert_eq!(without("contractAddress").await.unwrap(), Some(full));
        // In no block yet.
        assert_eq!(without("blockNumber").await.unwrap(), None);
        for name in ["status", "gasUsed"] {
            let error = without(name).await.unwrap_err();
            assert!(
                matches!(error, SubmitError::Answer { method: "eth_getTransactionReceipt", .. }),
                "{error}"
            );
        }
    }

    #[tokio::test]
    async fn a_transaction_without_a_receipt_is_in_no_block() {
        let (_node, nodes) = node(json!({ "eth_getTransactionReceipt": null })).await;
        assert_eq!(receipt(&nodes, B256::ZERO).await.unwrap(), None);
    }

    /// A base fee has to be there; the tip may be had from the gas price, which lies below the base fee on no chain but is
    /// some nodes' guess.
    #[tokio::test]
    async fn fees_are_found_where_nodes_have_them() {
        for block in [json!({}), json!({ "baseFeePerGas": null })] {
            let (_node, nodes) = node(json!({ "eth_getBlockByNumber": block })).await;
            assert!(matches!(base_fee(&nodes).await, Err(SubmitError::NoBaseFee)));
        }
        let (_node, nodes) = node(json!({ "eth_getBlockByNumber": { "baseFeePerGas": "0x64" } })).await;
        assert_eq!(base_fee(&nodes).await.unwrap(), 100);
        for (answers, tip) in [
            (json!({ "eth_maxPriorityFeePerGas": "0x5", "eth_gasPrice": "0x6e" }), 5),
            (json!({ "eth_gasPrice": "0x6e" }), 10),
            (json!({ "eth_gasPrice": "0x5a" }), 0),
        ] {
            let (_node, nodes) = node(answers).await;
            assert_eq!(suggested_tip(&nodes, 100).await.unwrap(), tip);
        }
        let (_node, nodes) = node(json!({})).await;
        assert!(matches!(suggested_tip(&nodes, 100).await, Err(SubmitError::NoTip)));
    }
}
