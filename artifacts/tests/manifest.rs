//! The embedded files, the constants and `manifest.json` say the same.

use serde_json::Value;
use sextant_artifacts::{ALL, CIRCUIT_VERSION, SP1_VERSION, TOOLCHAIN};
use sha2::{Digest, Sha256};

fn manifest() -> Value {
    serde_json::from_str(include_str!("../manifest.json")).expect("manifest.json is JSON")
}

#[test]
fn elfs_are_those_of_the_manifest() {
    for artifact in ALL {
        assert_eq!(Sha256::digest(artifact.elf)[..], artifact.elf_sha256, "{}", artifact.program);
    }
}

#[test]
fn constants_are_those_of_the_manifest() {
    let manifest = manifest();
    assert_eq!(manifest["circuit_version"], CIRCUIT_VERSION);
    assert_eq!(manifest["sp1_version"], SP1_VERSION);
    assert_eq!(manifest["toolchain"], TOOLCHAIN);
    let programs = manifest["programs"].as_array().expect("a list of programs");
    assert_eq!(programs.len(), ALL.len());
    for (entry, artifact) in programs.iter().zip(ALL) {
        assert_eq!(entry["program"], artifact.program);
        assert_eq!(entry["elf_sha256"], hex::encode(artifact.elf_sha256));
        assert_eq!(entry["vk_hash"], format!("0x{}", hex::encode(artifact.vk_hash)));
        assert_eq!(entry["verifying_key_sha256"], hex::encode(Sha256::digest(artifact.verifying_key)));
    }
}
