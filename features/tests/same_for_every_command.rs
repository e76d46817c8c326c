//! Whatever package a cargo command names, the crates below are built with the same features as for the workspace.

use std::collections::BTreeSet;
use std::process::Command;

/// Packages with their features, as the given selection builds them; our own are left out, which compile fast.
fn resolved(selection: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--prefix", "none", "--format", "{p}|{f}"])
        .args(selection)
        .current_dir(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where this package is"))
        .output()
        .expect("cargo tree runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).expect("text");
    // A repeated package is marked, a procedural macro and one of our own carry notes.
    let packages = lines.lines().map(|line| line.replace(" (*)", ""));
    packages.filter(|line| line.contains(" v") && !line.contains('(')).collect()
}

#[test]
fn every_selection_builds_the_same_features() {
    // Once without build scripts' crates: one of those with a crate's features would hide that the crate itself differs.
    for (all, of_one) in [("all", "normal,build"), ("normal", "normal")] {
        let workspace = resolved(&["--workspace", "--edges", all]);
        for package in [
            "proof-server",
            "sextant-client",
            "sextant-verifier",
            "sextant-seal",
            "sextant-tests",
            "sextant-engine",
        ] {
            let selection = resolved(&["--package", package, "--edges", of_one]);
            let differs: Vec<_> = selection.difference(&workspace).collect();
            assert!(
                differs.is_empty(),
                "add to features/Cargo.toml what {package} builds otherwise: {differs:?}"
            );
        }
    }
    for (programs, tests) in [("normal,build", "all"), ("normal", "normal,dev")] {
        let programs = resolved(&["--workspace", "--edges", programs]);
        let tests = resolved(&["--workspace", "--edges", tests]);
        let differs: Vec<_> = programs.difference(&tests).collect();
        assert!(differs.is_empty(), "tests build otherwise: {differs:?}");
    }
}
