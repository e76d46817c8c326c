//! A recorded bundle with files of its statements: which of them stands where.

mod common;

use std::path::{Path, PathBuf};

use common::{assert_names, sextant, text};
use serde_json::Value;

fn recorded(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data").join(name)
}

/// A bundle of a handover and an inclusion, in this order.
const BUNDLE: &str = "recorded-starks/bundle-compressed.proof";
const HANDOVER: &str = "recorded-starks/committee-change-compressed.proof";
/// The same statement, proven in another form.
const HANDOVER_SNARK: &str = "recorded-snarks/one-handover.proof";
const INCLUSION: &str = "recorded-starks/inclusion.proof";
const OTHER: &str = "recorded-snarks/committee-change.proof";

fn verify(arguments: &[&str]) -> std::process::Output {
    let files: Vec<_> = arguments
        .iter()
        .map(|name| if name.ends_with(".proof") { recorded(name) } else { PathBuf::from(name) })
        .collect();
    sextant(&[&["verify"][..], &files.iter().map(|file| text(file)).collect::<Vec<_>>()].concat())
}

#[track_caller]
fn json(arguments: &[&str]) -> Value {
    let output = verify(&[arguments, &["--json"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn statements_are_told_by_their_places_in_whatever_order_they_come() {
    let said = json(&[BUNDLE, "--statement", INCLUSION, HANDOVER]);
    let statements = said["public_values"]["statements"].as_array().unwrap();
    let told = |place: usize, name: &str| statements[place][name].as_str().unwrap();
    assert_eq!(statements.len(), 2);
    for (place, file, program) in [(0, HANDOVER, "committee-change"), (1, INCLUSION, "inclusion")] {
        assert!(told(place, "file").ends_with(file), "{said}");
        assert_eq!(told(place, "program"), program);
        assert_eq!(statements[place]["public_values"]["program"], program);
        assert_eq!(statements[place]["public_values"]["network"], "mainnet");
    }
    assert!(said["warning"].as_str().unwrap().contains("signer committees below"), "{said}");

    let table = String::from_utf8(verify(&[BUNDLE, "--statement", INCLUSION, HANDOVER]).stdout).unwrap();
    let at = |text: &str| table.find(text).unwrap_or_else(|| panic!("{text}: {table}"));
    assert!(at("statement 0 of the bundle, in ") < at("statement 1 of the bundle, in "), "{table}");
    assert!(at("committee of 1151") < at("storage root"), "{table}");
}

#[test]
fn one_of_them_is_enough_in_any_form_and_none_too() {
    let said = json(&[BUNDLE, "--statement", HANDOVER_SNARK]);
    let statements = &said["public_values"]["statements"];
    assert!(statements[0]["file"].as_str().unwrap().ends_with(HANDOVER_SNARK), "{said}");
    assert!(statements[1].get("file").is_none() && statements[1]["digest"].is_string(), "{said}");
    assert!(said["warning"].as_str().unwrap().contains("Verify the proof of each"), "{said}");
    let said = json(&[BUNDLE]);
    assert!(said["public_values"]["statements"][0].get("file").is_none(), "{said}");
}

/// Before anything is verified or a server is asked.
#[test]
fn what_a_chain_does_not_go_on_with_is_named_by_its_file() {
    let [one, two] = ["recorded-starks/chain-1-compressed.proof", "recorded-starks/chain-2-compressed.proof"];
    let nobody = ["--server", "127.0.0.1:1"];
    for (files, parts) in [
        (&["--from", one, HANDOVER][..], &["committee-change-compressed.proof", "period 1150", "1348"][..]),
        (&["--from", HANDOVER, HANDOVER], &["committee-change-compressed.proof", "period 1150", "1151"]),
        (&["--from", one, two], &["chain-2-compressed.proof", "statement 1 is of chain"]),
        (&[INCLUSION], &["inclusion.proof", "statement 0 is of inclusion"]),
    ] {
        let files = files
            .iter()
            .map(|file| if file.starts_with("--") { PathBuf::from(file) } else { recorded(file) });
        let files: Vec<_> = files.collect();
        let arguments: Vec<_> =
            ["chain"].into_iter().chain(nobody).chain(files.iter().map(|file| text(file))).collect();
        assert_names(&sextant(&arguments), parts);
    }
}

#[test]
fn what_is_not_in_the_bundle_is_named() {
    let output = verify(&[BUNDLE, "--statement", HANDOVER, OTHER]);
    assert_names(&output, &["bundle-compressed.proof", "committee-change.proof", "not in the bundle"]);
    assert_eq!(output.status.code(), Some(6));
    let output = verify(&[HANDOVER, "--statement", HANDOVER]);
    assert_names(&output, &["committee-change-compressed.proof", "--statement", "no bundle"]);
    assert_eq!(output.status.code(), Some(2));
}
