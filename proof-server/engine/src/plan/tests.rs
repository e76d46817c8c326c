use sextant_protocol::ProofKind;

use super::*;
use crate::{Pace, PlannedRun};

fn planned(cells: u64, settings: &EngineSettings) -> Plan {
    let Shares { shards, cells: shard_cells } = Shares::of(cells, FIXED, settings.element_threshold);
    let parts = (1..).take(shards as usize).map(PartName::Core).collect();
    let cut = Cut { shard_cells, ..Cut::largest(settings) };
    Plan { cycles: 1, public_values: Vec::new(), cells, parts, cut, largest_shard: shard_cells }
}

const FIXED: u64 = 2_000_000;

#[test]
fn shards_share_the_cells_evenly_and_none_exceeds_the_settings() {
    let settings = EngineSettings::for_machine(24 << 30, ProofKind::Stark);
    let limit = settings.element_threshold;
    for times in [1, 3, 10, 50, 128] {
        let plan = planned(limit * times / 2, &settings);
        let shard_cells = plan.cut.shard_cells;
        assert!(shard_cells <= limit, "{plan:?}");
        let room = plan.parts.len() as u64 * (shard_cells - FIXED);
        assert!(room >= plan.cells, "{plan:?}");
        assert!(room <= plan.cells * 9 / 8 + limit, "{plan:?}");
    }
}

#[test]
fn memory_follows_the_machine_and_not_the_statement() {
    for kind in [ProofKind::Stark, ProofKind::Compressed] {
        let settings = EngineSettings::for_machine(24 << 30, kind);
        let pace = Pace::guess(2);
        let small = planned(1 << 30, &settings).estimate(kind, &settings, &pace);
        let large = planned(1 << 34, &settings).estimate(kind, &settings, &pace);
        assert!(large.memory <= 14 << 30, "{kind}: {large:?}");
        assert!(large.memory.abs_diff(small.memory) < 1 << 30, "{kind}: {small:?} {large:?}");
        assert!(large.seconds > 10.0 * small.seconds, "{kind}: {small:?} {large:?}");
    }
}

/// Where a worker may not have the machine to itself, a large statement takes more shards and no more memory than allowed.
#[test]
fn memory_follows_the_limit_below_the_machine() {
    let kind = ProofKind::Stark;
    let whole = EngineSettings::for_machine(24 << 30, kind);
    let pace = Pace::guess(2);
    for gib in [8, 9, 10, 11, 12] {
        let settings = whole.clone().within(gib << 30, kind);
        let (small, large) = (planned(1 << 34, &settings), planned(1 << 34, &whole));
        let estimate = small.estimate(kind, &settings, &pace);
        assert!(estimate.memory <= gib << 30, "{gib} GiB: {estimate:?}");
        assert!(small.parts.len() > large.parts.len(), "{gib} GiB");
    }
    assert_eq!(whole.clone().within(u64::MAX, kind), whole);
    assert_eq!(whole.clone().within(23 << 30, kind), whole);
}

#[test]
fn a_run_of_an_empty_program_is_one_shard() {
    let settings = EngineSettings::for_machine(24 << 30, ProofKind::Stark);
    let plan = plan(sextant_artifacts::EMPTY_ELF, &[], &settings).unwrap();
    assert_eq!(plan.parts, [PartName::Core(1)]);
    assert!((1..10_000).contains(&plan.cycles), "{plan:?}");
    assert!(plan.cells > plan.cycles, "{plan:?}");
}

/// What is refused as no plan of this engine.
fn refusal(change: impl FnOnce(&mut Plan)) -> String {
    let settings = EngineSettings::for_machine(24 << 30, ProofKind::Stark);
    let mut plan = plan(sextant_artifacts::EMPTY_ELF, &[], &settings).unwrap();
    change(&mut plan);
    PlannedRun::new(sextant_artifacts::EMPTY_ELF, Vec::new(), plan).unwrap_err().to_string()
}

#[test]
fn a_plan_from_elsewhere_is_refused_where_this_engine_would_not_have_made_it() {
    let named = |names: &[&str]| {
        let parts = names.iter().map(|name| name.parse().unwrap()).collect();
        refusal(|plan| plan.parts = parts)
    };
    for names in
        [&["c-2"][..], &["c-1", "c-1"], &["c-1", "c-3"], &["m-1", "c-1"], &["c-1", "p-KECCAK_PERMUTE-1"]]
    {
        assert!(
            named(names).contains(&format!("{} is not where it belongs", names.last().unwrap())),
            "{names:?}"
        );
    }
    assert!(named(&["p-KECCAK_PERMUTE-1"]).contains("nothing of the execution"));
    assert!(named(&[]).contains("nothing of the execution"));
    assert!(refusal(|plan| plan.cut.shard_cells = 0).contains("shards of 0 cells"));
    assert!(refusal(|plan| plan.cut.most_cells = u64::MAX).contains("of 18446744073709551615 at most"));
    assert!(refusal(|plan| plan.cut.chunk = 0).contains("chunks of 0 memory entries"));
}

#[test]
fn the_pace_follows_what_was_measured() {
    let pace = Pace::guess(2);
    let slower = pace.learned(100.0, 200.0);
    assert!((slower.shard / pace.shard - 1.5).abs() < 1e-9);
    assert!((Pace::guess(8).cell / pace.cell - 0.5).abs() < 1e-9);
}
