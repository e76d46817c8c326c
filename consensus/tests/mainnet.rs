//! Both statements on recorded mainnet data, with their exact public values.

use sextant_consensus::bls::Plain;
use sextant_consensus::public_values::{Learned, Statement};
use sextant_consensus::{codec, committee_change, inclusion};

#[test]
fn committee_change_of_one_and_two_handovers() {
    let one = committee_change::check(&sextant_fixtures::committee_change(1), &mut Plain).unwrap();
    println!("{one:x?}");
    let two = committee_change::check(&sextant_fixtures::committee_change(2), &mut Plain).unwrap();
    println!("{two:x?}");
}

#[test]
fn inclusion_of_the_factory() {
    let values = inclusion::check(&sextant_fixtures::inclusion(), &mut Plain).unwrap();
    println!("{values:x?}");
}
