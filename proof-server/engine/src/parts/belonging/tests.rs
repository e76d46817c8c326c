use super::*;
use crate::{EngineSettings, plan};

const ORIGIN: Origin = Origin { program: [1; 32], input: [2; 32], plan: [3; 32] };
const NAMES: [&str; 5] = ["p-KECCAK_PERMUTE-1", "c-1", "c-2", "c-3", "m-1"];

/// A plan with the shards `NAMES`.
fn planned() -> Plan {
    let settings = EngineSettings::for_machine(24 << 30, sextant_protocol::ProofKind::Stark);
    let mut plan = plan(sextant_artifacts::EMPTY_ELF, &[], &settings).unwrap();
    plan.parts = NAMES.iter().map(|name| name.parse().unwrap()).collect();
    plan
}

fn shard(name: &str, of: Origin) -> ShardPart {
    Part { label: name.parse().unwrap(), of, proof: Vec::new() }
}

fn shards(names: &[&str]) -> Vec<ShardPart> {
    names.iter().map(|name| shard(name, ORIGIN)).collect()
}

fn folded(spans: &[(u32, u32)]) -> Vec<FoldedPart> {
    let part = |(first, last)| Part { label: Span { first, last }, of: ORIGIN, proof: Vec::new() };
    spans.iter().copied().map(part).collect()
}

fn others() -> [(Origin, &'static str); 3] {
    [
        (Origin { program: [9; 32], ..ORIGIN }, "program"),
        (Origin { input: [9; 32], ..ORIGIN }, "input"),
        (Origin { plan: [9; 32], ..ORIGIN }, "plan"),
    ]
}

#[test]
fn shards_come_in_any_order_and_leave_in_that_of_the_proof() {
    let plan = planned();
    let parts =
        in_order(&ORIGIN, &plan, shards(&["m-1", "c-2", "p-KECCAK_PERMUTE-1", "c-3", "c-1"])).unwrap();
    let names: Vec<_> = parts.iter().map(|part| part.label.to_string()).collect();
    assert_eq!(names, NAMES);
}

#[test]
fn a_shard_that_does_not_belong_is_named() {
    let plan = planned();
    for (origin, other) in others() {
        let mut parts = shards(&NAMES[..4]);
        parts.push(shard("m-1", origin));
        let error = in_order(&ORIGIN, &plan, parts).unwrap_err();
        assert_eq!(error.to_string(), format!("m-1 is of another {other}"));
    }
    for (names, said) in [
        (&["c-1", "c-2", "c-3", "m-1"][..], "p-KECCAK_PERMUTE-1 is missing"),
        (&[], "p-KECCAK_PERMUTE-1 is missing"),
        (&["p-KECCAK_PERMUTE-1", "c-1", "c-3", "m-1"], "c-2 is missing"),
        (&["p-KECCAK_PERMUTE-1", "c-1", "c-2", "c-2", "c-3", "m-1"], "c-2 is there twice"),
        (&["p-KECCAK_PERMUTE-1", "c-1", "c-2", "c-3", "c-4", "m-1"], "c-4 is not in the plan"),
    ] {
        assert_eq!(in_order(&ORIGIN, &plan, shards(names)).unwrap_err().to_string(), said, "{names:?}");
    }
}

#[test]
fn recursion_proofs_are_folded_where_they_follow_each_other() {
    let plan = planned();
    let (parts, span) = adjacent(&ORIGIN, &plan, folded(&[(4, 5), (2, 2), (3, 3)])).unwrap();
    assert_eq!(span, Span { first: 2, last: 5 });
    assert_eq!(parts.iter().map(|part| part.label.first).collect::<Vec<_>>(), [2, 3, 4]);
    for (origin, other) in others() {
        let mut parts = folded(&[(1, 1), (2, 3)]);
        parts[1].of = origin;
        let error = adjacent(&ORIGIN, &plan, parts).unwrap_err();
        assert_eq!(error.to_string(), format!("fold 2-3 is of another {other}"));
    }
    for (spans, said) in [
        (&[(1, 1), (3, 5)][..], "c-1 is missing"),
        (&[], "p-KECCAK_PERMUTE-1 is missing"),
        (&[(1, 3), (3, 5)], "fold 3-5 is there twice"),
        (&[(1, 5), (2, 3)], "fold 2-3 is there twice"),
        (&[(0, 1)], "fold 0-1 is not in the plan"),
        (&[(3, 2)], "fold 3-2 is not in the plan"),
        (&[(1, 6)], "fold 1-6 is not in the plan"),
        (&[(1, u32::MAX)], "fold 1-4294967295 is not in the plan"),
    ] {
        assert_eq!(adjacent(&ORIGIN, &plan, folded(spans)).unwrap_err().to_string(), said, "{spans:?}");
    }
}

#[test]
fn bytes_that_are_no_proof_are_named() {
    for proof in [Vec::new(), vec![0xff; 100], vec![0; 17 << 20]] {
        let part = Part { proof, ..shard("c-2", ORIGIN) };
        let error = part.decode::<crate::core::CoreShardProof>().err().expect("it is no proof");
        assert!(matches!(error, PartError::Invalid { part: Label::Shard(PartName::Core(2)), .. }), "{error}");
    }
}
