//! The partial trie against `alloy-trie`'s builder of whole tries, and against nodes of every wrong shape.

use alloc::collections::BTreeMap;
use alloc::vec;
use alloc::vec::Vec;
use std::collections::BTreeSet;
use std::string::ToString;

use alloy_primitives::{B256, b256, keccak256};
use alloy_trie::{HashBuilder, Nibbles, proof::ProofRetainer};
use proptest::prelude::*;
use sextant_consensus::rlp::{RlpError, encode_list, encode_string};

use super::*;

pub(crate) type Map = BTreeMap<B256, Vec<u8>>;

/// Root and nodes of a whole trie, by another implementation.
pub(crate) fn whole(map: &Map) -> (B256, Vec<Vec<u8>>) {
    let targets = map.keys().map(Nibbles::unpack).collect();
    let mut builder = HashBuilder::default().with_proof_retainer(ProofRetainer::new(targets));
    for (key, value) in map {
        builder.add_leaf(Nibbles::unpack(key), value);
    }
    let root = builder.root();
    let nodes: BTreeSet<Vec<u8>> =
        builder.take_proof_nodes().into_inner().into_values().map(|rlp| rlp.to_vec()).collect();
    // The builder shows nodes that stand in their parents too, and one of the empty trie.
    let by_hash = |rlp: &Vec<u8>| rlp.len() >= 32 || (!map.is_empty() && keccak256(rlp) == root);
    (root, nodes.into_iter().filter(by_hash).collect())
}

fn nodes<'a>(list: &'a [Vec<u8>]) -> Nodes<'a> {
    Nodes::new(&list.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// Changes the trie as [`changed`] changes the map: what is added or replaced first, what is removed after it.
fn apply<'a>(
    root: B256,
    nodes: &mut Nodes<'a>,
    changes: &BTreeMap<B256, Option<Vec<u8>>>,
) -> Result<B256, TrieError> {
    let mut trie = Trie::new(root, nodes)?;
    for (key, value) in changes {
        if let Some(value) = value {
            trie.insert(key, value.clone(), nodes)?;
        }
    }
    for (key, _) in changes.iter().filter(|(_, value)| value.is_none()) {
        trie.remove(key, nodes)?;
    }
    trie.root(nodes)
}

fn changed(map: &Map, changes: &BTreeMap<B256, Option<Vec<u8>>>) -> Map {
    let mut map = map.clone();
    for (key, value) in changes {
        match value {
            Some(value) => drop(map.insert(*key, value.clone())),
            None => drop(map.remove(key)),
        }
    }
    map
}

/// Keys that share beginnings of all lengths, so that there are extensions everywhere, and nodes short enough to stand in
/// their parents.
fn key() -> impl Strategy<Value = B256> {
    (0..3usize, prop::sample::select(vec![0, 1, 2, 13, 31, 61, 62, 63]), 0..16u8, 0..4u8).prop_map(
        |(family, at, nibble, last)| {
            let key = [B256::ZERO, B256::repeat_byte(0x11), keccak256("another")][family];
            with_nibble(&with_nibble(&key, at, nibble), 63, last)
        },
    )
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 1..4),
        prop::collection::vec(any::<u8>(), 30..34),
        prop::collection::vec(any::<u8>(), 100..112),
    ]
}

fn map() -> impl Strategy<Value = Map> {
    prop::collection::btree_map(key(), value(), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn lookups_agree(map in map(), others in prop::collection::vec(key(), 0..20)) {
        let (root, list) = whole(&map);
        let mut nodes = nodes(&list);
        let mut trie = Trie::new(root, &mut nodes).unwrap();
        for key in map.keys().chain(&others) {
            prop_assert_eq!(trie.get(key, &mut nodes).unwrap(), map.get(key).map(Vec::as_slice));
        }
        prop_assert_eq!(trie.root(&nodes), Ok(root));
        // Written anew from what was read, it is the same.
        trie.unchanged = None;
        prop_assert_eq!(trie.root(&nodes), Ok(root));
        nodes.known.iter_mut().for_each(|node| node.reference = None);
        prop_assert_eq!(trie.root(&nodes), Ok(root));
    }

    #[test]
    fn tries_from_nothing_agree(map in map()) {
        let mut none = Nodes::default();
        let mut trie = Trie::empty();
        for (key, value) in &map {
            trie.insert(key, value.clone(), &mut none).unwrap();
        }
        prop_assert_eq!(trie.root(&none), Ok(whole(&map).0));
        for key in map.keys() {
            trie.remove(key, &mut none).unwrap();
        }
        prop_assert_eq!(trie.root(&none), Ok(EMPTY_ROOT));
    }

    #[test]
    fn changes_agree(
        map in map(),
        picks in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        others in prop::collection::btree_map(key(), prop::option::of(value()), 0..20),
    ) {
        // Keys that are there are removed; others are removed, replaced and added.
        let mut changes = others;
        let present: Vec<&B256> = map.keys().collect();
        if !present.is_empty() {
            changes.extend(picks.iter().map(|pick| (**pick.get(&present), None)));
        }
        let (root, list) = whole(&map);
        let expected = whole(&changed(&map, &changes)).0;
        prop_assert_eq!(apply(root, &mut nodes(&list), &changes), Ok(expected));

        // The witness of these changes: without what is not needed, the same; without anything that is, an error that
        // names it.
        let mut needed = list.clone();
        for node in &list {
            let less: Vec<Vec<u8>> = needed.iter().filter(|other| *other != node).cloned().collect();
            let hash = keccak256(node);
            let applied = apply(root, &mut nodes(&less), &changes);
            match applied {
                Ok(got) => {
                    prop_assert_eq!(got, expected);
                    needed = less;
                }
                Err(TrieError::Missing { hash: named, .. }) => prop_assert_eq!(named, hash),
                Err(other) => prop_assert!(false, "{other}"),
            }
        }
        prop_assert_eq!(apply(root, &mut nodes(&needed), &changes), Ok(expected));
    }

    #[test]
    fn any_bytes_are_no_more_than_refused(
        map in map(),
        keys in prop::collection::vec(key(), 1..8),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        // A root over a broken node: what a prover may choose freely if nothing else binds the root.
        let (_, list) = whole(&map);
        let Some(mut broken) = list.first().cloned() else { return Ok(()) };
        let at = at.index(broken.len());
        broken[at] = byte;
        let root = keccak256(&broken);
        let list: Vec<Vec<u8>> = list.into_iter().chain([broken]).collect();
        let mut nodes = nodes(&list);
        let Ok(mut trie) = Trie::new(root, &mut nodes) else { return Ok(()) };
        for key in &keys {
            let _ = trie.get(key, &mut nodes);
            let _ = trie.insert(key, vec![1], &mut nodes);
        }
        for key in &keys {
            let _ = trie.remove(key, &mut nodes);
        }
        let _ = trie.root(&nodes);
    }
}

#[test]
fn an_empty_trie() {
    let mut none = Nodes::default();
    let mut trie = Trie::new(EMPTY_ROOT, &mut none).unwrap();
    assert_eq!(EMPTY_ROOT, alloy_trie::EMPTY_ROOT_HASH);
    assert_eq!(trie.get(&B256::ZERO, &mut none), Ok(None));
    trie.remove(&B256::ZERO, &mut none).unwrap();
    assert_eq!(trie.root(&none), Ok(EMPTY_ROOT));
    trie.insert(&B256::ZERO, vec![1], &mut none).unwrap();
    assert_eq!(trie.root(&none), Ok(whole(&Map::from([(B256::ZERO, vec![1])])).0));
    trie.remove(&B256::ZERO, &mut none).unwrap();
    assert_eq!(trie.root(&none), Ok(EMPTY_ROOT));
}

/// Room is for bytes that there are: an empty node takes four bytes of an input.
#[test]
fn empty_nodes_take_no_room() {
    assert!(nodes(&vec![vec![]; 10_000]).known.capacity() < 10);
    assert!(nodes(&vec![vec![0; 32]; 1000]).known.capacity() >= 1000);
}

/// No input leads there: a node is read before anything is made of it.
#[test]
fn a_node_that_has_not_been_read_is_an_error() {
    let key = B256::repeat_byte(0x11);
    let error = |nibble| TrieError::Shape { nibble, what: "not read before it is needed" };
    let mut nodes = Nodes::default();
    let unread = nodes.push(Kind::Unread, None);
    let mut trie = Trie { root: Some(unread), unchanged: None, way: Vec::new() };
    assert_eq!(trie.get(&key, &mut nodes), Err(error(0)));
    assert_eq!(trie.insert(&key, vec![1], &mut nodes), Err(error(0)));
    assert_eq!(trie.remove(&key, &mut nodes), Err(error(0)));
    assert_eq!(trie.root(&nodes), Err(error(0)));

    // Beside what is removed, and below a branch and an extension that are written.
    let leaf = nodes.push(Kind::Leaf { key, value: Cow::Owned(vec![1]) }, None);
    let branch = nodes.push(Kind::Branch(Branch::fork((1, leaf), (2, unread))), None);
    trie.root = Some(branch);
    assert_eq!(trie.remove(&key, &mut nodes), Err(error(1)));
    assert_eq!(trie.root(&nodes), Err(error(1)));
    let extension = Kind::Extension { key, end: 5, child: Child::Node(unread) };
    trie.root = Some(nodes.push(extension, None));
    assert_eq!(trie.root(&nodes), Err(error(5)));
}

#[test]
fn what_does_not_change_anything_is_not_written_again() {
    let map: Map = (0..64u8).map(|n| (keccak256([n]), vec![n + 1; 40])).collect();
    let (root, list) = whole(&map);
    let mut nodes = nodes(&list);
    let mut trie = Trie::new(root, &mut nodes).unwrap();
    for (key, value) in &map {
        trie.insert(key, value.clone(), &mut nodes).unwrap();
        trie.remove(&keccak256(key), &mut nodes).unwrap();
    }
    assert_eq!(trie.unchanged, Some(root));
    assert!(nodes.known[1..].iter().all(|node| node.reference.is_some()));

    let key = keccak256([0]);
    trie.insert(&key, vec![9; 40], &mut nodes).unwrap();
    let anew = nodes.known[1..].iter().filter(|node| node.reference.is_none()).count();
    assert!((1..5).contains(&anew), "{anew} nodes beside the root for one changed value");
}

#[test]
fn a_trie_that_could_not_be_changed_is_as_before() {
    let keys = [0x10, 0x11, 0x20].map(|byte| with_nibble(&B256::repeat_byte(byte), 40, 7));
    let map: Map = keys.iter().map(|key| (*key, vec![5; 40])).collect();
    let (root, list) = whole(&map);
    // All but the leaf that is left alone when its neighbour goes.
    let (leaf, _) = (list.iter().enumerate())
        .find(|(_, rlp)| rlp.len() > 60 && rlp.windows(8).any(|window| window == &keys[1][24..]))
        .unwrap();
    let mut less = list.clone();
    let hash = keccak256(less.remove(leaf));
    let mut nodes = nodes(&less);
    let mut trie = Trie::new(root, &mut nodes).unwrap();
    let error = TrieError::Missing { hash, nibble: 2 };
    assert_eq!(trie.remove(&keys[0], &mut nodes), Err(error));
    assert_eq!(error.to_string(), std::format!("the node {hash} at nibble 2 is not in the witness"));
    assert_eq!(trie.insert(&keys[1], vec![1], &mut nodes), Err(error));
    assert_eq!((trie.root(&nodes), trie.get(&keys[0], &mut nodes)), (Ok(root), Ok(Some(&[5; 40][..]))));
    // Where another way is taken first, the sibling is nobody's business.
    trie.insert(&with_nibble(&keys[0], 1, 5), vec![5; 40], &mut nodes).unwrap();
    trie.remove(&keys[0], &mut nodes).unwrap();
    let mut expected = map.clone();
    expected.remove(&keys[0]);
    expected.insert(with_nibble(&keys[0], 1, 5), vec![5; 40]);
    assert_eq!(trie.root(&nodes), Ok(whole(&expected).0));
}

/// A leaf, its path made of hex-prefix bytes.
fn two(path: &[u8], second: &[u8]) -> Vec<u8> {
    encode_list(&[&encode_string(path), second].concat())
}

fn branch(ways: &[(usize, &[u8])], value: &[u8]) -> Vec<u8> {
    let mut slots = vec![vec![0x80]; 16];
    for (way, child) in ways {
        slots[*way] = child.to_vec();
    }
    encode_list(&[slots.concat(), encode_string(value)].concat())
}

const HASH: [u8; 32] = [7; 32];
const KEY: B256 = b256!("0x1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef");

/// What reading `KEY` says of a trie whose root is `rlp`.
fn refusal(rlp: &[u8]) -> Result<Option<Vec<u8>>, TrieError> {
    let mut nodes = Nodes::new(&[rlp]);
    let mut trie = Trie::new(keccak256(rlp), &mut nodes)?;
    trie.get(&KEY, &mut nodes).map(|value| value.map(<[u8]>::to_vec))
}

#[test]
fn every_wrong_shape_is_refused() {
    let hash = encode_string(&HASH);
    let leaf_path = [&[0x20][..], KEY.as_slice()].concat();
    assert_eq!(refusal(&two(&leaf_path, &[0x05])), Ok(Some(vec![5])));
    let way = |way| (way, &hash[..]);
    assert_eq!(refusal(&branch(&[way(0), way(2)], &[])), Ok(None));
    let missing = TrieError::Missing { hash: HASH.into(), nibble: 1 };
    assert_eq!(refusal(&branch(&[way(0), way(1)], &[])), Err(missing));

    let cases: [(&str, Vec<u8>); 17] = [
        ("a malformed path", two(&[], &[0x05])),
        ("a malformed path", two(&[0x40, 0x12], &[0x05])),
        ("a malformed path", two(&[0x21, 0x12], &[0x05])),
        ("a malformed path", two(&[&leaf_path[..], &[0]].concat(), &[0x05])),
        ("a leaf that does not end where keys do", two(&leaf_path[..32], &[0x05])),
        ("a leaf without a value", two(&leaf_path, &[0x80])),
        ("an extension of impossible length", two(&[0x00], &hash)),
        ("an extension of impossible length", two(&[&[0x00][..], KEY.as_slice()].concat(), &hash)),
        ("an extension that leads nowhere", two(&[0x00, 0x12], &[0x80])),
        ("a child that is no reference to a node", two(&[0x00, 0x12], &[0x05])),
        ("a child that is no reference to a node", two(&[0x00, 0x12], &encode_string(&HASH[..31]))),
        ("a branch with a value", branch(&[way(0), way(2)], &[5])),
        ("a branch with less than two ways", branch(&[], &[])),
        ("a branch with less than two ways", branch(&[way(1)], &[])),
        ("a child that is no reference to a node", branch(&[way(1), (2, &encode_string(&[1; 33]))], &[])),
        ("a child that is no reference to a node", branch(&[way(1), (2, &encode_list(&[1; 31]))], &[])),
        ("a child that is no reference to a node", branch(&[way(1), (2, &[0x05])], &[])),
    ];
    for (what, rlp) in cases {
        assert_eq!(refusal(&rlp), Err(TrieError::Shape { nibble: 0, what }), "{rlp:x?}");
    }
    let malformed: [(RlpError, Vec<u8>); 9] = [
        (RlpError::Short, vec![]),
        (RlpError::Expected("list"), vec![0x82, 1, 2]),
        (RlpError::Short, vec![0xc0]),
        (RlpError::Short, vec![0xc1, 0x80]),
        (RlpError::Trailing, [two(&leaf_path, &[0x05]), vec![0]].concat()),
        (RlpError::Expected("string"), encode_list(&[0xc0, 0x05])),
        (RlpError::Expected("string"), two(&leaf_path, &[0xc0])),
        // A branch of 16 and of 18 items.
        (RlpError::Short, encode_list(&[&hash[..], &hash, &[0x80; 14]].concat())),
        (RlpError::Trailing, encode_list(&[&hash[..], &hash, &[0x80; 16]].concat())),
    ];
    for (error, rlp) in malformed {
        assert_eq!(refusal(&rlp), Err(TrieError::Rlp { nibble: 0, error }), "{rlp:x?}");
    }
}

#[test]
fn what_a_parent_says_of_a_node_binds_its_shape() {
    let by_hash = |child: &[u8], parent: &dyn Fn(&[u8]) -> Vec<u8>| {
        let root = parent(&encode_string(keccak256(child).as_slice()));
        let mut nodes = Nodes::new(&[&root, child]);
        let mut trie = Trie::new(keccak256(&root), &mut nodes).unwrap();
        trie.get(&KEY, &mut nodes).map(|value| value.map(<[u8]>::to_vec))
    };
    let extension = |child: &[u8]| two(&[0x00, 0x12], child);
    let fork = |child: &[u8]| branch(&[(0, &encode_string(&HASH)), (1, child)], &[]);
    let leaf = |from: usize| two(&[&[0x20][..], &KEY[from / 2..]].concat(), &[0x05]);
    let odd_leaf =
        |from: usize| two(&[&[0x30 | nibble(&KEY, from)][..], &KEY[from / 2 + 1..]].concat(), &[0x05]);

    assert_eq!(by_hash(&odd_leaf(1), &fork), Ok(Some(vec![5])));
    let shape = |nibble, what| Err(TrieError::Shape { nibble, what });
    assert_eq!(by_hash(&leaf(2), &extension), shape(2, "no branch below an extension"));
    assert_eq!(
        by_hash(&two(&[0x00, 0x34], &[0xa0; 33]), &extension),
        shape(2, "no branch below an extension")
    );
    assert_eq!(by_hash(&[0xc2, 0x20, 0x05], &fork), shape(1, "a node under 32 bytes by its hash"));
    // One nibble too many or too few for where it is.
    assert_eq!(by_hash(&odd_leaf(3), &fork), shape(1, "a leaf that does not end where keys do"));
    assert_eq!(by_hash(&leaf(0), &fork), shape(1, "a malformed path"));
    // Nodes in nodes end with the key.
    let mut inline = branch(&[(0, &[0xc2, 0x20, 1]), (15, &[0xc2, 0x20, 2])], &[]);
    assert!(inline.len() < 32);
    inline = two(&[&[0x10 | nibble(&KEY, 1)][..], &KEY[1..32]].concat(), &inline);
    assert_eq!(by_hash(&inline, &fork), shape(1, "an extension of impossible length"));
}

#[test]
fn a_branch_where_keys_have_ended() {
    // Down to the last nibble by an extension of 63, then a branch, whose child would be at nibble 64.
    let deep = branch(&[(0, &[0xc2, 0x20, 1]), (15, &[0xc2, 0x20, 2])], &[]);
    let last = branch(&[(14, &[0xc2, 0x20, 1]), (15, &deep)], &[]);
    let path = [&[0x10 | nibble(&KEY, 0)][..], &KEY[1..32].iter().map(|_| 0).collect::<Vec<u8>>()].concat();
    assert_eq!(path.len(), 32);
    let mut key = with_nibble(&B256::ZERO, 0, nibble(&KEY, 0));
    let child = encode_string(keccak256(&last).as_slice());
    let root = two(&path, &child);
    let mut nodes = Nodes::new(&[&root, &last]);
    let mut trie = Trie::new(keccak256(&root), &mut nodes).unwrap();
    key = with_nibble(&key, 63, 15);
    let error = TrieError::Shape { nibble: 64, what: "a branch where keys have ended" };
    assert_eq!(trie.get(&key, &mut nodes), Err(error));
    assert_eq!(trie.get(&with_nibble(&key, 63, 14), &mut nodes), Ok(Some(&[1][..])));
    assert_eq!(trie.get(&with_nibble(&key, 63, 13), &mut nodes), Ok(None));
}
