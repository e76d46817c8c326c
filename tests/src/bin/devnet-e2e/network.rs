//! The network of `tests/devnet` as a process.

use std::{process::Stdio, time::Duration};

use serde::Deserialize;
use sextant_tests::server::{children, send_signal};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    time::timeout,
};

use super::{Result, SIGTERM};

/// From its start to its line: 160 blocks are made before.
const READY_LIMIT: Duration = Duration::from_secs(180);
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// As many as it allows, so that a slow machine proves enough before the chain has caught up and slows down.
const PERIODS_BEHIND: &str = "11";

/// A running network. Nobody needs to kill it: it ends in order when this process is gone.
pub struct Network {
    child: Child,
    /// Where it is.
    pub ready: Ready,
}

/// The line that it prints when it is ready.
#[derive(Clone, Debug, Deserialize)]
pub struct Ready {
    /// URL of the beacon API.
    pub beacon: String,
    /// URL of the execution JSON-RPC.
    pub rpc: String,
    /// Root of its first finalized block, hex.
    pub checkpoint: String,
    /// Sextant's digest of the chain, hex.
    pub chain_digest: String,
    /// The contract, hex.
    pub address: String,
    /// The slot of it that transactions write, hex.
    pub slot: String,
}

impl Network {
    /// Starts it with more arguments, and waits until it is ready. Its packages must be there: `tests/devnet/setup.sh`.
    pub async fn start(arguments: &[&str]) -> Result<Self> {
        let mut child = Command::new("node")
            .arg(sextant_fixtures::repository().join("tests/devnet/devnet.js"))
            .args(["--periods-behind", PERIODS_BEHIND])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("node: {error}"))?;
        let output = child.stdout.take().ok_or("no output")?;
        let line = timeout(READY_LIMIT, BufReader::new(output).lines().next_line()).await;
        let line = line.map_err(|_| "the network does not get ready")??.ok_or("the network ended")?;
        Ok(Self { child, ready: serde_json::from_str(&line)? })
    }

    /// The processes that it started.
    pub fn processes(&self) -> Vec<i32> {
        self.child.id().map(children).unwrap_or_default()
    }

    /// Ends it in order, and returns its exit code.
    pub async fn stop(mut self) -> Result<Option<i32>> {
        if let Some(pid) = self.child.id() {
            send_signal(pid as i32, SIGTERM);
        }
        let status =
            timeout(STOP_LIMIT, self.child.wait()).await.map_err(|_| "the network does not end")??;
        Ok(status.code())
    }
}
