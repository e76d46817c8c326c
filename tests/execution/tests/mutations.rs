//! Broken witnesses and payloads: no other statement, no panic. `MUTATIONS=20000` flips so many bits of each block that is
//! light enough, in place of a few.

use sextant_execution_vectors::inputs::{self, Input};
use sextant_execution_vectors::{blocks, mutations};

fn input(name: &str) -> Input {
    let inputs = inputs::below(&blocks()).expect("a folder");
    inputs.into_iter().find(|input| input.name == name).expect("an input of that name")
}

/// How many bits to flip, where nobody asks for more.
fn count(few: usize) -> usize {
    std::env::var("MUTATIONS").map_or(few, |count| count.parse().expect("MUTATIONS is a number"))
}

#[test]
fn a_flipped_bit_has_no_other_meaning() {
    for (name, few) in [("bpo1_zkboost_1200_0_0", 4_000), ("mainnet_21429063_9_1", 200)] {
        let Input { bytes, expected, .. } = input(name);
        let tally = mutations::flips(&bytes, &expected, count(few), 1);
        println!("{name}: {tally}");
        assert!(tally.wrong.is_empty(), "{tally}");
        assert_eq!(tally.total(), count(few));
        assert!(tally.refused > tally.total() * 9 / 10, "{tally}");
    }
}

#[test]
fn what_is_left_out_is_missed_or_was_not_needed() {
    for (name, items) in [("bpo1_zkboost_1200_0_0", 20), ("mainnet_21429063_9_1", 700)] {
        let Input { bytes, expected, .. } = input(name);
        let tally = mutations::omissions(&bytes, &expected).expect("an input");
        println!("{name}: {tally}");
        assert!(tally.wrong.is_empty() && tally.other_chain == 0, "{tally}");
        assert!(tally.total() > items, "{tally}");
        assert!(tally.refused > tally.total() * 9 / 10, "{tally}");
    }
}

#[test]
fn order_and_company_of_the_items_mean_nothing() {
    for name in ["bpo1_zkboost_1200_0_0", "mainnet_21429063_9_1"] {
        let Input { bytes, expected, .. } = input(name);
        let tally = mutations::rearrangements(&bytes, &expected).expect("an input");
        assert_eq!((tally.same, tally.total()), (4, 4), "{name}: {tally}");
    }
}
