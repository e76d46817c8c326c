//! The vectors checked in: every case passes and every file is read; and a runner that can fail.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use sextant_vectors::statements::vector_statements;
use tempfile::TempDir;

#[test]
fn every_case_passes_and_every_file_is_read() {
    let report = sextant_vectors::run(&sextant_vectors::data()).expect("folders");
    println!("{report}");
    assert!(report.is_clean(), "{report}");
    let total = report.total();
    assert_eq!((total.run, total.passed), (120, 120));
}

/// The archives that the specification releases are of the same layout, and name a store's fork in another way.
#[test]
fn a_case_of_a_released_archive_passes() {
    let released = sextant_fixtures::data().join("released-vectors");
    let report = sextant_vectors::run(&released).expect("folders");
    assert!(report.is_clean(), "{report}");
    assert_eq!(report.total().passed, 1);
}

/// Every step that upgrades a store may name the fork by its digest too.
#[test]
fn a_store_is_upgraded_by_digest_as_by_version() {
    const UPGRADE: &str = "minimal/deneb/light_client/sync/pyspec_tests/electra_fork";
    let (root, folder) = copy(UPGRADE);
    let steps = fs::read_to_string(folder.join("steps.yaml")).expect("steps");
    let version = "store_fork_version: '0x05000001'";
    assert!(steps.contains(version));
    // The digest of an update behind the upgrade, which is of the new fork.
    let (_, last) = steps.rsplit_once("update_fork_digest: ").expect("an update");
    let digest = last.lines().next().expect("a digest");
    let by_digest = |digest: &str| {
        let edited = steps.replace(version, &format!("store_fork_digest: {digest}"));
        fs::write(folder.join("steps.yaml"), edited).expect("a file");
        sextant_vectors::run(root.path()).expect("folders")
    };
    assert!(by_digest(digest).is_clean());
    let unknown = by_digest("'0x00000000'");
    assert!(unknown.to_string().contains("unknown fork digest"), "{unknown}");
}

/// A copy of one case, in a folder of its own.
fn copy(case: &str) -> (TempDir, PathBuf) {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join(case);
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
    let (root, folder) = copy(SYNC);
    assert!(sextant_vectors::run(root.path()).expect("folders").is_clean());

    fs::write(folder.join("surplus.yaml"), "").expect("a file");
    let report = sextant_vectors::run(root.path()).expect("folders");
    assert_eq!((report.failures.len(), report.unread.len()), (0, 1), "{report}");
    fs::write(root.path().join("minimal/deneb/stray.yaml"), "").expect("a file");
    assert_eq!(sextant_vectors::run(root.path()).expect("folders").unread.len(), 2);

    let steps = fs::read_to_string(folder.join("steps.yaml")).expect("steps");
    let slot = steps.find(" slot: ").expect("a header's slot") + 7;
    let edited = format!("{}9{}", &steps[..slot], &steps[slot..]);
    fs::write(folder.join("steps.yaml"), edited).expect("a file");
    let report = sextant_vectors::run(root.path()).expect("folders");
    assert_eq!(report.failures.len(), 1, "{report}");
    assert!(!report.is_clean());
    let empty = tempfile::tempdir().expect("a folder");
    assert!(!sextant_vectors::run(empty.path()).expect("folders").is_clean(), "nothing run is nothing shown");
}

/// Another folder of an archive than the one that the presets stand in: nothing is found there, and the command says so.
#[test]
fn a_folder_without_cases_is_named() {
    let inside = sextant_vectors::data().join("minimal");
    let output = Command::new(env!("CARGO_BIN_EXE_vectors")).arg(&inside).output().expect("runs");
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(said.contains(&*inside.to_string_lossy()) && said.contains("PRESET/FORK"), "{said}");
}

#[test]
fn a_flipped_byte_in_any_file_of_a_proof_is_found() {
    const PROOF: &str =
        "minimal/gloas/light_client/single_merkle_proof/BeaconBlockBody/execution_block_hash_merkle_proof";
    let (root, folder) = copy(PROOF);
    assert!(sextant_vectors::run(root.path()).expect("folders").is_clean());
    let file = folder.join("object.ssz_snappy");
    let mut bytes = fs::read(&file).expect("an object");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&file, bytes).expect("a file");
    assert_eq!(sextant_vectors::run(root.path()).expect("folders").failures.len(), 1);
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
