//! One proof by several processes that have nothing in common but the run and its plan.

use std::{fs, path::Path, process::Command};

use sextant_consensus::Program;
use sextant_engine::{ShardPart, plan};
use sextant_protocol::{ProofKind, ProofRecord, proof::Circuits};
use sextant_tests::{executor, guest::Guest};
use sextant_verifier::Verifier;

const SLOT: &str = "mainnet-deneb-one-contract-one-slot";
/// Another statement of the same program.
const LEAF: &str = "synthetic-gloas-tries-of-one-leaf";
const KECCAK: &str = "p-KECCAK_PERMUTE-1";

/// A process that does one thing, and what it says where it fails.
fn process(task: &str, fixture: &str, folder: &Path, name: Option<&str>) -> Result<String, String> {
    let output = Command::new(env!("CARGO_BIN_EXE_prove-parts"))
        .args([task, fixture])
        .arg(folder)
        .args(name)
        .envs(sextant_engine::ALLOCATOR_ENVIRONMENT)
        .output()
        .expect("it starts");
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

/// Proves a shard in a process of its own.
fn shard(fixture: &str, folder: &Path, name: &str) -> ShardPart {
    println!("{name} of {fixture}: {}", process("shard", fixture, folder, Some(name)).expect("it is proven"));
    read(&folder.join(format!("{name}.shard")))
}

fn read(path: &Path) -> ShardPart {
    bincode::deserialize(&fs::read(path).expect("it was written")).expect("a part")
}

fn write(folder: &Path, part: &ShardPart) {
    let path = folder.join(format!("{}.shard", part.label));
    fs::write(path, bincode::serialize(part).expect("a part")).expect("written");
}

#[test]
fn shards_of_different_processes_are_one_proof_and_a_false_one_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let said = process("plan", SLOT, folder, None).expect("it is planned");
    assert!(said.ends_with(&format!("\n{KECCAK}\nc-1\n")), "{said}");
    let (keccak, core) = (shard(SLOT, folder, KECCAK), shard(SLOT, folder, "c-1"));

    println!("{}", process("assemble", SLOT, folder, None).expect("they are a proof"));
    let artifact = executor::artifact(Program::Inclusion);
    let record = ProofRecord {
        program: Program::Inclusion.tag(),
        kind: ProofKind::Stark,
        circuits: Circuits::Release,
        circuit_version: Verifier::circuit_version().into(),
        vk_hash: artifact.vk_hash,
        public_values: public_values(SLOT),
        proof: fs::read(folder.join("proof")).expect("it was written"),
    };
    Verifier::new().verify(&record).expect("a verifier that trusts nobody accepts it");

    let refused = |changed: &ShardPart| {
        write(folder, changed);
        let said = process("assemble", SLOT, folder, None).expect_err("it is refused");
        write(folder, if changed.label == core.label { &core } else { &keccak });
        said
    };
    // A proof that somebody changed.
    let mut changed = core.clone();
    let middle = changed.proof.len() / 2;
    changed.proof[middle] ^= 1;
    let said = refused(&changed);
    assert!(said.contains("c-1 is not a proof of that part"), "{said}");
    // Another shard's.
    let said = refused(&ShardPart { proof: core.proof.clone(), ..keccak.clone() });
    assert!(said.contains(&format!("{KECCAK} is not a proof of that part: it is of another kind")), "{said}");

    // A sound proof of the same shard of another run: as it is, and as a liar labels it.
    let other = tempfile::tempdir().expect("a folder");
    process("plan", LEAF, other.path(), None).expect("it is planned");
    let foreign = shard(LEAF, other.path(), KECCAK);
    let said = refused(&foreign);
    assert!(said.contains(&format!("{KECCAK} is of another input")), "{said}");
    let said = refused(&ShardPart { of: keccak.of, ..foreign });
    assert!(said.contains(&format!("{KECCAK} is not a proof of that part: it is of another run")), "{said}");

    fs::remove_file(folder.join("c-1.shard")).expect("it was there");
    let said = process("assemble", SLOT, folder, None).expect_err("it is refused");
    assert!(said.contains("c-1 is missing"), "{said}");
}

/// What the run of a statement commits.
fn public_values(fixture: &str) -> Vec<u8> {
    let guest = Guest::named(fixture).expect("a fixture");
    let settings = sextant_engine::EngineSettings::for_machine(24 << 30, ProofKind::Stark);
    plan(guest.elf, &guest.inputs, &settings).expect("it runs").public_values
}
