//! Every target runs on its seeds, on pieces of them, and on everything that fuzzing ever found
//! (`fuzz/regressions/<target>/`).

use std::fs;

use sextant_fuzz_targets::{TARGETS, seeds};

#[test]
fn seeds_and_their_pieces() {
    for (name, target) in TARGETS {
        let seeds = seeds::of(name);
        assert!(!seeds.is_empty(), "{name}: no seeds");
        for seed in seeds {
            target(&seed);
            for part in 1..8 {
                target(&seed[..seed.len() * part / 8]);
                let mut edited = seed.clone();
                let at = seed.len() * part / 8;
                edited[at] ^= 0xff;
                target(&edited);
            }
        }
    }
}

#[test]
fn everything_ever_found() {
    for (name, target) in TARGETS {
        let folder = sextant_fixtures::repository().join("fuzz/regressions").join(name);
        for entry in fs::read_dir(folder).into_iter().flatten() {
            target(&fs::read(entry.expect("a file").path()).expect("a file"));
        }
    }
}
