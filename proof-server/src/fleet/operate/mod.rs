//! `proof-server fleet`: an operator sees a fleet and steers it, by its queue and store alone. Whatever process of the
//! fleet is alive is not asked.

mod acts;
mod args;
mod error;
mod report;
mod table;

use std::{
    io::{IsTerminal, Write},
    path::Path,
    sync::Arc,
    time::Duration,
};

use args::Act;
pub use args::FleetArgs;
pub use error::OperateError;
use serde::Serialize;
use sextant_fleet::{
    Paused, QueueLimits, StoreLimits,
    local::{LocalQueue, LocalStore},
};

use super::{Fleet, connect, order};
use crate::config::FleetConfig;

/// Bytes that the store in a folder is taken to have room for. Nothing is put there.
const ROOM: u64 = u64::MAX / 8;
/// Has a terminal show what follows from its top left corner, and nothing else.
const CLEAR: &str = "\x1b[H\x1b[2J\x1b[3J";

/// Does what an operator asks, and prints what came of it.
///
/// # Errors
/// [`OperateError`] says what is wrong and what to do. With `--json` it is printed to standard output too, as
/// `{"error": CODE, "message": TEXT}`.
pub async fn run(args: FleetArgs) -> Result<(), OperateError> {
    let out = Out { json: args.json };
    let outcome = async { act(&reach(&args.place()?).await?, args.act, &out).await }.await;
    if let Err(error) = &outcome
        && out.json
    {
        let value = serde_json::json!({ "error": error.code(), "message": error.to_string() });
        out.write(&format!("{value}\n"))?;
    }
    outcome
}

/// The fleet at a broker, or in a folder.
async fn reach(place: &FleetConfig) -> Result<Fleet, OperateError> {
    if place.is_broker() {
        // The streams are made where a server starts, by whoever may. Without them nothing else would be answered.
        let fleet = connect(place, false).await?;
        fleet.queue.lines().await?;
        return Ok(fleet);
    }
    let folder = Path::new(&place.servers);
    // What is not there is not made by looking at it.
    let queue = folder.join("queue");
    if !queue.is_dir() {
        let reason = format!("{}: there is no queue", folder.display());
        return Err(sextant_fleet::FleetError::Refused { what: "the fleet's folder", reason }.into());
    }
    let queue = LocalQueue::open(&queue, QueueLimits::default())?;
    let store = LocalStore::open(&folder.join("store"), StoreLimits::of(ROOM))?;
    Ok(Fleet { queue: Arc::new(queue), store: Arc::new(store) })
}

async fn act(fleet: &Fleet, act: Act, out: &Out) -> Result<(), OperateError> {
    match act {
        Act::Status => out.one(&report::status(fleet).await?, table::status),
        Act::Jobs { state, most } => {
            let mut jobs = report::jobs(fleet, most).await?;
            jobs.retain(|job| state.is_none_or(|state| state == job.state));
            out.list(&jobs, table::jobs)
        }
        Act::Job { job } => {
            let key = acts::find(fleet, &job).await?;
            let found = report::job(fleet, key).await?;
            out.one(&found.ok_or_else(|| OperateError::NoJob(key.to_string()))?, table::job)
        }
        Act::Cancel { job, reason } => {
            let job = acts::find(fleet, &job).await?;
            out.one(&acts::cancel(fleet, job, &reason).await?, table::ended)
        }
        Act::Retry { job } => {
            let job = acts::find(fleet, &job).await?;
            out.list(&acts::retry(fleet, job).await?, table::put_back)
        }
        Act::Dead { stage } => {
            let letters = acts::dead(fleet, stage.as_deref()).await?;
            let rows: Vec<_> = letters.iter().map(report::dead_row).collect();
            out.list(&rows, table::dead)
        }
        Act::Requeue { stage: None, all: false } => {
            Err(OperateError::Unsaid("say which dead letters are put back: those of a --stage, or --all"))
        }
        Act::Requeue { stage, .. } => {
            out.list(&acts::requeue(fleet, stage.as_deref()).await?, table::put_back)
        }
        Act::Workers => out.list(&report::workers(fleet).await?, table::workers),
        Act::Pause { stage, worker, minutes } => {
            let of = acts::paused(stage.as_deref(), worker.as_deref())?;
            acts::pause(fleet, of.clone(), minutes).await?;
            out.one(&change(&of, "paused"), |_| format!("{of} takes nothing; what is in hand is finished\n"))
        }
        Act::Resume { stage, worker } => {
            let of = acts::paused(stage.as_deref(), worker.as_deref())?;
            acts::resume(fleet, &of).await?;
            out.one(&change(&of, "resumed"), |_| format!("{of} goes on\n"))
        }
        Act::Releases => {
            let own = [order::release(false).to_string(), order::release(true).to_string()];
            out.list(&report::releases(fleet, own).await?, table::releases)
        }
        Act::Gc { minutes, dry_run } => {
            let age = Duration::from_secs(minutes.saturating_mul(60));
            out.one(&acts::collect(fleet, age, dry_run).await?, table::collected)
        }
        Act::Top { every } => top(fleet, Duration::from_secs(every), out).await,
    }
}

/// A pause that began or ended.
fn change(of: &Paused, became: &'static str) -> serde_json::Value {
    match of {
        Paused::Stage(stage) => serde_json::json!({ "stage": stage.as_str(), became: true }),
        Paused::Worker(worker) => serde_json::json!({ "worker": worker.as_str(), became: true }),
    }
}

/// Status and workers, until interrupted.
async fn top(fleet: &Fleet, every: Duration, out: &Out) -> Result<(), OperateError> {
    let live = std::io::stdout().is_terminal();
    if !live {
        return out.write(&look(fleet, out.json).await?);
    }
    loop {
        let seen = match look(fleet, out.json).await {
            // It may be there again at the next look.
            Err(OperateError::Fleet { error }) if error.passes() => format!("{error}\n"),
            seen => seen?,
        };
        out.write(&if out.json { seen } else { format!("{CLEAR}{seen}") })?;
        tokio::time::sleep(every).await;
    }
}

/// One look of [`top`].
async fn look(fleet: &Fleet, json: bool) -> Result<String, OperateError> {
    let (status, workers) = (report::status(fleet).await?, report::workers(fleet).await?);
    Ok(match json {
        true => line(&serde_json::json!({ "status": status, "workers": workers })),
        false => format!("{}\n{}", table::status(&status), table::workers(&workers)),
    })
}

/// Where what came of it is printed.
struct Out {
    json: bool,
}

impl Out {
    fn one<T: Serialize>(&self, value: &T, text: impl Fn(&T) -> String) -> Result<(), OperateError> {
        self.write(&if self.json { line(value) } else { text(value) })
    }

    fn list<T: Serialize>(&self, rows: &[T], text: impl Fn(&[T]) -> String) -> Result<(), OperateError> {
        self.write(&if self.json { rows.iter().map(line).collect() } else { text(rows) })
    }

    fn write(&self, text: &str) -> Result<(), OperateError> {
        match std::io::stdout().write_all(text.as_bytes()) {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            outcome => Ok(outcome?),
        }
    }
}

/// One value of JSON.
fn line(value: &impl Serialize) -> String {
    // Names and numbers always are JSON.
    serde_json::to_string(value).unwrap_or_default() + "\n"
}
