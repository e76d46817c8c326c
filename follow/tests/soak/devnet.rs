//! The local network of `tests/devnet`: real blocks by Lodestar's state transition, 512 seats, a period every 80 s until it
//! has caught up with the clock. Its fork is Fulu, an epoch after that.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use serde::Deserialize;
use serde_json::Value;
use sextant_consensus::chain::{ChainConfig, FAR_FUTURE_EPOCH};
use sextant_sources::{BeaconNodes, Expected, LightClient, SourceConfig};
use sextant_submit::Rules;
use sextant_test_nodes::{Ask, Reply};

use crate::{
    anvil::Beginning,
    network::{Network, before_its_fork},
};

const FULU: usize = 6;
const EPOCHS_PER_PERIOD: u64 = 256;
const SIGTERM: &str = "-TERM";

/// The network, in processes of its own that end with it.
pub struct Devnet {
    child: Child,
    beacon: String,
    chain: ChainConfig,
    beginning: Beginning,
    http: reqwest::Client,
    dated: AtomicBool,
}

/// The line that it prints when it is ready.
#[derive(Deserialize)]
struct Ready {
    beacon: String,
    checkpoint: String,
    chain_digest: String,
}

impl Devnet {
    /// Starts it with so many periods that the last of these changes is the first under the fork. Its packages must be there:
    /// `tests/devnet/setup.sh`.
    pub async fn start(changes: u64) -> Self {
        let behind = changes - 1;
        let mut child = Command::new("node")
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/devnet/devnet.js"))
            .args(["--periods-behind", &behind.to_string()])
            .args(["--fulu-epoch", &(behind * EPOCHS_PER_PERIOD + 2).to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Ready { beacon, checkpoint, chain_digest } = serde_json::from_str(&line).unwrap();
        let root = |text: &str| -> [u8; 32] { hex::decode(&text[2..]).unwrap().try_into().unwrap() };
        let nodes = BeaconNodes::new(vec![beacon.parse().unwrap()], SourceConfig::default()).unwrap();
        let chain = nodes.chain(&Expected::Digest(root(&chain_digest))).await.unwrap();
        let client = LightClient::start(nodes, chain.clone(), &root(&checkpoint)).await.unwrap();
        let (digest, next_fork) = before_its_fork(&chain.config, FULU);
        let beginning = Beginning {
            digest,
            next_fork,
            rules: Rules {
                genesis_time: chain.genesis_time,
                seconds_per_slot: chain.slot.as_secs(),
                max_age: 14 * 24 * 60 * 60,
                min_participation: 342,
            },
            slot: client.finalized().slot,
            root: root(&checkpoint),
            period: client.period(),
            committee_root: client.signers(client.period()).unwrap().committee.root(),
        };
        let (http, dated) = (reqwest::Client::new(), AtomicBool::new(false));
        Self { child, beacon, chain: chain.config, beginning, http, dated }
    }

    /// What its node answers.
    fn ask(&self, path: &str, query: &BTreeMap<String, String>, accept: &str) -> Reply {
        let asked = async {
            let request = self.http.get(format!("{}{path}", self.beacon)).query(query);
            let answer = request.header("accept", accept).send().await?;
            let header = |name: &'static str| {
                let value = answer.headers().get(name)?.to_str().ok()?;
                Some((name, value.to_owned()))
            };
            let headers = ["content-type", "eth-consensus-version"].into_iter().filter_map(header).collect();
            Ok::<_, reqwest::Error>(Reply::Raw(
                answer.status().as_u16(),
                headers,
                answer.bytes().await?.into(),
            ))
        };
        let asked = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(asked));
        asked.unwrap_or_else(|error| Reply::refused(502, &error.to_string()))
    }

    /// The same as JSON, changed.
    fn edited(&self, ask: &Ask, edit: impl Fn(&mut Value)) -> Reply {
        let reply = self.ask(&ask.path, &ask.query, "application/json");
        match reply {
            Reply::Raw(200, _, body) => {
                let mut answer = serde_json::from_slice(&body).unwrap();
                edit(&mut answer);
                Reply::Json(answer)
            }
            other => other,
        }
    }
}

/// Takes the signers of all but 240 seats out, wherever there are signers.
fn thin(answer: &mut Value) {
    match answer {
        Value::Array(items) => items.iter_mut().for_each(thin),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    Value::String(bits) if name == "sync_committee_bits" => {
                        *bits = format!("{}{}", &bits[..62], "0".repeat(68));
                    }
                    other => thin(other),
                }
            }
        }
        _ => {}
    }
}

impl Network for Devnet {
    fn chain(&self) -> ChainConfig {
        self.chain.clone()
    }

    fn beginning(&self) -> Beginning {
        self.beginning.clone()
    }

    fn answer(&self, ask: &Ask) -> Reply {
        if ask.path == "/eth/v1/config/spec" && !self.dated.load(Ordering::SeqCst) {
            return self.edited(ask, |spec| {
                spec["data"]["FULU_FORK_EPOCH"] = FAR_FUTURE_EPOCH.to_string().into();
            });
        }
        self.ask(&ask.path, &ask.query, &ask.accept)
    }

    fn poor(&self, ask: &Ask) -> Reply {
        let signed = ask.path.ends_with("/updates") || ask.path.ends_with("/finality_update");
        if signed { self.edited(ask, thin) } else { self.answer(ask) }
    }

    fn date_fork(&self) {
        self.dated.store(true, Ordering::SeqCst);
    }

    fn hand_over(&self, _: u64) {}

    fn earliest(&self, _: u64) -> u64 {
        0
    }

    /// The last is one of a quarter of an hour: its epochs take 6.4 minutes each.
    fn patience(&self) -> Duration {
        Duration::from_secs(20 * 60)
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        let _ = Command::new("kill").args([SIGTERM, &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}
