//! The vectors checked in: every case passes and every file is read; and a runner that can fail.

use std::fs;
use std::path::{Path, PathBuf};

use sextant_vectors::statements::vector_statements;

#[test]
fn every_case_passes_and_every_file_is_read() {
    let report = sextant_vectors::run(&sextant_vectors::data()).expect("folders");
    println!("{report}");
    assert!(report.is_clean(), "{report}");
    let total = report.total();
    assert_eq!((total.run, total.passed), (120, 120));
}

/// A copy of one case, in a folder of its own.
fn copy(name: &str, case: &str) -> (PathBuf, PathBuf) {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let folder = root.join(case);
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(&folder).expect("a folder");
    for entry in fs::read_dir(sextant_vectors::data().join(case)).expect("a case") {
        let entry = entry.expect("a file");
        fs::copy(entry.path(), folder.join(entry.file_name())).expect("a copy");
    }
    (root, folder)
}

#[test]
fn what_is_wrong_is_found() {
    const SYNC: &str = "minimal/deneb/light_client/sync/pyspec_tests/light_client_sync";
    let (root, folder) = copy("wrong", SYNC);
    assert!(sextant_vectors::run(&root).expect("folders").is_clean());

    fs::write(folder.join("surplus.yaml"), "").expect("a file");
    let report = sextant_vectors::run(&root).expect("folders");
    assert_eq!((report.failures.len(), report.unread.len()), (0, 1), "{report}");
    fs::write(root.join("minimal/deneb/stray.yaml"), "").expect("a file");
    assert_eq!(sextant_vectors::run(&root).expect("folders").unread.len(), 2);

    let steps = fs::read_to_string(folder.join("steps.yaml")).expect("steps");
    let slot = steps.find(" slot: ").expect("a header's slot") + 7;
    let edited = format!("{}9{}", &steps[..slot], &steps[slot..]);
    fs::write(folder.join("steps.yaml"), edited).expect("a file");
    let report = sextant_vectors::run(&root).expect("folders");
    assert_eq!(report.failures.len(), 1, "{report}");
    assert!(!report.is_clean());
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("empty");
    fs::create_dir_all(&empty).expect("a folder");
    assert!(!sextant_vectors::run(&empty).expect("folders").is_clean(), "nothing run is nothing shown");
}

#[test]
fn a_flipped_byte_in_any_file_of_a_proof_is_found() {
    const PROOF: &str =
        "minimal/gloas/light_client/single_merkle_proof/BeaconBlockBody/execution_block_hash_merkle_proof";
    let (root, folder) = copy("proof", PROOF);
    assert!(sextant_vectors::run(&root).expect("folders").is_clean());
    let file = folder.join("object.ssz_snappy");
    let mut bytes = fs::read(&file).expect("an object");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&file, bytes).expect("a file");
    assert_eq!(sextant_vectors::run(&root).expect("folders").failures.len(), 1);
}

#[test]
fn steps_are_statements_of_both_verdicts() {
    let all = vector_statements().expect("vectors");
    for statement in &all {
        let verdict = match &statement.expected {
            Ok(_) => "accepted".to_owned(),
            Err(error) => format!("refused: {error}"),
        };
        println!("{}: {} bytes, {verdict}", statement.name, statement.input.len());
    }
    let accepted = all.iter().filter(|statement| statement.expected.is_ok()).count();
    println!("{} statements, {accepted} accepted", all.len());
    assert_eq!((all.len(), accepted), (52, 16));
    // Each fork's are accepted, and refused, for the guests to agree with.
    for fork in ["deneb", "electra", "fulu", "gloas"] {
        let of_fork =
            || all.iter().filter(|statement| statement.name.starts_with(&format!("mainnet/{fork}/")));
        assert!(of_fork().any(|statement| statement.expected.is_ok()), "{fork}");
        assert!(of_fork().any(|statement| statement.expected.is_err()), "{fork}");
    }
}
