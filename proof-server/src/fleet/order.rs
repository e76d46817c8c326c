//! What a stage's message says, and what comes after it.

use bytes::Bytes;
use sextant_artifacts::CIRCUIT_VERSION;
use sextant_consensus::Program;
use sextant_fleet::{
    self as fleet, FleetError, Lane, Line, MAX_FACTS, ObjectName, ObjectRef, Outcome, Part, Release, StageId,
    StageMessage, Store,
};
use sextant_protocol::{ProofKind, record, wire};

use super::parts::{self, Form, Parts, Span, Tree};
use crate::{
    made::ProofKey,
    metrics::Work,
    programs,
    time::unix_ms,
    worker::{Planned, WorkerMode, WorkerRequest, messages::MAX_WORKER_FRAME},
};

/// Changes with what is said here: those who say otherwise never meet.
const VERSION: &[u8] = b"3";
/// The part of a stage's name under which its plan lies.
const PLAN: Part = Part::literal("plan");
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
    /// What the proof is made of, in messages about parts of it.
    5 = parts: Option<Parts> = None,
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
        Self { vk_hash, kind, statement, request: Some(request), parts: None }
    }

    const fn proof(&self) -> ProofKey {
        ProofKey { vk_hash: self.vk_hash, statement: self.statement, kind: self.kind }
    }
}

/// A message, understood.
pub(super) struct Task {
    pub(super) order: Order,
    /// Whose worker does it.
    pub(super) stage: WorkerMode,
    pub(super) form: Form,
    pub(super) proof: ProofKey,
    /// Whether the statement is one that takes its time.
    pub(super) is_large: bool,
    program: Program,
}

/// What makes provers interchangeable.
pub(super) fn release(development: bool) -> Release {
    let keys = Program::ALL.map(|program| programs::artifact(program).vk_hash);
    let development = [u8::from(development)];
    let others = [CIRCUIT_VERSION.as_bytes(), &development[..]];
    Release::of(&[&[VERSION][..], &keys.each_ref().map(|key| &key[..]), &others].concat())
}

/// The queues that a prover of `stages` takes from. What is nearly done comes first.
pub(super) fn lines(stages: &[WorkerMode], lanes: &[Lane], release: &Release) -> Vec<Line> {
    let later_first =
        stages.iter().rev().flat_map(|mode| Form::of(*mode).iter().map(|form| parts::stage(*mode, *form)));
    let line = |(lane, stage)| Line { stage, release: release.clone(), lane };
    lanes.iter().flat_map(|lane| later_first.clone().map(move |stage| (*lane, stage))).map(line).collect()
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
    let id = StageId::whole(order.proof().job(), generation, parts::stage(mode, Form::Whole));
    let work = fleet::Work::new(bytes, store).await?;
    let asked_ms = unix_ms();
    Ok(StageMessage { asked_ms, ..StageMessage::new(id, release.clone(), lane, work) })
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
        let is_large = bytes.len() > SMALL;
        let order: Order =
            wire::from_bytes("order", bytes, MAX_WORKER_FRAME).map_err(|error| error.to_string())?;
        let known = |program: &Program| programs::artifact(*program).vk_hash == order.vk_hash;
        let program = Program::ALL.into_iter().find(known).ok_or("it is of an unknown program")?;
        let proof = order.proof();
        let mut named = WorkerMode::stages(order.kind)
            .iter()
            .flat_map(|mode| Form::of(*mode).iter().map(|form| (*mode, *form)));
        let Some((stage, form)) = named.find(|(mode, form)| parts::stage(*mode, *form) == message.id.stage)
        else {
            return Err(format!("the stage {} makes no {} proof", message.id.stage, order.kind));
        };
        if proof.job() != message.id.job {
            return Err("it is of another job than its name says".into());
        }
        let task = Self { order, stage, form, proof, is_large, program };
        match form == Form::Whole || task.span(&message.id).is_some() {
            true => Ok(task),
            false => Err(format!("its proof has no part {}", message.id.part)),
        }
    }

    /// The place of the part that it is about; `None` of a whole stage.
    pub(super) fn span(&self, id: &StageId) -> Option<Span> {
        self.order.parts.as_ref()?.span(self.form, &id.part)
    }

    /// How its parts are put together, where it is about some.
    pub(super) fn tree(&self) -> Option<Tree> {
        Some(Tree::of(self.stage, self.order.parts.as_ref()?.names.len()))
    }

    /// Whether it makes what the stage makes, and not a part of it.
    pub(super) fn is_of_all(&self, id: &StageId) -> bool {
        self.form == Form::Whole || self.tree().map(Tree::root) == self.span(id)
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
        let order = Order { request: None, parts: None, ..self.order.clone() };
        let work = fleet::Work { inline: wire::to_bytes(&order).into(), stored: None };
        let id = StageId { stage: parts::stage(*mode, Form::Whole), part: Part::WHOLE, ..message.id.clone() };
        Some(follow(message, id, work, vec![object]))
    }

    /// The messages of all shards of what `planned` says, which lies in `plan`.
    ///
    /// # Errors
    /// Those of the store, and a plan that names parts as nobody does.
    pub(super) async fn shards(
        &self,
        message: &StageMessage,
        (plan, planned): (ObjectRef, Planned),
        store: &dyn Store,
    ) -> Result<Vec<StageMessage>, FleetError> {
        let parts = Parts { plan, names: planned.parts };
        let order = Order { parts: Some(parts.clone()), ..self.order.clone() };
        let work = fleet::Work::new(wire::to_bytes(&order).into(), store).await?;
        let stage = parts::stage(self.stage, Form::Shard);
        let message = |name: &String| {
            let id = StageId { stage: stage.clone(), part: name.parse()?, ..message.id.clone() };
            Ok(follow(message, id, work.clone(), Vec::new()))
        };
        parts.names.iter().map(message).collect()
    }

    /// The name of a part of the same try at the same proof.
    pub(super) fn part(&self, id: &StageId, span: Span) -> Option<StageId> {
        let (form, part) = self.order.parts.as_ref()?.name(span)?;
        Some(StageId { stage: parts::stage(self.stage, form), part, ..id.clone() })
    }

    /// Where the plan of what it makes lies.
    pub(super) fn plan_name(&self, id: &StageId) -> ObjectName {
        ObjectName::part(&StageId { part: PLAN, ..id.clone() })
    }

    /// Where what it makes lies.
    pub(super) fn name(&self, id: &StageId) -> ObjectName {
        match self.is_of_all(id) {
            true => output_name(&self.proof, self.stage, id),
            false => ObjectName::part(id),
        }
    }
}

/// The lane of what comes of a message: one that was too large for an ordinary prover is not so in every stage.
pub(super) fn lane_after(message: &StageMessage) -> Lane {
    if message.lane == Lane::Xl { Lane::Hi } else { message.lane }
}

/// The message `id`, which comes of another one of the same job.
pub(super) fn follow(
    message: &StageMessage,
    id: StageId,
    work: fleet::Work,
    before: Vec<ObjectRef>,
) -> StageMessage {
    let (deadline_ms, tenant) = (message.deadline_ms, message.tenant.clone());
    let (traceparent, unattended) = (message.traceparent.clone(), message.unattended);
    let next = StageMessage::new(id, message.release.clone(), lane_after(message), work);
    let asked_ms = unix_ms();
    StageMessage { before, deadline_ms, tenant, traceparent, unattended, asked_ms, ..next }
}

/// The name of the compressed proof on the way to `proof`.
pub(super) fn compressed(proof: &ProofKey) -> ObjectName {
    ObjectName::proof(&ProofKey { kind: ProofKind::Compressed, ..*proof }.job())
}

/// Where lies what `stage` makes on the way to `proof`: a proof under its own name, whatever it is wanted for, so that
/// whoever wants it next finds it.
fn output_name(proof: &ProofKey, stage: WorkerMode, id: &StageId) -> ObjectName {
    match stage.makes() {
        Some(kind) if stage != WorkerMode::Wrap => ObjectName::proof(&ProofKey { kind, ..*proof }.job()),
        _ => ObjectName::part(id),
    }
}
