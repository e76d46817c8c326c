//! Account and storage proofs as `eth_getProof` (EIP-1186) returns them: the JSON-RPC answer, its `result`, or lists
//! of either.

use std::path::Path;

use serde::{Deserialize, Deserializer, de::Error};
use sextant_consensus::{build::AccountNodes, json::hex_array};

use super::{
    InputError, Sourced, file,
    json::{self, Document},
};

/// Reads every account proof of the file, in its order.
///
/// The answer's own claims (balance, nonce, values) are not read: what the trie nodes say counts.
///
/// # Errors
/// [`InputError`] names file, field and reason.
pub fn accounts(file: &Path) -> Result<Vec<Sourced<AccountNodes>>, InputError> {
    json::split(file, &file::read(file)?)?.into_iter().map(open).collect()
}

fn open(document: Document) -> Result<Sourced<AccountNodes>, InputError> {
    if let Some(error) = document.member("error").filter(|error| !error.is_null()) {
        return Err(InputError::node(&document, error.get("message").unwrap_or(error)));
    }
    let result = document.enter("result").unwrap_or_else(|bare| bare);
    if result.is_null() {
        return Err(result.field("", "is null: the node had no such block or state"));
    }
    Ok(result.decode::<AccountProof>()?.map(Into::into))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccountProof {
    #[serde(with = "hex_array")]
    address: [u8; 20],
    account_proof: Vec<Bytes>,
    storage_proof: Vec<StorageProof>,
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

/// A slot's key. Nodes echo it as they got it: as a quantity (`0x0`, `0x1f`) or as 32 bytes.
struct SlotKey([u8; 32]);

impl<'de> Deserialize<'de> for SlotKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = digits::<D>(&text)?;
        if digits.is_empty() || digits.len() > 64 {
            return Err(D::Error::custom(format!(
                "a slot key has 1 to 64 hex digits, found {}",
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
