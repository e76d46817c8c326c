//! A node with a light client contract that begins with a world's first committee, and a verifier that does as it is told.

// Each test file uses its own part.
#![allow(dead_code)]

#[path = "../../../submit/tests/common/mod.rs"]
mod node;

use std::time::Duration;

use serde_json::{Value, json};
use sextant_consensus::hash::{Root, keccak256};
use sextant_sources::{ExecutionNodes, SourceConfig};
use sextant_submit::{
    Address, B256, Deployment, Fees, FixedBytes, Key, NextFork, Patience, Rules, Sender, Submitter, Trust,
};
use sextant_test_nodes::{Node, Reply};

use crate::common::{GENESIS, STAMP, World};
use node::{Anvil, KEYS};

/// Code of a verifier that accepts everything: STOP.
pub fn accepts() -> String {
    "0x00".into()
}

/// Code of a gateway whose route is frozen.
pub fn frozen() -> String {
    let selector = hex::encode(&keccak256(b"RouteIsFrozen(bytes4)")[..4]);
    // PUSH4 selector, PUSH1 0, MSTORE: it stands at 28. REVERT of 36 bytes from there.
    format!("0x63{selector}6000526024601cfd")
}

/// A node, the contract and who submits to it.
pub struct Chain {
    anvil: Anvil,
    contract: Address,
    verifier: Address,
    deployed: u64,
    sent_before: u64,
}

/// What a contract begins with.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// Digest of the chain, and its next fork.
    pub digest: Root,
    pub next_fork: Option<NextFork>,
    pub rules: Rules,
    /// Slot and root of the trusted header, period and root of the committee.
    pub slot: u64,
    pub root: Root,
    pub period: u64,
    pub committee_root: Root,
}

/// What a proxy may ask about the chain behind it.
pub struct Behind {
    height: u64,
    deployed: u64,
}

impl Behind {
    /// The number of the latest block.
    pub fn height(&self) -> u64 {
        self.height
    }

    /// The number of the block with the contract.
    pub fn deployed(&self) -> u64 {
        self.deployed
    }
}

fn nodes(url: &str) -> ExecutionNodes {
    let config = SourceConfig { rounds: 1, ..SourceConfig::default() };
    ExecutionNodes::new(vec![url.parse().unwrap()], config).unwrap()
}

async fn sender(url: &str) -> Sender {
    let patience = Patience {
        poll: Duration::from_millis(20),
        replace_after: Duration::from_secs(5),
        total: Duration::from_secs(20),
        confirmations: 0,
    };
    let key = Key::from_hex("test", KEYS[0]).unwrap();
    Sender::new(nodes(url), key, Some(31337), Fees::default(), patience).await.unwrap()
}

/// Someone who submits to a contract through these nodes.
pub async fn submitter_to(rpc: &str, contract: Address) -> Submitter {
    Submitter::new(sender(rpc).await, contract).await.unwrap()
}

impl Chain {
    /// Starts a chain at this time with a contract that begins with the first committee.
    pub async fn start(time: u64, world: &World, max_age: u64) -> Self {
        Self::start_at(time, world, max_age, 0).await
    }

    /// The same as [`Self::start`] with the committee of a period.
    pub async fn start_at(time: u64, world: &World, max_age: u64, period: u64) -> Self {
        let beginning = Beginning {
            digest: world.chain.statement_digest(),
            next_fork: None,
            rules: Rules { genesis_time: GENESIS, seconds_per_slot: 1, max_age, min_participation: 22 },
            slot: 2,
            root: world.chain.checkpoint(0),
            period,
            committee_root: world.chain.committee_root(period),
        };
        Self::begin(time, beginning).await
    }

    /// Starts a chain at this time with a contract that begins so.
    pub async fn begin(time: u64, beginning: Beginning) -> Self {
        let anvil = Anvil::start(time, &[]);
        let sender = sender(&anvil.url).await;
        // Returns one byte of code, which is STOP.
        let code = hex::decode("6001600c60003960016000f300").unwrap();
        let gas = sender.dry_run(None, &code).await.unwrap();
        let verifier = sender.send(None, &code, gas, &mut |_| Ok(())).await.unwrap().contract.unwrap();
        let deployment = Deployment {
            trust: Trust {
                verifier,
                // How the stand-in prover's proofs begin.
                selector: FixedBytes::from_slice(&STAMP[..4]),
                committee_change_key: B256::repeat_byte(1),
                inclusion_key: B256::repeat_byte(2),
                bundle_key: Some(B256::repeat_byte(3)),
                chain_digest: beginning.digest.into(),
                next_fork: beginning.next_fork,
            },
            rules: beginning.rules,
            slot: beginning.slot,
            root: beginning.root.into(),
            period: beginning.period,
            committee_root: beginning.committee_root.into(),
            guardian: Address::ZERO,
            delay: 0,
        };
        let contract = deployment.deploy(&sender, &mut |_| Ok(())).await.unwrap().contract;
        let mut chain = Self { anvil, contract, verifier, deployed: 0, sent_before: 0 };
        chain.deployed = chain.number("eth_blockNumber", json!([])).await;
        chain.sent_before = chain.sent().await;
        chain
    }

    /// Its JSON-RPC.
    pub fn url(&self) -> String {
        self.anvil.url.clone()
    }

    /// Where the contract is.
    pub fn contract(&self) -> Address {
        self.contract
    }

    /// Someone who submits through these nodes.
    pub async fn submitter(&self, rpc: &str) -> Submitter {
        submitter_to(rpc, self.contract).await
    }

    /// Whether the contract knows the committee of a period.
    pub async fn knows(&self, period: u64) -> bool {
        let knowledge = self.submitter(&self.anvil.url).await.knowledge(period, 1).await.unwrap();
        knowledge.committees.contains_key(&period)
    }

    /// How many transactions were mined since the contract is there.
    pub async fn transactions(&self) -> u64 {
        self.sent().await - self.sent_before
    }

    async fn sent(&self) -> u64 {
        let account = sender(&self.anvil.url).await.account();
        self.number("eth_getTransactionCount", json!([account, "latest"])).await
    }

    async fn number(&self, method: &'static str, params: Value) -> u64 {
        let number = self.call(method, params).await;
        u64::from_str_radix(number.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
    }

    async fn call(&self, method: &'static str, params: Value) -> Value {
        nodes(&self.anvil.url).call(method, params).await.unwrap()
    }

    /// What a reader of the contract returns, whose arguments are public values and numbers, in hex.
    pub async fn read(&self, function: &str, public_values: &str, numbers: &[u64]) -> String {
        let values = public_values.trim_start_matches("0x");
        let selector = hex::encode(&keccak256(function.as_bytes())[..4]);
        let numbers: String = numbers.iter().map(|number| format!("{number:064x}")).collect();
        // Bytes stand behind the numbers: where, their length, and they themselves in whole words.
        let (offset, length) = (32 + numbers.len() / 2, values.len() / 2);
        let padding = "0".repeat(length.next_multiple_of(32) * 2 - values.len());
        let data = format!("0x{selector}{offset:064x}{numbers}{length:064x}{values}{padding}");
        let call = json!({ "to": self.contract, "data": data });
        let answer = self.call("eth_call", json!([call, "latest"])).await;
        answer.as_str().unwrap().trim_start_matches("0x").to_owned()
    }

    /// Puts other code where the verifier is.
    pub async fn set_verifier(&self, code: &str) {
        self.call("anvil_setCode", json!([self.verifier, code])).await;
    }

    /// Lets time pass.
    pub async fn pass(&self, seconds: u64) {
        self.call("evm_increaseTime", json!([seconds])).await;
        self.call("evm_mine", json!([])).await;
    }

    /// A point to go back to.
    pub async fn snapshot(&self) -> Value {
        self.call("evm_snapshot", json!([])).await
    }

    /// Goes back to it: the blocks since then are reorganised away.
    pub async fn revert(&self, snapshot: Value) {
        assert_eq!(self.call("evm_revert", json!([snapshot])).await, true);
    }

    /// A node in front of this one: `edit` may change a call before it is passed on, or answer it.
    pub async fn proxy(
        &self,
        edit: impl Fn(&mut Value, &Behind) -> Option<Value> + Send + Sync + 'static,
    ) -> Node {
        let (url, deployed) = (self.anvil.url.clone(), self.deployed);
        // A runtime of its own each: the one that serves is waiting for it.
        let pass = move |method: String, params: Value| {
            let url = url.clone();
            let asked = async move { nodes(&url).call(Box::leak(method.into_boxed_str()), params).await };
            let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            std::thread::scope(|scope| scope.spawn(|| runtime().block_on(asked)).join().unwrap())
        };
        Node::start(move |ask| {
            let mut call = ask.call.clone();
            let number = pass("eth_blockNumber".into(), json!([])).unwrap();
            let height = u64::from_str_radix(number.as_str().unwrap().trim_start_matches("0x"), 16).unwrap();
            if let Some(answer) = edit(&mut call, &Behind { height, deployed }) {
                return Reply::Json(answer);
            }
            let (method, params) = (call["method"].as_str().unwrap().to_owned(), call["params"].clone());
            let mut answer = json!({ "jsonrpc": "2.0", "id": call["id"] });
            match pass(method, params) {
                Ok(result) => answer["result"] = result,
                Err(error) => {
                    let data = error.revert().map(|data| format!("0x{}", hex::encode(data)));
                    let message =
                        if data.is_some() { "execution reverted".into() } else { error.to_string() };
                    answer["error"] = json!({ "code": 3, "message": message, "data": data });
                }
            }
            Reply::Json(answer)
        })
        .await
    }
}
