//! Names and numbers: of the markers by which the cost of a guest's parts is told apart, and of the programs.

use sextant_consensus::Program;
use sextant_consensus::step::Step;

/// 0 is what compilers emit, 1 is none.
#[test]
fn each_step_begins_and_ends_with_a_number_of_its_own() {
    let numbers: Vec<i32> = Step::ALL.iter().flat_map(|step| [step.begin(), step.end()]).collect();
    assert_eq!(numbers, (2..14).collect::<Vec<_>>());
}

#[test]
fn reports_name_every_step() {
    let names = Step::ALL.map(Step::as_str);
    assert_eq!(names, ["decode", "branches", "committee keys", "signature", "trie", "commit"]);
}

#[test]
fn programs_have_names() {
    assert_eq!(Program::CommitteeChange.to_string(), "committee-change");
    assert_eq!(Program::Inclusion.to_string(), "inclusion");
}
