//! A worker: one stage after the other, until it is killed or whoever started it is gone.

use std::time::Duration;

use bytes::Bytes;
use sextant_fleet::{
    FleetError, Lease, ObjectName, Part, Queue, StageMessage, Store, Worker, nats::NatsFleet,
};
use tokio::io::AsyncReadExt;

use crate::fake;

/// `worker URL NAME STAGE-MS`.
pub async fn work(arguments: &[String]) -> Result<(), String> {
    let [url, name, stage_ms] = arguments else { return Err("worker URL NAME STAGE-MS".into()) };
    let name: Worker = name.parse().map_err(|error: FleetError| error.to_string())?;
    let stage_ms: u64 = stage_ms.parse().map_err(|_| format!("{stage_ms:?} is no number"))?;
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
            lease = fleet.queue().take(&lines, &name) => lease.map_err(|error| error.to_string())?,
            _ = orphaned.read(&mut nothing) => return Ok(()),
        };
        if let Err(error) = stage(&fleet, lease, stage_ms).await {
            eprintln!("{name}: {error}");
        }
    }
}

async fn stage(fleet: &NatsFleet, lease: Lease, stage_ms: u64) -> Result<(), FleetError> {
    let message = lease.message().clone();
    let object = match lease.found().await? {
        // Made by one who died before going on.
        Some(made) => made.object,
        None => {
            println!("begun {}", message.name());
            let mut before = Vec::new();
            for object in &message.before {
                let bytes = fleet.store().get(object).await?;
                before.push(bytes.ok_or_else(|| FleetError::Damaged {
                    what: object.name.to_string(),
                    reason: "it is gone".into(),
                })?);
            }
            tokio::time::sleep(Duration::from_millis(fastrand::u64(stage_ms / 2..stage_ms * 3 / 2))).await;
            let name = match message.id.stage == fake::WRAP {
                true => ObjectName::proof(&message.id.job),
                false => ObjectName::part(&message.id),
            };
            let object = fleet.store().put(&name, fake::made(&message, &before)).await?;
            lease.made(object.clone(), Bytes::new()).await?.object
        }
    };
    let id = &message.id;
    let next = |stage, part, before| fake::message(id.job, id.generation, stage, part, before);
    let next: Vec<StageMessage> = match id.stage.as_str() {
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
        _ => return lease.finish(object, Bytes::new()).await,
    };
    lease.advance(&next).await
}
