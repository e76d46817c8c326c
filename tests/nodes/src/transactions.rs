//! Transactions in the JSON of execution nodes, from their envelopes.

use serde_json::{Value, json};
use sextant_consensus::{hash::keccak256, rlp::Item};

use crate::json::hex;

/// How a field is written.
#[derive(Clone, Copy)]
enum Form {
    Number,
    Bytes,
    /// An address; a transaction that makes a contract has `null`.
    To,
    AccessList,
    Hashes,
    Authorizations,
}

use Form::{AccessList, Authorizations, Bytes, Hashes, Number, To};

const NONCE: (&str, Form) = ("nonce", Number);
const GAS: (&str, Form) = ("gas", Number);
const GAS_PRICE: (&str, Form) = ("gasPrice", Number);
const CHAIN: (&str, Form) = ("chainId", Number);
const TIP: (&str, Form) = ("maxPriorityFeePerGas", Number);
const FEE: (&str, Form) = ("maxFeePerGas", Number);
const CALL: [(&str, Form); 3] = [("to", To), ("value", Number), ("input", Bytes)];
const ACCESS: (&str, Form) = ("accessList", AccessList);
const SIGNATURE: [(&str, Form); 3] = [("v", Number), ("r", Number), ("s", Number)];

/// A transaction as `eth_getBlockByHash` lists it (execution-apis, `TransactionInfo`).
pub fn transaction(envelope: &[u8], index: usize, block_hash: &[u8; 32], number: u64) -> Value {
    let (kind, payload) = match envelope[0] {
        kind @ 1..=4 => (kind, &envelope[1..]),
        _ => (0, envelope),
    };
    let own: &[(&str, Form)] = match kind {
        0 => &[NONCE, GAS_PRICE, GAS],
        1 => &[CHAIN, NONCE, GAS_PRICE, GAS],
        _ => &[CHAIN, NONCE, TIP, FEE, GAS],
    };
    let more: &[(&str, Form)] = match kind {
        0 => &[],
        1 | 2 => &[ACCESS],
        3 => &[ACCESS, ("maxFeePerBlobGas", Number), ("blobVersionedHashes", Hashes)],
        _ => &[ACCESS, ("authorizationList", Authorizations)],
    };
    let mut value = json!({
        "type": format!("{kind:#x}"),
        "hash": hex(&keccak256(envelope)),
        "blockHash": hex(block_hash),
        "blockNumber": format!("{number:#x}"),
        "transactionIndex": format!("{index:#x}"),
        "from": hex(&[0x11; 20]),
    });
    read(payload, [own, &CALL, more, &SIGNATURE].concat(), &mut value);
    if kind > 0 {
        value["yParity"] = value["v"].clone();
    }
    if kind > 1 {
        // What the sender paid in the end; in no envelope.
        value["gasPrice"] = "0x7".into();
    }
    value
}

fn read(list: &[u8], fields: Vec<(&str, Form)>, value: &mut Value) {
    for ((name, form), item) in fields.into_iter().zip(items(list)) {
        value[name] = written(item, form);
    }
}

fn written(item: Item<'_>, form: Form) -> Value {
    let entries = || items_of(item.list().expect("a list"));
    match form {
        Number => quantity(item.string().expect("a number")),
        Bytes => hex(item.string().expect("bytes")),
        To => match item.string().expect("an address") {
            [] => Value::Null,
            address => hex(address),
        },
        Hashes => entries().map(|hash| hex(hash.string().expect("a hash"))).collect(),
        AccessList => entries()
            .map(|entry| {
                let fields: Vec<_> = items_of(entry.list().expect("an entry")).collect();
                json!({ "address": written(fields[0], Bytes), "storageKeys": written(fields[1], Hashes) })
            })
            .collect(),
        Authorizations => entries()
            .map(|entry| {
                let mut value = json!({});
                let fields =
                    [CHAIN, ("address", Bytes), NONCE, ("yParity", Number), SIGNATURE[1], SIGNATURE[2]];
                for ((name, form), item) in fields.into_iter().zip(items_of(entry.list().expect("an entry")))
                {
                    value[name] = written(item, form);
                }
                value
            })
            .collect(),
    }
}

fn quantity(bytes: &[u8]) -> Value {
    let digits = hex::encode(bytes);
    let digits = digits.trim_start_matches('0');
    format!("0x{}", if digits.is_empty() { "0" } else { digits }).into()
}

fn items(rlp: &[u8]) -> impl Iterator<Item = Item<'_>> {
    items_of(Item::only(rlp).and_then(Item::list).expect("a list"))
}

fn items_of(mut rest: &[u8]) -> impl Iterator<Item = Item<'_>> {
    std::iter::from_fn(move || {
        (!rest.is_empty()).then(|| {
            let (item, _, tail) = Item::take(rest).expect("an item");
            rest = tail;
            item
        })
    })
}
