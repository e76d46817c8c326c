//! What a stage's message says, and what comes after it.

use bytes::Bytes;
use sextant_artifacts::CIRCUIT_VERSION;
use sextant_consensus::Program;
use sextant_fleet::{
    self as fleet, FleetError, Lane, Line, MAX_FACTS, ObjectName, ObjectRef, Outcome, Release, Stage,
    StageId, StageMessage, Store,
};
use sextant_protocol::{ProofKind, record, wire};

use crate::{
    made::ProofKey,
    metrics::Work,
    programs,
    worker::{WorkerMode, WorkerRequest, messages::MAX_WORKER_FRAME},
};

/// Changes with what is said here: those who say otherwise never meet.
const VERSION: &[u8] = b"1";
/// Input that somebody has sent for one statement is smaller, bytes; what is larger may take its time.
const SMALL: usize = 64 << 10;

record! {
/// What is to be made, and from what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Hash of the program's verifying key.
    1 = vk_hash: [u8; 32],
    /// The kind of proof that is wanted in the end.
    2 = kind: ProofKind,
    /// SHA-256 of the public values.
    3 = statement: [u8; 32],
    /// What the first of its workers is asked; later ones go on with what is made.
    4 = request: Option<WorkerRequest> = None,
}
}

record! {
/// What a stage says of one before it whose output it could not use; goes with the job's failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accusation {
    /// The output.
    1 = object: ObjectRef,
}
}

impl Accusation {
    pub(super) fn encode(object: &ObjectRef) -> Bytes {
        wire::to_bytes(&Self { object: object.clone() }).into()
    }

    /// The accusation that came with an outcome; `None` if none did.
    pub(super) fn of(outcome: &Outcome) -> Option<Self> {
        wire::from_bytes("accusation", outcome.facts.clone(), MAX_FACTS).ok()
    }
}

impl Order {
    /// The order of `proof`.
    pub(super) fn of(proof: &ProofKey, request: WorkerRequest) -> Self {
        let ProofKey { vk_hash, statement, kind } = *proof;
        Self { vk_hash, kind, statement, request: Some(request) }
    }

    const fn proof(&self) -> ProofKey {
        ProofKey { vk_hash: self.vk_hash, statement: self.statement, kind: self.kind }
    }
}

/// A message, understood.
pub(super) struct Task {
    pub(super) order: Order,
    pub(super) stage: WorkerMode,
    pub(super) proof: ProofKey,
    program: Program,
}

/// What makes provers interchangeable.
pub(super) fn release(development: bool) -> Release {
    let keys = Program::ALL.map(|program| programs::artifact(program).vk_hash);
    Release::of(&[VERSION, &keys[0], &keys[1], CIRCUIT_VERSION.as_bytes(), &[u8::from(development)]])
}

/// The queue's name of a stage.
fn stage(mode: WorkerMode) -> Stage {
    Stage::literal(mode.as_str())
}

/// The queues that a prover of `stages` takes from. What is nearly done comes first.
pub(super) fn lines(stages: &[WorkerMode], lanes: &[Lane], release: &Release) -> Vec<Line> {
    let later_first = stages.iter().rev();
    let line = |(lane, mode): (Lane, WorkerMode)| Line { stage: stage(mode), release: release.clone(), lane };
    lanes.iter().flat_map(|lane| later_first.clone().map(move |mode| (*lane, *mode))).map(line).collect()
}

/// The message that begins a job.
///
/// # Errors
/// Those of the store, which has what is too large for a message.
pub(super) async fn first(
    order: &Order,
    mode: WorkerMode,
    generation: u32,
    (release, store): (&Release, &dyn Store),
) -> Result<StageMessage, FleetError> {
    let bytes = Bytes::from(wire::to_bytes(order));
    let lane = if bytes.len() <= SMALL { Lane::Hi } else { Lane::Lo };
    let id = StageId::whole(order.proof().job(), generation, stage(mode));
    Ok(StageMessage::new(id, release.clone(), lane, fleet::Work::new(bytes, store).await?))
}

impl Task {
    /// What a message asks for.
    ///
    /// # Errors
    /// The reason why nobody can do it: it says something else than its name, or what it refers to is gone.
    pub(super) async fn of(
        message: &StageMessage,
        store: &dyn Store,
    ) -> Result<Result<Self, String>, FleetError> {
        let Some(bytes) = message.work.bytes(store).await? else {
            return Ok(Err("its input is gone".into()));
        };
        Ok(Self::read(message, bytes))
    }

    fn read(message: &StageMessage, bytes: Bytes) -> Result<Self, String> {
        let order: Order =
            wire::from_bytes("order", bytes, MAX_WORKER_FRAME).map_err(|error| error.to_string())?;
        let known = |program: &Program| programs::artifact(*program).vk_hash == order.vk_hash;
        let program = Program::ALL.into_iter().find(known).ok_or("it is of an unknown program")?;
        let proof = order.proof();
        let named = |mode: &&WorkerMode| stage(**mode) == message.id.stage;
        let mode = WorkerMode::stages(order.kind).iter().find(named);
        match mode {
            Some(mode) if proof.job() == message.id.job => Ok(Self { order, stage: *mode, proof, program }),
            Some(_) => Err("it is of another job than its name says".into()),
            None => Err(format!("the stage {} makes no {} proof", message.id.stage, order.kind)),
        }
    }

    /// What it counts as.
    pub(super) fn work(&self) -> Work {
        Work::new(self.program.tag(), self.order.kind)
    }

    /// The stage before this one.
    pub(super) fn before(&self) -> Option<WorkerMode> {
        let stages = WorkerMode::stages(self.order.kind);
        let at = stages.iter().position(|mode| *mode == self.stage)?;
        at.checked_sub(1).map(|before| stages[before])
    }

    /// What comes when this stage has made `object`; `None` after the last one.
    pub(super) fn next(&self, message: &StageMessage, object: ObjectRef) -> Option<StageMessage> {
        let mut rest = WorkerMode::stages(self.order.kind).iter().skip_while(|mode| **mode != self.stage);
        let mode = rest.nth(1)?;
        let order = Order { request: None, ..self.order.clone() };
        let work = fleet::Work { inline: wire::to_bytes(&order).into(), stored: None };
        // One that was too large for an ordinary prover is not so in every stage.
        let lane = if message.lane == Lane::Xl { Lane::Hi } else { message.lane };
        let id = id(message, *mode);
        let (deadline_ms, tenant) = (message.deadline_ms, message.tenant.clone());
        let (traceparent, unattended) = (message.traceparent.clone(), message.unattended);
        let next = StageMessage::new(id, message.release.clone(), lane, work);
        Some(StageMessage { before: vec![object], deadline_ms, tenant, traceparent, unattended, ..next })
    }

    /// Where what it makes lies.
    pub(super) fn name(&self, id: &StageId) -> ObjectName {
        output_name(&self.proof, self.stage, id)
    }
}

/// The name of the compressed proof on the way to `proof`.
pub(super) fn compressed(proof: &ProofKey) -> ObjectName {
    ObjectName::proof(&ProofKey { kind: ProofKind::Compressed, ..*proof }.job())
}

/// The name of another stage of the same try at a job.
fn id(message: &StageMessage, mode: WorkerMode) -> StageId {
    StageId { stage: stage(mode), ..message.id.clone() }
}

/// Where lies what `stage` makes on the way to `proof`: a proof under its own name, whatever it is wanted for, so that
/// whoever wants it next finds it.
fn output_name(proof: &ProofKey, stage: WorkerMode, id: &StageId) -> ObjectName {
    match stage.makes() {
        Some(kind) if stage != WorkerMode::Wrap => ObjectName::proof(&ProofKey { kind, ..*proof }.job()),
        _ => ObjectName::part(id),
    }
}
