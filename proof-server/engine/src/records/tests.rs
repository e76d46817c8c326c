use sextant_consensus::{Program, codec, committee_change, inclusion};
use sextant_protocol::ProofKind;

use super::*;
use crate::{
    Pace, least_memory,
    plan::{Ends, plan},
};

fn machine(gib: u64, element_threshold: u64) -> EngineSettings {
    EngineSettings { element_threshold, ..EngineSettings::for_machine(gib << 30, ProofKind::Stark) }
}

fn elf(program: Program) -> &'static [u8] {
    match program {
        Program::CommitteeChange => sextant_artifacts::COMMITTEE_CHANGE.elf,
        Program::Inclusion => sextant_artifacts::INCLUSION.elf,
        Program::Bundle => sextant_artifacts::BUNDLE.elf,
        Program::Chain => sextant_artifacts::CHAIN.elf,
    }
}

/// The run of a statement, as a machine plans it.
fn run(program: Program, input: Vec<u8>, settings: &EngineSettings) -> PlannedRun {
    let (_, hints) = sextant_consensus::check_with_hints(program, &input).unwrap();
    let inputs = vec![input, hints];
    let plan = plan(elf(program), &inputs, settings).unwrap();
    PlannedRun::new(elf(program), inputs, plan).unwrap()
}

/// The same run with another plan.
fn replanned(program: Program, run: &PlannedRun, plan: crate::Plan) -> PlannedRun {
    PlannedRun::new(elf(program), run.inputs.to_vec(), plan).unwrap()
}

fn handovers(count: usize, settings: &EngineSettings) -> PlannedRun {
    let input = codec::encode::<committee_change::Input>(&sextant_fixtures::catch_up::handovers(count));
    run(Program::CommitteeChange, input, settings)
}

fn slot(settings: &EngineSettings) -> PlannedRun {
    run(Program::Inclusion, codec::encode::<inclusion::Input>(&sextant_fixtures::inclusion()), settings)
}

/// What makes a shard what it is: how much of what is in it, and what its proof will state.
#[derive(Debug, PartialEq)]
struct Face {
    name: PartName,
    events: hashbrown::HashMap<String, usize>,
    sends_and_receives: usize,
    public_values: Vec<SP1Field>,
}

async fn traced(
    run: &PlannedRun,
    settings: &EngineSettings,
    wanted: Wanted,
) -> Result<Vec<Face>, EngineError> {
    let (run, settings, places) = (run.clone(), settings.clone(), Places::new(1));
    let generated = tokio::task::spawn_blocking(move || {
        let mut faces = Vec::new();
        generate(&run, &settings, wanted, &places, |Shard { name, record, place }| {
            faces.push(Face {
                name,
                events: record.stats(),
                sends_and_receives: record.global_interaction_events.len(),
                public_values: record.public_values(),
            });
            drop(place);
            true
        })
        .map(|()| faces)
    });
    generated.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_prover_finds_the_shards_that_were_planned() {
    let statements = [
        // Two of the execution, and one of its memory.
        (handovers(3, &machine(24, 40_000_000)), 40_000_000, &["c-1", "c-2", "m-1"][..]),
        (handovers(3, &machine(24, 1 << 28)), 1 << 28, &["c-1"]),
        // Its Keccak calls are a shard of their own.
        (slot(&machine(24, 1 << 28)), 1 << 28, &["p-KECCAK_PERMUTE-1", "c-1"]),
    ];
    for (run, element_threshold, names) in statements {
        let planned: Vec<_> = run.plan().parts.iter().map(ToString::to_string).collect();
        assert_eq!(planned, names, "{} cells", run.plan().cells);
        // Tracing refuses what is not planned.
        let faces = traced(&run, &machine(24, element_threshold), Wanted::All).await.unwrap();
        assert_eq!(faces.len(), names.len());
    }
}

/// Who offers proofs of a kind can make them: the memory that is said to be the least is what a small proof is planned
/// to take.
#[test]
fn the_least_memory_is_what_one_handover_takes() {
    for kind in [ProofKind::Stark, ProofKind::Compressed] {
        let memory = least_memory(kind);
        let settings = EngineSettings::for_machine(memory, kind);
        let plan = handovers(1, &settings).plan().clone();
        let planned = plan.estimate(kind, &settings, &Pace::guess(2)).memory;
        assert!((memory / 10 * 9..=memory).contains(&planned), "{kind}: {planned} of {memory}: {plan:?}");
    }
}

/// There is a size of shard at which one word of memory more decides whether it gets a shard of its own.
#[tokio::test(flavor = "multi_thread")]
async fn memory_at_both_ends_is_counted_as_it_is_traced() {
    let settings = machine(24, 40_000_000);
    for run in [handovers(1, &settings), slot(&settings)] {
        let opts = run.plan().cut.options(&settings);
        let (mut executor, mut touched) = (executor(&run.program, &run.inputs, &opts), Touched::default());
        while let Some(chunk) = next(&mut executor).unwrap() {
            cut(&run.program, chunk, &opts, &mut touched).unwrap();
        }
        let counted = Ends::of(&run.program, touched, executor.hints());
        let faces = traced(&run, &settings, Wanted::All).await.unwrap();
        let events = |name: &str| -> usize { faces.iter().filter_map(|face| face.events.get(name)).sum() };
        let initialized = events("global_memory_initialize_events");
        let finalized = events("global_memory_finalize_events");
        assert_eq!(counted, Ends { initialized, finalized });
        assert!(initialized > 1000, "{initialized}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shard_alone_is_the_one_among_all_whatever_machine_traces_it() {
    let planner = machine(24, 40_000_000);
    for (program, run) in
        [(Program::CommitteeChange, handovers(3, &planner)), (Program::Inclusion, slot(&planner))]
    {
        let all = traced(&run, &planner, Wanted::All).await.unwrap();
        // Another size of machine, with the plan as it comes over a wire.
        let encoded = bincode::serialize(run.plan()).unwrap();
        let plan = bincode::deserialize(&encoded).unwrap();
        let run = replanned(program, &run, plan);
        let settings = machine(128, 1 << 28);
        for face in &all {
            let alone = traced(&run, &settings, Wanted::One(face.name)).await.unwrap();
            assert_eq!(alone.as_slice(), std::slice::from_ref(face), "{}", face.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_does_not_go_as_planned_is_refused() {
    let settings = machine(24, 1 << 28);
    let run = handovers(1, &settings);
    let refused = |change: fn(&mut crate::Plan)| {
        let mut plan = run.plan().clone();
        change(&mut plan);
        let (run, settings) = (replanned(Program::CommitteeChange, &run, plan), settings.clone());
        async move { traced(&run, &settings, Wanted::All).await.unwrap_err().to_string() }
    };
    let more = refused(|plan| plan.parts.push(PartName::Core(2))).await;
    assert_eq!(more, "plan: the run has the shards c-1, planned were c-1, c-2");
    let other = refused(|plan| plan.public_values[0] ^= 1).await;
    assert_eq!(other, "plan: the run commits other public values");
    let none = traced(&run, &settings, Wanted::One(PartName::Memory(1))).await.unwrap_err();
    assert_eq!(none.to_string(), "plan: the run has no m-1");
}

#[test]
fn a_run_is_told_from_others_by_its_program_input_and_plan() {
    let settings = machine(24, 1 << 28);
    let first = handovers(1, &settings);
    assert_eq!(first.origin(), handovers(1, &settings).origin(), "the same in every process");
    let (second, smaller) = (handovers(2, &settings).origin(), handovers(1, &machine(24, 1 << 27)).origin());
    let first = first.origin();
    assert!(second.program == first.program && second.input != first.input && second.plan != first.plan);
    assert!(smaller.input == first.input && smaller.plan != first.plan, "cut otherwise");
    assert_ne!(slot(&settings).origin().program, first.program);
}
