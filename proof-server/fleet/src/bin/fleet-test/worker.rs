//! A worker: one stage after the other, until it is killed or whoever started it is gone.

use std::time::Duration;

use bytes::Bytes;
use sextant_fleet::{
    FleetError, Lease, ObjectName, ObjectRef, Outcome, Part, Queue, StageMessage, Store, Worker,
    nats::NatsFleet,
};
use tokio::io::AsyncReadExt;

use crate::fake;

/// What a worker is told.
struct Orders {
    name: Worker,
    stage_ms: u64,
    /// Whoever has a message first dies at the point that its job says.
    die: bool,
}

/// `worker URL NAME STAGE-MS DIE`.
pub async fn work(arguments: &[String]) -> Result<(), String> {
    let [url, name, stage_ms, die] = arguments else { return Err("worker URL NAME STAGE-MS DIE".into()) };
    let orders = Orders {
        name: name.parse().map_err(|error: FleetError| error.to_string())?,
        stage_ms: stage_ms.parse().map_err(|_| format!("{stage_ms:?} is no number"))?,
        die: die == "true",
    };
    let fleet = loop {
        match fake::connect(url).await {
            Ok(fleet) => break fleet,
            // The broker may be restarting.
            Err(_) => tokio::time::sleep(Duration::from_millis(300)).await,
        }
    };
    // Later stages first: what is nearly done is finished.
    let lines = [fake::WRAP, fake::FOLD, fake::SHARD, fake::CORE].map(fake::line);
    let mut orphaned = tokio::io::stdin();
    let mut nothing = [0];
    loop {
        let lease = tokio::select! {
            lease = fleet.queue().take(&lines, &orders.name) => lease.map_err(|error| error.to_string())?,
            _ = orphaned.read(&mut nothing) => return Ok(()),
        };
        if let Err(error) = stage(&fleet, lease, &orders).await {
            eprintln!("{name}: {error}");
        }
    }
}

async fn stage(fleet: &NatsFleet, lease: Lease, orders: &Orders) -> Result<(), FleetError> {
    let message = lease.message().clone();
    let first = orders.die && lease.delivery() == 1;
    let pass = |point: u8| {
        if first && fake::point(&message.id.job) == point {
            // As kill -9: nothing is said any more, and nothing tidied up.
            std::process::abort();
        }
    };
    let object = match lease.found().await? {
        // Made by one who died before going on.
        Some(made) => made.object,
        None => {
            let object = object(fleet, &message, orders, &pass).await?;
            pass(1);
            lease.made(object, Bytes::new()).await?.object
        }
    };
    pass(2);
    let next = next(fleet, &message, object.clone()).await?;
    if first && fake::point(&message.id.job) == 3 {
        for message in &next {
            fleet.queue().submit(message).await?;
        }
        if next.is_empty() && message.id.stage == fake::WRAP {
            let (job, generation) = (message.id.job, message.id.generation);
            let worker = orders.name.clone();
            fleet
                .queue()
                .finish(&Outcome { job, generation, result: Ok(object), worker, facts: Bytes::new() })
                .await?;
        }
        std::process::abort();
    }
    match message.id.stage == fake::WRAP {
        true => lease.finish(object, Bytes::new()).await,
        false => lease.advance(&next).await,
    }
}

/// What the stage makes, unless it lies there: one who died before noting it has left it.
async fn object(
    fleet: &NatsFleet,
    message: &StageMessage,
    orders: &Orders,
    pass: &impl Fn(u8),
) -> Result<ObjectRef, FleetError> {
    let name = match message.id.stage == fake::WRAP {
        true => ObjectName::proof(&message.id.job),
        false => ObjectName::part(&message.id),
    };
    if let Some(object) = fleet.store().find(&name).await? {
        return Ok(object);
    }
    println!("begun {}", message.name());
    let mut before = Vec::new();
    for object in &message.before {
        let gone = || FleetError::Damaged { what: object.name.to_string(), reason: "it is gone".into() };
        before.push(fleet.store().get(object).await?.ok_or_else(gone)?);
    }
    let takes = orders.stage_ms / 2..orders.stage_ms * 3 / 2;
    tokio::time::sleep(Duration::from_millis(fastrand::u64(takes))).await;
    pass(0);
    fleet.store().put(&name, fake::made(message, &before)).await
}

/// What comes after a stage.
async fn next(
    fleet: &NatsFleet,
    message: &StageMessage,
    object: ObjectRef,
) -> Result<Vec<StageMessage>, FleetError> {
    let id = &message.id;
    let next = |stage, part, before| fake::message(id.job, id.generation, stage, part, before);
    Ok(match id.stage.as_str() {
        "core" => fake::SHARDS.clone().map(|part| next(fake::SHARD, part, vec![object.clone()])).into(),
        "shard" => {
            let parts = fleet.queue().parts(id.job, id.generation, &fake::SHARD).await?;
            // Whoever sees all of them goes on; two who do say the same.
            match parts.len() == fake::SHARDS.len() {
                true => {
                    let before = parts.into_iter().map(|(_, made)| made.object).collect();
                    vec![next(fake::FOLD, Part::WHOLE, before)]
                }
                false => Vec::new(),
            }
        }
        "fold" => vec![next(fake::WRAP, Part::WHOLE, vec![object])],
        _ => Vec::new(),
    })
}
