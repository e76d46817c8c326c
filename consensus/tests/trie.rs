//! Trie proofs against another implementation: random tries built and proven by `alloy-trie`, read by ours.

use std::collections::BTreeMap;

use alloy_primitives::keccak256;
use alloy_trie::proof::ProofRetainer;
use alloy_trie::{HashBuilder, Nibbles};
use proptest::prelude::*;
use sextant_consensus::rlp::{encode_list, encode_string};
use sextant_consensus::trie::{EMPTY_ROOT, Node, TrieError, lookup, lookup_index};

type Key = [u8; 32];

/// Root of the trie over hashed keys, and the proof of each target.
fn prove(entries: &BTreeMap<Key, Vec<u8>>, targets: &[Key]) -> (Key, Vec<Vec<Vec<u8>>>) {
    let paths: Vec<Nibbles> = targets.iter().map(Nibbles::unpack).collect();
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(paths.clone()));
    entries.iter().for_each(|(key, value)| builder.add_leaf(Nibbles::unpack(key), value));
    let root = builder.root();
    let nodes = builder.take_proof_nodes();
    let proofs = paths.iter().map(|path| {
        let mut proof: Vec<_> = nodes.matching_nodes_sorted(path).into_iter().collect();
        // Short nodes stand inside their parents, and the empty trie has no node at all.
        proof.retain(|(path, node)| node.len() >= 32 || (path.is_empty() && node[..] != [0x80]));
        proof.into_iter().map(|(_, node)| node.to_vec()).collect()
    });
    (root.0, proofs.collect())
}

fn read<'a>(root: &Key, key: &Key, proof: &'a [Vec<u8>]) -> Result<Option<&'a [u8]>, TrieError> {
    lookup(root, key, proof.iter().map(|node| Node::new(node)))
}

/// Keys that share long prefixes, so that extensions and inline nodes occur.
fn key() -> impl Strategy<Value = Key> {
    (any::<[u8; 3]>(), prop_oneof![Just(0usize), Just(1), Just(30)]).prop_map(|(bytes, kind)| match kind {
        0 => keccak256(bytes).0,
        1 => {
            let mut key = [0x11; 32];
            key[30] = bytes[0] & 0x13;
            key[31] = bytes[1];
            key
        }
        _ => {
            let mut key = [0; 32];
            key[0] = bytes[0] & 0x31;
            key[31] = bytes[2];
            key
        }
    })
}

fn entries() -> impl Strategy<Value = BTreeMap<Key, Vec<u8>>> {
    proptest::collection::btree_map(key(), proptest::collection::vec(1u8.., 1..40), 0..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn present_and_absent_keys(entries in entries(), strangers in proptest::collection::vec(key(), 1..20)) {
        let targets: Vec<Key> = entries.keys().copied().chain(strangers).collect();
        let (root, proofs) = prove(&entries, &targets);
        for (key, proof) in targets.iter().zip(&proofs) {
            let expected = entries.get(key).map(Vec::as_slice);
            prop_assert_eq!(read(&root, key, proof), Ok(expected));
        }
    }

    #[test]
    fn nothing_but_the_whole_proof_will_do(entries in entries(), stranger in key()) {
        let targets: Vec<Key> = entries.keys().copied().take(6).chain([stranger]).collect();
        let (root, proofs) = prove(&entries, &targets);
        for (key, proof) in targets.iter().zip(&proofs) {
            for length in 0..proof.len() {
                prop_assert!(read(&root, key, &proof[..length]).is_err(), "cut to {}", length);
            }
            let longer = [&proof[..], &[vec![0xc0; 40]]].concat();
            prop_assert_eq!(read(&root, key, &longer), Err(TrieError::Surplus));
            for (node, at) in (0..proof.len()).flat_map(|node| (0..proof[node].len()).map(move |at| (node, at))) {
                let mut edited = proof.clone();
                edited[node][at] ^= 1;
                prop_assert!(read(&root, key, &edited).is_err(), "node {} byte {}", node, at);
            }
        }
    }
}

#[test]
fn the_empty_trie_holds_nothing_and_needs_no_proof() {
    let (root, _) = prove(&BTreeMap::new(), &[]);
    assert_eq!(root, EMPTY_ROOT);
    assert_eq!(read(&root, &[1; 32], &[]), Ok(None));
    assert_eq!(read(&root, &[1; 32], &[vec![0x80]]), Err(TrieError::Surplus));
}

#[test]
fn an_exclusion_cut_short_is_refused() {
    // alloy-trie before 0.9.7 took the path's first half of a present key for a proof of absence.
    let entries: BTreeMap<Key, Vec<u8>> = (0u8..40).map(|i| (keccak256([i]).0, vec![7; 33])).collect();
    let key = *entries.keys().next().unwrap();
    let (root, proofs) = prove(&entries, &[key]);
    assert!(proofs[0].len() > 1);
    for length in 0..proofs[0].len() {
        assert!(matches!(read(&root, &key, &proofs[0][..length]), Err(TrieError::Missing(_))));
    }
}

#[test]
fn a_leaf_appended_to_a_32_byte_value_is_refused() {
    // A value of 32 bytes looks like a node's hash; a verifier that follows it lets anybody append a leaf.
    let forged_leaf = [&[0xf8, 0x44, 0xa1, 0x20][..], &[0; 32], &[0xa0], &[0xbb; 32]].concat();
    let value = keccak256(&forged_leaf).0.to_vec();
    let entries: BTreeMap<Key, Vec<u8>> = (0u8..4).map(|i| (keccak256([i]).0, value.clone())).collect();
    let key = keccak256([2]).0;
    let (root, proofs) = prove(&entries, &[key]);
    assert_eq!(read(&root, &key, &proofs[0]), Ok(Some(&value[..])));
    let forged = [&proofs[0][..], &[forged_leaf]].concat();
    assert_eq!(read(&root, &key, &forged), Err(TrieError::Surplus));
}

/// No index has more than ten nibbles: nothing goes on from there, and nothing is shown to be absent by it.
#[test]
fn extensions_are_shorter_than_any_index() {
    let read = |path: &[u8]| {
        let mut fields = encode_string(path);
        fields.extend(encode_string(&[7; 32]));
        let node = encode_list(&fields);
        let found = lookup_index(&keccak256(&node).0, 1, [Node::new(&node)]);
        found.map(|value| value.map(<[u8]>::to_vec))
    };
    assert_eq!(read(&[0x1a, 0xaa, 0xaa, 0xaa, 0xaa]), Ok(None), "9 nibbles");
    let impossible = Err(TrieError::Shape { nibble: 0, what: "an extension of impossible length" });
    assert_eq!(read(&[0x00, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa]), impossible, "10 nibbles");
}

/// A key that ends before an index does is another one.
#[test]
fn a_leaf_is_of_the_whole_index() {
    let read = |path: &[u8]| {
        let mut fields = encode_string(path);
        fields.extend(encode_string(b"a value"));
        let node = encode_list(&fields);
        let found = lookup_index(&keccak256(&node).0, 0, [Node::new(&node)]);
        found.map(|value| value.map(<[u8]>::to_vec))
    };
    assert_eq!(read(&[0x20, 0x80]), Ok(Some(b"a value".to_vec())));
    assert_eq!(read(&[0x38]), Ok(None), "the first nibble of it");
}
