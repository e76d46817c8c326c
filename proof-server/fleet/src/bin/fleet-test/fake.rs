//! What is proven here: nothing, but so that a wrong way shows. Each stage hashes what the stages before it made.

use std::time::Duration;

use bytes::Bytes;
use sextant_fleet::{
    FleetError, Lane, Line, ObjectRef, Part, Queue, QueueLimits, Release, Stage, StageId, StageMessage,
    StoreLimits, Work,
    nats::{NatsConfig, NatsFleet},
};
use sextant_protocol::JobKey;
use sha2::{Digest, Sha256};

pub const CORE: Stage = Stage::literal("core");
pub const SHARD: Stage = Stage::literal("shard");
pub const FOLD: Stage = Stage::literal("fold");
pub const WRAP: Stage = Stage::literal("wrap");
const RELEASE: Release = Release::literal("fa4efa4efa4e");

pub static SHARDS: [Part; 2] = [Part::literal("s-1"), Part::literal("s-2")];
/// Stages of one job.
pub const STAGES: u64 = 5;

pub async fn connect(url: &str) -> Result<NatsFleet, String> {
    let config = NatsConfig {
        store: StoreLimits::of(4 << 30),
        // Death is noticed soon: stages are short here.
        lease: Duration::from_secs(5),
        accept_old: true,
        queue: QueueLimits { patience: Duration::from_secs(60), ..QueueLimits::default() },
        ..NatsConfig::new(url)
    };
    NatsFleet::connect(config).await.map_err(|error| error.to_string())
}

pub fn job(number: u32) -> JobKey {
    JobKey(Sha256::digest(number.to_be_bytes()).into())
}

/// Where a worker dies that has a message of this job first, if it is told to: 0 before there is an object, 1 after it, 2
/// after it is noted, 3 after what comes next.
pub fn point(job: &JobKey) -> u8 {
    job.0[0] % 4
}

pub fn line(stage: Stage) -> Line {
    Line { stage, release: RELEASE, lane: Lane::Hi }
}

pub fn message(
    job: JobKey,
    generation: u32,
    stage: Stage,
    part: Part,
    before: Vec<ObjectRef>,
) -> StageMessage {
    let id = StageId { job, generation, stage, part };
    StageMessage { before, ..StageMessage::new(id, RELEASE, Lane::Hi, Work::default()) }
}

/// What a stage makes of what it is given.
pub fn made(message: &StageMessage, before: &[Bytes]) -> Bytes {
    let id = &message.id;
    let mut hash =
        Sha256::new().chain_update(id.job.0).chain_update(id.stage.as_str()).chain_update(id.part.as_str());
    for bytes in before {
        hash.update(bytes);
    }
    Bytes::copy_from_slice(&hash.finalize())
}

/// What the proof of a job must be.
pub fn expected(job: JobKey) -> Bytes {
    let step = |stage, part, before: &[Bytes]| made(&message(job, 0, stage, part, Vec::new()), before);
    let core = step(CORE, Part::WHOLE, &[]);
    let shards = SHARDS.clone().map(|part| step(SHARD, part, std::slice::from_ref(&core)));
    let fold = step(FOLD, Part::WHOLE, &shards);
    step(WRAP, Part::WHOLE, &[fold])
}

/// Messages in all lines, and dead letters; leases that ran out a moment ago are given the time to be seen to.
pub async fn left(fleet: &NatsFleet) -> Result<u64, FleetError> {
    let mut left = 0;
    for _ in 0..10 {
        left = fleet.queue().dead().await?.len() as u64;
        for stage in [CORE, SHARD, FOLD, WRAP] {
            let depth = fleet.queue().depth(&line(stage)).await?;
            left += depth.waiting + depth.running;
        }
        if left == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    Ok(left)
}
