//! Nodes that answer what was recorded: of the local networks, and of mainnet in July 2024.

use serde_json::{Value, json};
use sextant_consensus::{
    build::AccountNodes,
    chain::ChainConfig,
    light_client::{LightClientBootstrap, LightClientHeader},
    networks::{HOODI, MAINNET},
};
use sextant_fixtures::{
    devnet::{Devnet, OLD_CHAIN},
    gloas, mainnet_file,
    synthetic::bootstrap,
};

use crate::{Ask, Reply, json as encode};

/// What is in a block, as nodes serve it.
#[derive(Clone, Debug)]
pub struct Content {
    /// The block's hash.
    pub block: Value,
    /// Its transactions.
    pub transactions: Vec<Value>,
    /// Their receipts.
    pub receipts: Vec<Value>,
}

/// What a chain's nodes know.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The chain.
    pub chain: ChainConfig,
    /// `/eth/v1/config/spec`.
    pub spec: Value,
    /// `/eth/v1/beacon/genesis`.
    pub genesis: Value,
    /// Bootstraps, with envelopes.
    pub bootstraps: Vec<Value>,
    /// Updates, with envelopes, one a period.
    pub updates: Vec<Value>,
    /// The finality update, with envelope.
    pub finality_update: Value,
    /// The optimistic update, with envelope.
    pub optimistic_update: Value,
    /// `eth_getProof` results.
    pub proofs: Vec<Value>,
    /// `eth_getBlockByHash` results, without transactions.
    pub blocks: Vec<Value>,
    /// What is in blocks.
    pub contents: Vec<Content>,
    /// Single calls of execution nodes: `method`, `params` and `result`. Where there are some, nothing else is answered.
    pub calls: Vec<Value>,
    /// `eth_chainId`.
    pub chain_id: u64,
}

impl Recorded {
    /// A local network.
    pub fn devnet(net: Devnet) -> Self {
        let mut bootstraps = vec![net.json("bootstrap.json")];
        if net.file("bootstrap_slot64.json").exists() {
            bootstraps.push(net.json("bootstrap_slot64.json"));
        }
        let Value::Array(updates) = net.json("updates.json") else { panic!("updates.json: not a list") };
        let proof = |name| net.json(&format!("el_getProof_{name}.json"))["result"].take();
        Self {
            chain: net.chain(),
            spec: net.json("spec.json"),
            genesis: net.json("genesis.json"),
            bootstraps,
            updates,
            finality_update: net.json("finality_update.json"),
            optimistic_update: net.json("optimistic_update.json"),
            proofs: ["contract", "eoa", "absent"].map(proof).into(),
            blocks: vec![net.json("el_block_finalized.json")["result"].take()],
            contents: Vec::new(),
            calls: Vec::new(),
            chain_id: 1337,
        }
    }

    /// A local network with an old execution chain.
    pub fn old_chain() -> Self {
        let net = OLD_CHAIN;
        let Value::Array(updates) = net.json("updates.json") else { panic!("updates.json: not a list") };
        let Value::Array(calls) = net.json("calls.json") else { panic!("calls.json: not a list") };
        Self {
            chain: net.chain(),
            spec: net.json("spec.json"),
            genesis: net.json("genesis.json"),
            bootstraps: vec![net.json("bootstrap.json")],
            updates,
            finality_update: net.json("finality_update.json"),
            optimistic_update: net.json("optimistic_update.json"),
            proofs: Vec::new(),
            blocks: Vec::new(),
            contents: Vec::new(),
            calls,
            chain_id: 1337,
        }
    }

    /// Mainnet at slot 9567542: a bootstrap and a finality update of period 1167.
    pub fn mainnet() -> Self {
        Self {
            chain: MAINNET,
            spec: encode::spec(&MAINNET, 12_000, 1),
            genesis: encode::genesis(&MAINNET, 1_606_824_023),
            bootstraps: vec![file("inclusion-bootstrap.json")],
            updates: vec![file("inclusion-update-9566271.json")[0].take()],
            finality_update: file("inclusion-finality-update-9567542.json"),
            optimistic_update: Value::Null,
            proofs: vec![file("inclusion-eth-get-proof.json")["result"].take()],
            blocks: Vec::new(),
            contents: Vec::new(),
            calls: Vec::new(),
            chain_id: 1,
        }
    }

    /// Mainnet in period 1151: the bootstrap of period 1150 and both updates. The last one stands in for the finality
    /// update.
    pub fn mainnet_handovers() -> Self {
        let updates = vec![file("update-9420873.json"), file("update-9430576.json")];
        let mut last = updates[1].clone();
        let data = last["data"].as_object_mut().expect("an update");
        data.remove("next_sync_committee");
        data.remove("next_sync_committee_branch");
        Self {
            bootstraps: vec![file("bootstrap-9425184.json")],
            updates,
            finality_update: last,
            ..Self::mainnet()
        }
    }

    /// Hoodi under Gloas, of our own making: a bootstrap, one handover, and the execution block that it names.
    pub fn gloas() -> Self {
        let (committee, update) = gloas::signed(gloas::state_root());
        let slots = gloas::slots();
        let trusted = bootstrap(&HOODI, &committee.public, slots.finalized - 16);
        let block = gloas::finalized_block_header();
        let versioned = |data| encode::versioned(&HOODI, slots.attested, data);
        Self {
            chain: HOODI,
            spec: encode::spec(&HOODI, 12_000, 560_048),
            genesis: encode::genesis(&HOODI, 1_742_213_400),
            bootstraps: vec![versioned(encode::bootstrap(&trusted))],
            updates: vec![versioned(encode::update(&update))],
            finality_update: versioned(encode::finality_update(&update.finality_update())),
            optimistic_update: Value::Null,
            proofs: vec![file("inclusion-eth-get-proof.json")["result"].take()],
            blocks: vec![encode::block(&block)],
            contents: Vec::new(),
            calls: Vec::new(),
            chain_id: 560_048,
        }
    }

    /// Answers as a beacon node.
    pub fn beacon(&self, ask: &Ask) -> Reply {
        let path = ask.path.as_str();
        let light_client = path.strip_prefix("/eth/v1/beacon/light_client/");
        match (path, light_client) {
            ("/eth/v1/config/spec", _) => Reply::Json(self.spec.clone()),
            ("/eth/v1/beacon/genesis", _) => Reply::Json(self.genesis.clone()),
            ("/eth/v1/beacon/headers/finalized", _) => Reply::Json(encode::header_answer(
                &header(&self.finality_update["data"]["finalized_header"]).beacon,
            )),
            (_, Some("finality_update")) => Reply::Json(self.finality_update.clone()),
            (_, Some("optimistic_update")) => Reply::Json(self.optimistic_update.clone()),
            (_, Some("updates")) => {
                let number = |name: &str| ask.query[name].parse::<u64>().expect("a number");
                let (start, count) = (number("start_period"), number("count"));
                let asked = |update: &&Value| {
                    let slot = header(&update["data"]["attested_header"]).beacon.slot;
                    (start..start + count).contains(&self.chain.period(slot))
                };
                Reply::Json(self.updates.iter().filter(asked).cloned().collect())
            }
            (_, Some(bootstrap)) => {
                let root = |bootstrap: &&Value| {
                    encode::hex(&header(&bootstrap["data"]["header"]).beacon.root())
                        .as_str()
                        .map(str::to_owned)
                };
                let wanted = bootstrap.strip_prefix("bootstrap/").map(str::to_owned);
                match self.bootstraps.iter().find(|bootstrap| root(bootstrap) == wanted) {
                    Some(bootstrap) => Reply::Json(bootstrap.clone()),
                    None => Reply::refused(404, "LC bootstrap unavailable"),
                }
            }
            _ => Reply::refused(404, "route not found"),
        }
    }

    /// Answers as an execution node.
    pub fn execution(&self, ask: &Ask) -> Reply {
        let call = &ask.call;
        let error = |code: i32, message: &str| {
            let error = json!({ "code": code, "message": message });
            Reply::Json(json!({ "jsonrpc": "2.0", "id": call["id"], "error": error }))
        };
        let result = match call["method"].as_str() {
            Some(_) if !self.calls.is_empty() => {
                let same = |known: &&Value| ["method", "params"].iter().all(|part| known[part] == call[part]);
                match self.calls.iter().find(same) {
                    Some(known) => known["result"].clone(),
                    None => return error(-32_000, "not recorded"),
                }
            }
            Some("eth_chainId") => format!("{:#x}", self.chain_id).into(),
            Some("eth_getProof") => self.proof(&call["params"]),
            Some("eth_getBlockByHash") => self.block("hash", &call["params"]),
            Some("eth_getBlockByNumber") => self.block("number", &call["params"]),
            Some("eth_getBlockReceipts") => self
                .content(&call["params"][0])
                .map(|content| content.receipts.clone().into())
                .unwrap_or_default(),
            Some("eth_getTransactionReceipt") => {
                let mut receipts = self.contents.iter().flat_map(|content| &content.receipts);
                let asked = |receipt: &&Value| receipt["transactionHash"] == call["params"][0];
                receipts.find(asked).cloned().unwrap_or_default()
            }
            _ => return error(-32_601, "method not found"),
        };
        Reply::Json(json!({ "jsonrpc": "2.0", "id": call["id"], "result": result }))
    }

    fn content(&self, hash: &Value) -> Option<&Content> {
        self.contents.iter().find(|content| content.block == *hash)
    }

    /// A block, named by its hash or its number, with its transactions or, as it is asked for, their hashes.
    fn block(&self, name: &str, params: &Value) -> Value {
        let known = |block: &&Value| block[name] == params[0];
        let Some(mut block) = self.blocks.iter().find(known).cloned() else { return Value::Null };
        if let Some(content) = self.content(&block["hash"]) {
            let listed = |transaction: &Value| match params[1] == true {
                true => transaction.clone(),
                false => transaction["hash"].clone(),
            };
            block["transactions"] = content.transactions.iter().map(listed).collect();
        }
        block
    }

    /// The recorded proof with the slots that are asked for.
    fn proof(&self, params: &Value) -> Value {
        let Some(mut proof) = self.proofs.iter().find(|proof| proof["address"] == params[0]).cloned() else {
            return Value::Null;
        };
        let number = |key: &Value| {
            let digits = key.as_str().and_then(|key| key.strip_prefix("0x")).expect("hex");
            format!("{digits:0>64}")
        };
        let recorded = proof["storageProof"].take();
        let slots = params[1].as_array().expect("slots").iter().map(|key| {
            let slots = recorded.as_array().expect("slots").iter();
            slots.clone().find(|slot| number(&slot["key"]) == number(key)).cloned().expect("a recorded slot")
        });
        proof["storageProof"] = slots.collect();
        proof
    }

    /// The roots of the bootstraps' blocks.
    pub fn checkpoints(&self) -> Vec<[u8; 32]> {
        let root = |bootstrap: &Value| {
            let bootstrap: LightClientBootstrap =
                serde_json::from_value(bootstrap["data"].clone()).expect("a bootstrap");
            bootstrap.header.beacon.root()
        };
        self.bootstraps.iter().map(root).collect()
    }
}

/// An account's proof as `eth_getProof` gives it.
pub fn account(account: &AccountNodes) -> Value {
    let nodes = |nodes: &[Vec<u8>]| nodes.iter().map(|node| encode::hex(node)).collect::<Value>();
    let slots =
        account.slots.iter().map(|(key, path)| json!({ "key": encode::hex(key), "proof": nodes(path) }));
    json!({
        "address": encode::hex(&account.address),
        "accountProof": nodes(&account.nodes),
        "storageProof": slots.collect::<Value>(),
    })
}

fn header(value: &Value) -> LightClientHeader {
    serde_json::from_value(value.clone()).expect("a header")
}

fn file(name: &str) -> Value {
    serde_json::from_slice(&std::fs::read(mainnet_file(name)).expect("recorded file")).expect("JSON")
}
