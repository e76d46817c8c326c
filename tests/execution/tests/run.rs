//! The vectors checked in: all of them run and none is wrong; and a runner that can fail.

use std::fs;
use std::process::Command;

use sextant_execution_vectors::{CASES, archives, blocks, inputs, run_archives};

#[test]
fn every_case_of_ethereum_tests_is_right() {
    let report = run_archives(&archives()).expect("archives");
    println!("{report}");
    assert!(report.wrong.is_empty(), "{report}");
    assert_eq!(report.cases, CASES);
    // So many blocks as the files have, and no fewer.
    assert_eq!((report.accepted, report.refused), (2_669 + 10, 641));
}

/// Blobs do not go with their sidecars into blocks (EIP-4844), and a gas limit has 63 bits: each by its own rule.
#[test]
fn some_rules_are_reached_by_their_own_cases() {
    let report = run_archives(&archives()).expect("archives");
    let refused = |got: &str, expected: &str| -> usize {
        let both = |(kind, name): &&(String, String)| kind.contains(got) && name.contains(expected);
        report.reasons.iter().filter(|(reason, _)| both(reason)).map(|(_, count)| count).sum()
    };
    assert_eq!(refused("in the witness", ""), 0);
    assert!(refused("header: gas limit", "") > 0);
    assert!(refused("header: excess blob gas", "INCORRECT_EXCESS_BLOB_GAS") > 0);
}

#[test]
fn every_recorded_block_has_its_output() {
    let inputs = inputs::below(&blocks()).expect("a folder");
    assert_eq!(inputs.len(), 6);
    for input in &inputs {
        let shown = input.check().unwrap_or_else(|error| panic!("{}: {error}", input.name));
        println!("{}: {shown}", input.name);
    }
}

#[test]
fn a_wrong_output_and_a_folder_without_inputs_fail() {
    let folder = tempfile::tempdir().expect("a folder");
    let run =
        || Command::new(env!("CARGO_BIN_EXE_vectors-execution")).arg(folder.path()).output().expect("runs");
    let output = run();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no NAME.stateless-input.ssz.xz"));

    let input = "osaka_modexp.stateless-input.ssz.xz";
    fs::copy(blocks().join(input), folder.path().join(input)).expect("a copy");
    // No output beside it.
    assert!(!run().status.success());
    let name = "osaka_modexp.stateless-output.hex";
    let right = fs::read_to_string(blocks().join(name)).expect("an output");
    let write = |text: &str| fs::write(folder.path().join(name), text).expect("a file");
    write(&right);
    assert!(run().status.success());
    write(&right.replacen('1', "2", 1));
    let output = run();
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("WRONG osaka_modexp"));
    // All zero: what is to be refused, and is not.
    write(&"00".repeat(43));
    assert!(!run().status.success());
    // An output without an input.
    write(&right);
    fs::write(folder.path().join("other.stateless-output.hex"), &right).expect("a file");
    assert!(!run().status.success());
}
