//! The vectors checked in: all of them run and none is wrong; and a runner that can fail.

use std::fs;
use std::process::Command;

use rayon::prelude::*;
use sextant_execution_vectors::inputs::{self, Input};
use sextant_execution_vectors::{CASES, SPEC_INPUTS, archives, blocks, run_archives, spec_inputs};

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

/// What the executable specification has made: a valid block is valid, and an invalid one refused for its own rule.
#[test]
fn every_block_of_the_specification_is_right() {
    let inputs = inputs::below(&spec_inputs()).expect("a folder");
    let wrong: Vec<String> = inputs
        .par_iter()
        .filter_map(|input| input.check().err().map(|error| format!("{}: {error}", input.name)))
        .collect();
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
    let refused = inputs.iter().filter(|input| input.is_refusal()).count();
    assert_eq!((inputs.len(), refused), SPEC_INPUTS);
    // Each refusal says for what, and nothing else does.
    assert!(inputs.iter().all(|input| input.is_refusal() == input.reason.is_some()));
    // Of every rule that the forks add, under every fork that has it.
    let blob_parameters = ["prague_eip7691", "osaka_eip7691", "bpo1_eip7892", "bpo2_eip7892"];
    let prague = [2935, 6110, 7002, 7251, 7623, 7685, 7702].into_iter();
    let prague =
        prague.flat_map(|eip| ["prague", "osaka", "bpo1", "bpo2"].map(|fork| format!("{fork}_eip{eip}")));
    let osaka = [7594, 7823, 7825, 7883, 7918, 7939, 7951].into_iter();
    let osaka = osaka.flat_map(|eip| ["osaka", "bpo1", "bpo2"].map(|fork| format!("{fork}_eip{eip}")));
    let once = ["prague_eip2537", "osaka_eip7934"].map(str::to_owned).into_iter();
    for rule in prague.chain(osaka).chain(once).chain(blob_parameters.map(str::to_owned)) {
        let of_rule: Vec<&Input> = inputs.iter().filter(|input| input.name.starts_with(&rule)).collect();
        assert!(of_rule.iter().any(|input| input.is_refusal()), "{rule}: nothing invalid");
        assert!(of_rule.iter().any(|input| !input.is_refusal()), "{rule}: nothing valid");
    }
}

#[test]
fn a_refusal_for_another_reason_fails() {
    let inputs = inputs::below(&spec_inputs()).expect("a folder");
    let refusal = inputs.into_iter().find(Input::is_refusal).expect("a refusal");
    assert!(refusal.check().is_ok());
    let other = Input { reason: Some("another rule".to_owned()), ..refusal };
    assert!(other.check().is_err_and(|error| error.contains("not for what it should be: another rule")));
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
    // An output without an input, and a reason.
    write(&right);
    let reason = folder.path().join("osaka_modexp.reason");
    fs::write(&reason, "none").expect("a file");
    assert!(run().status.success());
    fs::rename(&reason, folder.path().join("other.reason")).expect("a file");
    assert!(!run().status.success());
    fs::remove_file(folder.path().join("other.reason")).expect("a file");
    fs::write(folder.path().join("other.stateless-output.hex"), &right).expect("a file");
    assert!(!run().status.success());
}
