//! A follower in a process of its own: this test binary with one of its tests.

use std::{
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::Value;
use sextant_consensus::codec;
use sextant_follow::{Config, Event};
use sextant_protocol::ProofKind;
use sextant_sources::Expected;

use crate::{
    anvil::submitter_to,
    common::{self, Checking, open},
    disk::Disk,
};

const CHILD: &str = "process::follows_until_it_is_told_to_stop";

/// Whether this process is such a follower.
pub fn is_child() -> bool {
    std::env::args().any(|argument| argument == CHILD)
}

/// By itself it does nothing. As a child it follows as it is ordered to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn follows_until_it_is_told_to_stop() {
    if !is_child() {
        return;
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).unwrap();
    let order: Value = serde_json::from_str(&text).unwrap();
    let text = |name: &str| order[name].as_str().unwrap().to_owned();
    let bytes = |name: &str| hex::decode(text(name)).unwrap();
    let config = Config {
        expected: Expected::Config(codec::decode(&bytes("chain")).unwrap()),
        kind: ProofKind::Groth16,
        watched: Vec::new(),
        max_handovers: 1,
        look_at_chain: Duration::from_secs(1),
        poll: Duration::from_millis(200),
        max_backoff: Duration::from_secs(1),
        ..common::config(Path::new(&text("folder")), [0; 32], bytes("checkpoint").try_into().unwrap())
    };
    let beacons = [text("beacon"), text("other_beacon")];
    let beacons = [&*beacons[0], &*beacons[1]];
    let follower = open(config, &beacons, &[], Checking::default()).await.unwrap();
    let submitter = submitter_to(&text("submit_rpc"), text("contract").parse().unwrap()).await;
    let tell = |event: Event| println!("EVENT {}", serde_json::to_string(&event).unwrap());
    follower.with_submission(Box::new(submitter)).run(tell, std::future::pending()).await.unwrap();
}

/// What followers told, one process after the other.
#[derive(Clone, Default)]
pub struct Told(Arc<Mutex<Vec<Value>>>);

impl Told {
    /// How often an event was told.
    pub fn count(&self, name: &str) -> usize {
        self.0.lock().unwrap().iter().filter(|event| event["event"] == name).count()
    }

    /// The troubles that were told after so many of them.
    pub fn troubles(&self, after: usize) -> Vec<String> {
        let told = self.0.lock().unwrap();
        let troubles = told.iter().filter(|event| event["event"] == "trouble").skip(after);
        troubles.map(|event| event["message"].as_str().unwrap().into()).collect()
    }
}

/// A follower that runs, until it is killed.
pub struct Process(Child);

impl Process {
    /// Starts it with its folder on a disk.
    pub fn start(disk: &Disk, order: &Value, told: &Told) -> Self {
        let mut child = disk
            .command(&std::env::current_exe().unwrap())
            .args(["--exact", CHILD, "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(order.to_string().as_bytes()).unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let told = told.clone();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some(event) = line.strip_prefix("EVENT ") {
                    told.0.lock().unwrap().push(serde_json::from_str(event).unwrap());
                }
            }
        });
        Self(child)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Whether it does.
    pub fn runs(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
