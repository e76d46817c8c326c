//! Inputs from what blocks come as: the probe's container (`.blk`), and a beacon node's request with the answer of an
//! execution node to `debug_executionWitness`.

use serde_json::Value;
use sextant_execution::block::Block;
use sextant_execution::encode::{block_request, stateless_input};
use sextant_execution::forks::Rules;
use sextant_execution::input::{PublicKeyBytes, Witness};
use sextant_execution::schema::{Fork, SchemaId};
use sextant_execution::statement::check_block;

/// From a container: chain id (`u64`), then five lists of byte strings, their lengths in `u32`, all little-endian: the
/// block in RLP, state nodes, codes, headers, public keys. The block is validated on the way, which gives its requests.
///
/// # Panics
/// If it is no container or the block is not valid.
pub fn container(bytes: &[u8], fork: Fork) -> Vec<u8> {
    let (chain_id, mut rest) = bytes.split_first_chunk().expect("a chain id");
    let chain_id = u64::from_le_bytes(*chain_id);
    let [blocks, state, codes, headers, keys] = [(); 5].map(|()| list(&mut rest));
    assert!(rest.is_empty(), "bytes left over");
    let [block] = blocks[..] else { panic!("{} blocks", blocks.len()) };

    let block = Block::from_rlp(block).expect("a block");
    let keys: Vec<PublicKeyBytes> =
        keys.iter().map(|key| (*key).try_into().expect("a key of 65 bytes")).collect();
    let witness = Witness { state, codes, headers };
    let rules = Rules::at(chain_id, fork, block.header().timestamp).expect("the chain's fork");
    let checked = check_block(&block, &witness, &keys, &rules).unwrap_or_else(|error| panic!("{error}"));
    stateless_input(SchemaId { fork }, &block_request(&block, &checked.requests), &witness, chain_id, &keys)
}

fn list<'a>(rest: &mut &'a [u8]) -> Vec<&'a [u8]> {
    let number = |rest: &mut &'a [u8]| {
        let (number, tail) = rest.split_first_chunk().expect("a length");
        *rest = tail;
        u32::from_le_bytes(*number) as usize
    };
    let count = number(rest);
    let items = (0..count).map(|_| {
        let length = number(rest);
        let (item, tail) = rest.split_at(length);
        *rest = tail;
        item
    });
    items.collect()
}

/// From a request in SSZ and a witness in JSON: lists of hexadecimal strings under `state`, `codes` and `headers`.
///
/// # Panics
/// If the witness is none.
pub fn request_and_witness(request: &[u8], witness: &[u8], fork: Fork, chain_id: u64) -> Vec<u8> {
    let json: Value = serde_json::from_slice(witness).expect("JSON");
    let bytes = |field: &str| -> Vec<Vec<u8>> {
        let items = json[field].as_array().unwrap_or_else(|| panic!("no list {field}"));
        let decode = |item: &Value| hex::decode(item.as_str()?.strip_prefix("0x")?).ok();
        items.iter().map(|item| decode(item).unwrap_or_else(|| panic!("{field}: {item}"))).collect()
    };
    let lists = ["state", "codes", "headers"].map(bytes);
    let [state, codes, headers] = lists.each_ref().map(|list| list.iter().map(Vec::as_slice).collect());
    stateless_input(SchemaId { fork }, request, &Witness { state, codes, headers }, chain_id, &[])
}
