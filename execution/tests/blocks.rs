//! Real blocks and one of the specification's vectors, with witnesses: each is valid, and its proof says what others'
//! implementations say.

mod support;

use std::{fs, sync::Once};

use sextant_execution::crypto;
use sextant_execution::forks::ForkError;
use sextant_execution::input::{InputError, StatelessInput};
use sextant_execution::schema::{Fork, SchemaError};
use sextant_execution::statement::{ExecutionError, validate};
use support::{convert, encode, input, output, read};

const BLOCKS: [&str; 6] = [
    "bpo1_zkboost_1200_0_0",
    "mainnet_21429063_9_1",
    "mainnet_24628607_66_7",
    "mainnet_24628608_146_12",
    "osaka_modexp",
    "prague_hoodi_1265656_11_4",
];

/// What the guest does first.
fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(crypto::install);
}

#[test]
fn every_block_is_valid_with_its_43_bytes() {
    install();
    for name in BLOCKS {
        let validated = validate(&input(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(hex::encode(validated.output()), hex::encode(output(name)), "{name}");
    }
}

#[test]
fn every_file_is_read() {
    let mut names = Vec::new();
    for entry in fs::read_dir(support::folder()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        names.extend(name.strip_suffix(".stateless-input.ssz.xz").map(str::to_owned));
    }
    names.sort();
    assert_eq!(names, BLOCKS);
}

#[test]
fn one_block_of_mainnet_is_the_parent_of_the_next() {
    install();
    let [parent, child] =
        ["mainnet_24628607_66_7", "mainnet_24628608_146_12"].map(|name| validate(&input(name)).unwrap());
    assert_eq!(child.parent_hash, parent.block_hash);
    assert_eq!((parent.number, child.number), (24_628_607, 24_628_608));
    assert_eq!((parent.transactions, child.transactions), (66, 146));
    assert_eq!((parent.gas_used, child.gas_used), (7_372_614, 12_907_474));
}

#[test]
fn a_container_and_a_request_with_its_witness_give_one_input() {
    let request = read("zkboost-devnet-1200.new_payload_request.ssz");
    let witness = read("zkboost-devnet-1200.execution_witness.json");
    let converted = convert::request_and_witness(&request, &witness, Fork::Bpo1, 3_151_908);
    assert_eq!(converted, input("bpo1_zkboost_1200_0_0"));
    assert_eq!(StatelessInput::parse(&converted).unwrap().request.encode(), request);
    assert_eq!(convert::container(&read("osaka_zkboost_1200_0_0.blk"), Fork::Bpo1), converted);
}

#[test]
fn what_was_read_is_written_again() {
    for name in BLOCKS {
        let bytes = input(name);
        assert!(encode(&StatelessInput::parse(&bytes).unwrap()) == bytes, "{name}");
    }
}

#[test]
fn another_fork_than_the_chains_is_refused() {
    for (name, chain_id, expected) in [
        ("mainnet_21429063_9_1", 1, Fork::Cancun),
        ("mainnet_24628607_66_7", 1, Fork::Bpo2),
        ("prague_hoodi_1265656_11_4", 560_048, Fork::Prague),
    ] {
        for got in Fork::ALL.into_iter().filter(|fork| *fork != expected) {
            let mut bytes = input(name);
            bytes[0] = got.index();
            match validate(&bytes) {
                Err(ExecutionError::Fork(ForkError::Schedule {
                    chain_id: c, got: g, expected: e, ..
                })) => {
                    assert_eq!((c, g, e), (chain_id, got, expected), "{name}");
                }
                // The other shape of the request.
                Err(ExecutionError::Input(InputError::Ssz(_))) => {
                    assert_ne!(got.has_requests(), expected.has_requests(), "{name} as {got}");
                }
                other => panic!("{name} as {got}: {other:?}"),
            }
        }
    }
}

#[test]
fn amsterdam_is_refused_by_name() {
    let mut bytes = input("osaka_modexp");
    bytes[0] = 0x15;
    let error = validate(&bytes).unwrap_err();
    assert!(matches!(
        error,
        ExecutionError::Input(InputError::Schema(SchemaError::NotImplemented("Amsterdam")))
    ));
    assert_eq!(error.to_string(), "blocks of Amsterdam are not supported");
}

/// Keys of senders are hints: without them, with wrong ones or too many of them the statement is the same.
#[test]
fn public_keys_are_never_believed() {
    install();
    for name in ["osaka_modexp", "mainnet_21429063_9_1"] {
        let bytes = input(name);
        let input = StatelessInput::parse(&bytes).unwrap();
        let keys = input.public_keys;
        assert!(!keys.is_empty());
        let mut swapped = keys.to_vec();
        swapped.reverse();
        let mut surplus = keys.to_vec();
        surplus.extend([[4; 65]; 3]);
        for keys in
            [&[][..], &keys[1..], &swapped, &surplus, &vec![[4; 65]; keys.len()], &vec![[0; 65]; keys.len()]]
        {
            let other = StatelessInput { public_keys: keys, ..input.clone() };
            assert_eq!(validate(&encode(&other)).unwrap().output()[..], output(name), "{name}");
        }
    }
}
