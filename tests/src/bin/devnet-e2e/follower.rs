//! `sextant follow` and `sextant status` as processes.

use std::{
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use sextant_client::follow::{ProofEntry, Status};
use sextant_tests::server::{binary, send_signal};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    time::timeout,
};

use super::{Result, SIGTERM, network::Ready};

/// Longest silence: a proof takes less than a minute, and others may use the machine.
const SILENCE: Duration = Duration::from_secs(10 * 60);
const STOP_LIMIT: Duration = Duration::from_secs(20);

/// A running `sextant follow --json`; killed when dropped.
pub struct Follower {
    child: Child,
    events: Lines<BufReader<ChildStdout>>,
}

impl Follower {
    /// Follows with its state in `folder`; `what` says what it keeps proven.
    pub fn start(ready: &Ready, server: &str, folder: &Path, what: &[&str]) -> Result<Self> {
        let mut child = Command::new(binary("sextant"))
            .args(["follow", "--json", "--poll", "1", "--server", server])
            // The chain catches up with its clock: its heads are days old.
            .args(["--max-head-age", "0"])
            .args(["--beacon", &ready.beacon, "--rpc", &ready.rpc])
            .args(["--chain-digest", &ready.chain_digest, "--checkpoint", &ready.checkpoint])
            .args(what)
            .arg("--state")
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        Ok(Self { child, events: BufReader::new(output).lines() })
    }

    /// The next event.
    pub async fn next(&mut self) -> Result<Value> {
        let line = timeout(SILENCE, self.events.next_line()).await;
        let line = line.map_err(|_| "the follower says nothing any more")??;
        Ok(serde_json::from_str(&line.ok_or("the follower ended")?)?)
    }

    /// SIGKILL.
    pub async fn kill(mut self) -> Result<()> {
        Ok(self.child.kill().await?)
    }

    /// SIGTERM; returns the events until its end, which must be in order.
    pub async fn stop(mut self) -> Result<Vec<Value>> {
        send_signal(self.child.id().ok_or("the follower ended")? as i32, SIGTERM);
        let mut events = Vec::new();
        while let Some(line) = timeout(STOP_LIMIT, self.events.next_line()).await?? {
            events.push(serde_json::from_str(&line)?);
        }
        let status = self.child.wait().await?;
        if !status.success() || events.last().is_none_or(|event: &Value| event["event"] != "stopped") {
            return Err(format!("the follower did not stop in order: {status}, {events:?}").into());
        }
        Ok(events)
    }
}

/// The proof that an event tells of.
pub fn proof(event: &Value) -> Result<Option<ProofEntry>> {
    match event["event"] == "proof" {
        true => Ok(Some(serde_json::from_value(event.clone())?)),
        false => Ok(None),
    }
}

/// An event for people: its name and its short fields.
pub fn line(event: &Value) -> String {
    let fields = event.as_object().into_iter().flatten();
    let short = fields
        .filter(|(name, _)| !["event", "time", "public_values", "finalized_root"].contains(&name.as_str()));
    let short: Vec<_> =
        short.map(|(name, value)| format!("{name} {}", value.to_string().replace('"', ""))).collect();
    format!("follow: {}: {}", event["event"].as_str().unwrap_or("?"), short.join(", "))
}

/// `sextant status --json`.
pub fn status(folder: &Path) -> Result<Status> {
    Ok(serde_json::from_slice(&run_status(folder, &["--json"])?.stdout)?)
}

/// `sextant status`.
pub fn status_table(folder: &Path) -> Result<String> {
    Ok(String::from_utf8(run_status(folder, &[])?.stdout)?)
}

fn run_status(folder: &Path, arguments: &[&str]) -> Result<Output> {
    let mut command = std::process::Command::new(binary("sextant"));
    let output = command.arg("status").arg("--state").arg(folder).args(arguments).output()?;
    match output.status.success() {
        true => Ok(output),
        false => Err(format!("sextant status: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}
