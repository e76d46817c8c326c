//! Where the fuzzers begin: real objects of every kind, made from the repository's own test data.

use std::fs;

use sextant_consensus::bls::Plain;
use sextant_consensus::codec::{self, Blob};
use sextant_consensus::hash::{Root, keccak256};
use sextant_consensus::ordered::ordered_path;
use sextant_consensus::{
    Program, bundle, check_statement, check_with_hints, committee_chain, committee_change,
};
use sextant_fixtures::{broken, catch_up, devnet, gloas, mainnet_events, repository, statements};

/// Seeds of a target.
pub fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "json" => files(&["json"]),
        "ssz" => {
            // Fulu and Electra, of 512 seats.
            let choices = [8 + 6, 8 + 5];
            files(&["ssz"])
                .into_iter()
                .flat_map(|bytes| choices.map(|choice| [&[choice][..], &bytes].concat()))
                .collect()
        }
        "rlp" => {
            let receipts = mainnet_events::block(mainnet_events::SMALL).receipts;
            let nodes = nodes().into_iter().map(|node| node.0);
            nodes.chain([gloas::finalized_block_header()]).chain(receipts.into_iter().take(8)).collect()
        }
        "trie" => vec![trie_walk(), index_walk()],
        "statement" => {
            let broken = broken::cases().into_iter().map(|case| case.input);
            let recorded = statements().into_iter().map(|(_, _, input)| input);
            recorded.chain(broken).chain(of_proofs().map(|(_, input)| input)).collect()
        }
        "public_values" => statements()
            .into_iter()
            .map(|(_, program, input)| (program, input))
            .chain(of_proofs())
            .filter_map(|(program, input)| check_statement(program, &input, &mut Plain).ok())
            .map(|statement| statement.abi_encode())
            .collect(),
        "hints" => statements()
            .into_iter()
            .take(3)
            .filter_map(|(_, program, input)| check_with_hints(program, &input).ok())
            .map(|(_, hints)| hints)
            .collect(),
        "messages" => protocol_vectors(|name| !PROOFS.contains(&name) && name != "input-digest.hex"),
        "proof_file" => protocol_vectors(|name| PROOFS.contains(&name)),
        _ => Vec::new(),
    }
}

/// Vectors that are no messages: a proof file, and a record with a place in a bundle.
const PROOFS: [&str; 2] = ["proof-file.hex", "bundled-record.hex"];

/// What the programs about other proofs are given: a bundle, a chain that begins, and one that is extended.
fn of_proofs() -> impl Iterator<Item = (Program, Vec<u8>)> {
    let changes: Vec<_> = catch_up::one_by_one(2)
        .iter()
        .filter_map(|change| committee_change::check(change, &mut Plain).ok())
        .map(|change| change.abi_encode())
        .collect();
    let bundle = bundle::Input { statements: changes.iter().cloned().map(Blob).collect() };
    // Any program's key will do.
    let extended = |parts: Vec<(Program, Vec<u8>)>| committee_chain::Input::of([0; 32], parts).ok();
    let change = |index: usize| Some((Program::CommitteeChange, changes.get(index)?.clone()));
    let begun = extended(change(0).into_iter().collect());
    let chain = begun.as_ref().and_then(|input| committee_chain::check(input).ok());
    let so_far = chain.map(|chain| (Program::Chain, chain.abi_encode()));
    let longer = extended(so_far.into_iter().chain(change(1)).collect());
    let chains = [begun, longer].into_iter().flatten();
    std::iter::once((Program::Bundle, codec::encode(&bundle)))
        .chain(chains.map(|input| (Program::Chain, codec::encode(&input))))
}

/// Recorded files of a kind; of beacon and execution JSON what stands inside the answer.
fn files(kinds: &[&str]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let folders = devnet::ALL.map(|net| net.file("").to_path_buf());
    for folder in folders.iter().cloned().chain([sextant_fixtures::data().join("mainnet-deneb")]) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|kind| kinds.iter().any(|wanted| kind == *wanted)) {
                let bytes = fs::read(path).unwrap_or_default();
                let answer = serde_json::from_slice::<serde_json::Value>(&bytes).ok();
                let inner =
                    answer.as_ref().and_then(|answer| answer.get("data").or_else(|| answer.get("result")));
                found.push(inner.map_or(bytes, |inner| inner.to_string().into_bytes()));
            }
        }
    }
    found
}

fn nodes() -> Vec<Blob> {
    sextant_fixtures::inclusion().nodes
}

/// The recorded mainnet account, in the form of the trie target.
fn trie_walk() -> Vec<u8> {
    let input = sextant_fixtures::inclusion();
    let account = &input.accounts[0];
    let nodes = account.path.iter().map(|position| input.nodes[usize::from(*position)].0.clone());
    walk(input.execution.state_root, keccak256(&account.address), nodes)
}

/// A receipt of a recorded block, in the same form.
fn index_walk() -> Vec<u8> {
    const INDEX: u32 = 20;
    let block = mainnet_events::block(mainnet_events::SMALL);
    let mut key = [0; 32];
    key[..4].copy_from_slice(&INDEX.to_le_bytes());
    walk(block.receipts_root, key, ordered_path(&block.receipts, INDEX))
}

fn walk(root: Root, key: Root, nodes: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut seed = [root, key].concat();
    for node in nodes {
        seed.extend(keccak256(&node));
        seed.extend((node.len() as u16).to_le_bytes());
        seed.extend(node);
    }
    seed
}

/// The protocol's vectors: lines of hexadecimal digits.
fn protocol_vectors(wanted: impl Fn(&str) -> bool) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(repository().join("protocol/vectors")).into_iter().flatten().flatten() {
        if wanted(&entry.file_name().to_string_lossy()) {
            let text = fs::read_to_string(entry.path()).unwrap_or_default();
            let digits: Vec<u8> = text
                .lines()
                .map(|line| line.split(';').next().unwrap_or_default())
                .flat_map(|line| line.bytes().filter(u8::is_ascii_hexdigit).collect::<Vec<_>>())
                .collect();
            let nibble = |digit: u8| char::from(digit).to_digit(16).unwrap_or_default() as u8;
            found.push(digits.chunks_exact(2).map(|pair| nibble(pair[0]) << 4 | nibble(pair[1])).collect());
        }
    }
    found
}
