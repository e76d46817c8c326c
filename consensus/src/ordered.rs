//! The trie of a block's transactions or receipts, built from all of them: for its root, and for paths in it.
//!
//! Keys are indices in RLP (yellow paper, 4.3.2), of which none begins another.

use alloc::vec::Vec;

use crate::hash::{Root, keccak256};
use crate::rlp::{encode_list, write_string};
use crate::trie::{EMPTY_ROOT, IndexKey};

/// A value with its key.
type Entry<'a> = (IndexKey, &'a [u8]);

/// Root of the trie that holds each value at its index.
pub fn ordered_root<V: AsRef<[u8]>>(values: &[V]) -> Root {
    let entries = entries(values);
    if entries.is_empty() { EMPTY_ROOT } else { keccak256(&node(&entries, 0, &mut |_, _, _| {})) }
}

/// The nodes on the path of `index` from the root down, in RLP, also where they show that there is no such value; none for
/// the empty trie. Nodes of less than 32 bytes stand inside their parents.
pub fn ordered_path<V: AsRef<[u8]>>(values: &[V], index: u32) -> Vec<Vec<u8>> {
    let wanted = IndexKey::new(index);
    let mut path = Vec::new();
    let entries = entries(values);
    if !entries.is_empty() {
        node(&entries, 0, &mut |key: &IndexKey, at: usize, rlp: &[u8]| {
            let leads_there = (0..at).all(|at| at < wanted.nibbles() && key.nibble(at) == wanted.nibble(at));
            if leads_there && (rlp.len() >= 32 || at == 0) {
                path.push(rlp.to_vec());
            }
        });
    }
    // Children are built before their parents.
    path.reverse();
    path
}

/// All values in the order of their keys: 0x80 stands for 0, behind 0x01 to 0x7f.
fn entries<V: AsRef<[u8]>>(values: &[V]) -> Vec<Entry<'_>> {
    let count = values.len();
    let order = (1..count.min(128)).chain(0..count.min(1)).chain(128..count.max(128));
    order.map(|index| (IndexKey::new(index as u32), values[index].as_ref())).collect()
}

/// The node over these entries, which share their first `at` nibbles. `visit` sees every node after its children: a key
/// under it, the nibbles that lead there, and its RLP.
fn node(entries: &[Entry<'_>], at: usize, visit: &mut impl FnMut(&IndexKey, usize, &[u8])) -> Vec<u8> {
    let (first, value) = &entries[0];
    let mut payload = Vec::new();
    if let [_] = entries {
        write_path(first, at, first.nibbles(), true, &mut payload);
        write_string(value, &mut payload);
    } else {
        let last = &entries[entries.len() - 1].0;
        let fork = (at..).find(|at| first.nibble(*at) != last.nibble(*at)).unwrap_or(at);
        if fork > at {
            write_path(first, at, fork, false, &mut payload);
            write_child(&node(entries, fork, visit), &mut payload);
        } else {
            let mut rest = entries;
            for nibble in 0..16 {
                let count = rest.iter().take_while(|(key, _)| key.nibble(at) == nibble).count();
                let (under, after) = rest.split_at(count);
                rest = after;
                if under.is_empty() {
                    write_string(&[], &mut payload);
                } else {
                    write_child(&node(under, at + 1, visit), &mut payload);
                }
            }
            write_string(&[], &mut payload);
        }
    }
    let rlp = encode_list(&payload);
    visit(first, at, &rlp);
    rlp
}

/// What a parent holds of a node: the node itself where it is short, else its hash.
fn write_child(rlp: &[u8], out: &mut Vec<u8>) {
    if rlp.len() < 32 {
        out.extend_from_slice(rlp);
    } else {
        write_string(&keccak256(rlp), out);
    }
}

/// The key's nibbles from `from` up to `to` in hex-prefix encoding (yellow paper, appendix C).
fn write_path(key: &IndexKey, from: usize, to: usize, is_leaf: bool, out: &mut Vec<u8>) {
    let flag = if is_leaf { 0x20 } else { 0 };
    let odd = (to - from) % 2;
    let first = if odd == 1 { flag | 0x10 | key.nibble(from) } else { flag };
    let mut bytes = alloc::vec![first];
    bytes.extend((from + odd..to).step_by(2).map(|at| key.nibble(at) << 4 | key.nibble(at + 1)));
    write_string(&bytes, out);
}
