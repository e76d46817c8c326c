//! Account and storage proofs as `eth_getProof` (EIP-1186) returns them, and blocks as `eth_getBlockByHash` does: the
//! JSON-RPC answer, its `result`, or lists of either.

use serde::{Deserialize, Deserializer, de::Error};
use sextant_consensus::{block_header::BlockJson, build::AccountNodes, json::hex_array};

use crate::{
    Answer, InputError, Sourced,
    json::{self, Document},
};

/// Reads every account proof of the answer, in its order.
///
/// The answer's own claims (balance, nonce, values) are not read: what the trie nodes say counts.
///
/// # Errors
/// [`InputError`] names source, field and reason.
pub fn accounts(answer: &Answer) -> Result<Vec<Sourced<AccountNodes>>, InputError> {
    let open = |document| Ok(result(document)?.decode::<AccountProof>()?.map(Into::into));
    json::split(answer)?.into_iter().map(open).collect()
}

/// Reads a block, as its header in RLP.
///
/// # Errors
/// [`InputError`] names source, field and reason; a block whose fields do not hash to its hash is refused.
pub fn block_header(answer: &Answer) -> Result<Sourced<Vec<u8>>, InputError> {
    let Sourced { source, value: block } = result(json::only(answer)?)?.decode::<BlockJson>()?;
    match block.to_rlp() {
        Ok(value) => Ok(Sourced { source, value }),
        Err(error) => {
            Err(InputError::Field { source_file: source, path: "hash".into(), reason: error.to_string() })
        }
    }
}

/// Takes the JSON-RPC envelope off.
pub(crate) fn result(document: Document) -> Result<Document, InputError> {
    if let Some(error) = document.member("error").filter(|error| !error.is_null()) {
        return Err(InputError::node(&document, error.get("message").unwrap_or(error)));
    }
    let result = document.enter("result").unwrap_or_else(|bare| bare);
    if result.is_null() {
        return Err(result.field("", "is null: the node had no such block or state"));
    }
    Ok(result)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccountProof {
    #[serde(with = "hex_array")]
    address: [u8; 20],
    account_proof: Vec<Bytes>,
    /// Some nodes write `null`, or nothing, where no slot was asked for.
    #[serde(default, deserialize_with = "or_none")]
    storage_proof: Vec<StorageProof>,
}

fn or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<StorageProof>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Deserialize)]
struct StorageProof {
    key: SlotKey,
    proof: Vec<Bytes>,
}

/// Hex bytes of any length. A type of its own, so that an error names the position in a list.
struct Bytes(Vec<u8>);

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        hex::decode(digits::<D>(&text)?)
            .map(Self)
            .map_err(|error| D::Error::custom(format!("not hex: {error}")))
    }
}

/// A slot's key. Nodes echo it as they got it: as 32 bytes, or as a quantity (`0x0`, `0x1f`), whose zero some write
/// without a digit.
struct SlotKey([u8; 32]);

impl<'de> Deserialize<'de> for SlotKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = digits::<D>(&text)?;
        if digits.len() > 64 {
            return Err(D::Error::custom(format!(
                "a slot key has at most 64 hex digits, found {}",
                digits.len()
            )));
        }
        let mut key = [0; 32];
        // Leading zeros may be missing; ASCII is checked by the decoder itself.
        hex::decode_to_slice(format!("{digits:0>64}"), &mut key)
            .map_err(|error| D::Error::custom(format!("not hex: {error}")))?;
        Ok(Self(key))
    }
}

fn digits<'de, 'a, D: Deserializer<'de>>(text: &'a str) -> Result<&'a str, D::Error> {
    text.strip_prefix("0x").ok_or_else(|| D::Error::custom("expected hex with 0x"))
}

impl From<AccountProof> for AccountNodes {
    fn from(proof: AccountProof) -> Self {
        let nodes = |list: Vec<Bytes>| list.into_iter().map(|node| node.0).collect();
        Self {
            address: proof.address,
            nodes: nodes(proof.account_proof),
            slots: proof.storage_proof.into_iter().map(|slot| (slot.key.0, nodes(slot.proof))).collect(),
        }
    }
}
