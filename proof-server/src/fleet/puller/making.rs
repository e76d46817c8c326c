//! What a prover makes: looked for, made by its worker, and put into the store.

use std::time::{Duration, Instant};

use bytes::Bytes;
use sextant_fleet::{FleetError, Lease, Line, ObjectName, ObjectRef, StageMessage};
use sextant_protocol::{ErrorCode, Progress, ServerError, wire};

use super::{Puller, Unmade};
use crate::{
    fleet::{
        order::{self, Task},
        parts::{self, FEWEST, Form},
    },
    worker::{
        MadePart, Planned, Proved, WorkerEvent, WorkerRequest,
        crew::Crew,
        messages::MAX_WORKER_FRAME,
        output,
        station::{Cause, Failed},
    },
};

/// How long what was made waits for room in the store, and how often it is looked for.
const FOR_ROOM: Duration = Duration::from_secs(120);
const FOR_ROOM_EVERY: Duration = Duration::from_secs(1);

/// What came of a message.
pub(super) enum Made {
    /// What it asks for.
    Object(ObjectRef),
    /// Messages for the parts of it.
    Split(Vec<StageMessage>),
}

impl Puller {
    /// What the message asks for: what lies there, or else made now and put there, or parted among those who are there.
    pub(super) async fn made(&self, lease: &Lease, task: &Task, crew: &mut Crew) -> Result<Made, Unmade> {
        let (store, name) = (&self.fleet.store, task.name(&lease.message().id));
        if let Some(bytes) = store.read(&name).await? {
            match self.is_made(lease, task, &bytes) {
                Ok(()) => return Ok(Made::Object(ObjectRef::to(name, &bytes))),
                Err(reason) => {
                    tracing::warn!(%name, reason, "what lies there is not that; it is made again");
                    store.remove(&name).await?;
                }
            }
        }
        if let Some(shards) = self.split(lease, task, crew).await? {
            return Ok(Made::Split(shards));
        }
        let request = self.request(lease, task).await?;
        let event = self.ask(lease, task, crew, &request).await?;
        let bytes = match event {
            WorkerEvent::Proved(made)
                if task.is_of_all(&lease.message().id) && output::is_of(&task.proof, task.stage, &made) =>
            {
                output::encode(task.stage, &made, Some(&self.name))
            }
            WorkerEvent::Part(part) if !task.is_of_all(&lease.message().id) => wire::to_bytes(&*part).into(),
            _ => return Err(Unmade::Failed(not_asked_for())),
        };
        Ok(Made::Object(self.keep(lease, &name, bytes).await?))
    }

    /// Whether `bytes` are what the message asks for; of a part, whoever goes on with it finds whether it holds.
    fn is_made(&self, lease: &Lease, task: &Task, bytes: &Bytes) -> Result<(), String> {
        match task.is_of_all(&lease.message().id) {
            true => output::decode(&task.proof, task.stage, bytes.clone()).map(drop),
            false => part_of(bytes.clone()).map(drop),
        }
    }

    /// Has the worker do one thing, until nobody wants it any more.
    async fn ask(
        &self,
        lease: &Lease,
        task: &Task,
        crew: &mut Crew,
        request: &WorkerRequest,
    ) -> Result<WorkerEvent, Unmade> {
        // The steps of one of several would say nothing about all.
        let steps = |step| {
            if task.form == Form::Whole {
                lease.progress(step)
            }
        };
        let job = (task.proof.job().0, task.work());
        tokio::select! {
            event = self.station.work(crew, task.stage, request, job, &steps) => event.map_err(Unmade::Failed),
            _ = lease.over() => Err(Unmade::Over),
        }
    }

    /// The messages for the parts of a large proof, where others are there to make them.
    async fn split(
        &self,
        lease: &Lease,
        task: &Task,
        crew: &mut Crew,
    ) -> Result<Option<Vec<StageMessage>>, Unmade> {
        let message = lease.message();
        let Some(WorkerRequest::Prove(job)) = &task.order.request else { return Ok(None) };
        // Proofs that a guest verifies are folded in where all of it is proven.
        let parted = task.is_large && job.proofs.is_empty();
        if task.form != Form::Whole || !parted || !self.has_company(message, task).await? {
            return Ok(None);
        }
        let name = task.plan_name(&message.id);
        let object = match self.fleet.store.find(&name).await? {
            // One plan holds for all, whoever made it.
            Some(object) => object,
            None => {
                let event = self.ask(lease, task, crew, &WorkerRequest::Plan(job.clone())).await?;
                let WorkerEvent::Planned(planned) = event else {
                    return Err(Unmade::Failed(not_asked_for()));
                };
                if planned.parts.len() < FEWEST {
                    return Ok(None);
                }
                self.keep(lease, &name, wire::to_bytes(&planned).into()).await?
            }
        };
        let gone = || Unmade::Gone("its plan is gone".into());
        let bytes = self.fleet.store.get(&object).await?.ok_or_else(gone)?;
        let planned: Planned = match wire::from_bytes("plan", bytes, MAX_WORKER_FRAME) {
            Ok(planned) => planned,
            Err(error) => {
                self.fleet.store.remove(&name).await?;
                return Err(Unmade::Gone(error.to_string()));
            }
        };
        tracing::info!(name = message.name(), parts = planned.parts.len(), "made in parts");
        Ok(Some(task.shards(message, (object, planned), &*self.fleet.store).await?))
    }

    /// Whether another prover is there for parts of what `task` makes.
    async fn has_company(&self, message: &StageMessage, task: &Task) -> Result<bool, FleetError> {
        let (stage, release) = (parts::stage(task.stage, Form::Shard), self.release.clone());
        let shards = Line { stage, release, lane: order::lane_after(message) };
        let present = self.fleet.queue.workers().await?;
        Ok(present.iter().any(|other| other.worker != self.name && other.lines.contains(&shards)))
    }

    /// What can be put together now that one more part is there: whoever noted the last one of several sees all of them.
    pub(super) async fn after_part(
        &self,
        lease: &Lease,
        task: &Task,
    ) -> Result<Vec<StageMessage>, FleetError> {
        let message = lease.message();
        let id = &message.id;
        let (Some(span), Some(tree), Some(parts)) = (task.span(id), task.tree(), &task.order.parts) else {
            return Ok(Vec::new());
        };
        let queue = &self.fleet.queue;
        let noted = async |form| {
            let stage = parts::stage(task.stage, form);
            queue.parts(id.job, id.generation, &stage).await
        };
        let (shards, folds) = (noted(Form::Shard).await?, noted(Form::Fold).await?);
        let proven = u32::try_from(shards.len()).unwrap_or(u32::MAX);
        lease.progress(Progress::Proving {
            done: proven,
            total: parts.names.len().try_into().unwrap_or(u32::MAX),
        });
        let Some(parent) = tree.parent(span) else { return Ok(Vec::new()) };
        let made = |child| {
            let (form, name) = parts.name(child)?;
            let noted = if form == Form::Shard { &shards } else { &folds };
            let (_, made) = noted.iter().find(|(part, _)| *part == name)?;
            Some(made.object.clone())
        };
        let Some(before) = tree.children(parent).into_iter().map(made).collect::<Option<Vec<_>>>() else {
            return Ok(Vec::new());
        };
        let fold = task.part(id, parent);
        Ok(fold.map(|id| order::follow(message, id, message.work.clone(), before)).into_iter().collect())
    }

    /// Puts what was made into the store. Where that has no room, it is kept in hand: to make it again would cost more.
    async fn keep(&self, lease: &Lease, name: &ObjectName, bytes: Bytes) -> Result<ObjectRef, Unmade> {
        let began = Instant::now();
        loop {
            match self.fleet.store.put(name, bytes.clone()).await {
                Err(error @ FleetError::Full(_)) if began.elapsed() < FOR_ROOM => {
                    tracing::warn!(%name, %error, "what was made is kept in hand");
                    tokio::select! {
                        () = tokio::time::sleep(FOR_ROOM_EVERY) => {}
                        _ = lease.over() => return Err(Unmade::Over),
                    }
                }
                put => return Ok(put?),
            }
        }
    }

    /// What the worker is asked.
    async fn request(&self, lease: &Lease, task: &Task) -> Result<WorkerRequest, Unmade> {
        match (&task.order.request, &task.order.parts) {
            (Some(WorkerRequest::Prove(job)), Some(parts)) => {
                let plan = self.got(&parts.plan).await?;
                let planned: Planned = wire::from_bytes("plan", plan, MAX_WORKER_FRAME)
                    .map_err(|error| Unmade::Gone(error.to_string()))?;
                let (job, plan) = (job.clone(), planned.plan);
                if task.form == Form::Shard {
                    return Ok(WorkerRequest::Part { job, plan, name: lease.message().id.part.to_string() });
                }
                let mut parts = Vec::new();
                for object in &lease.message().before {
                    parts.push(part_of(self.got(object).await?).map_err(Unmade::Gone)?);
                }
                Ok(WorkerRequest::Fold { job, plan, parts })
            }
            (Some(request), _) => Ok(request.clone()),
            (None, _) => {
                let gone = |reason: &str| Unmade::Gone(reason.into());
                let stage = task.before().ok_or_else(|| gone("nothing comes before it"))?;
                let [object] = &lease.message().before[..] else { return Err(gone("it names nothing")) };
                let made: Proved =
                    output::decode(&task.proof, stage, self.got(object).await?).map_err(Unmade::False)?;
                Ok(WorkerRequest::Continue(made.into()))
            }
        }
    }

    /// What an earlier stage has left.
    async fn got(&self, object: &ObjectRef) -> Result<Bytes, Unmade> {
        let bytes = self.fleet.store.get(object).await?;
        bytes.ok_or_else(|| Unmade::Gone(format!("{} is gone, or damaged", object.name)))
    }
}

/// The part in what lies in the store.
fn part_of(bytes: Bytes) -> Result<MadePart, String> {
    wire::from_bytes("part of a proof", bytes, MAX_WORKER_FRAME).map_err(|error| error.to_string())
}

fn not_asked_for() -> Failed {
    let error = ServerError::new(ErrorCode::Internal, "the worker made something else than was asked for");
    Failed { error, cause: Cause::Said }
}
