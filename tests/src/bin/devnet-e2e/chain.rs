//! What the network's nodes say without any proof, to compare proofs with.

use std::collections::BTreeMap;

use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use sextant_client::sources::{self, BeaconNodes, BlockId, Expected, SourceConfig};
use sextant_consensus::{
    hash::Root,
    public_values::{Head, Inclusion},
};

use super::{Result, network::Ready};

/// The nodes.
pub struct Chain {
    beacon: BeaconNodes,
    chain: sources::Chain,
    checkpoint: Root,
    rpc: String,
    http: reqwest::Client,
}

/// `0x` and at most 32 bytes in hex, as nodes write words and roots.
pub fn word(text: &str) -> Result<[u8; 32]> {
    let digits = text.strip_prefix("0x").ok_or_else(|| format!("not hex: {text}"))?;
    let mut word = [0; 32];
    hex::decode_to_slice(format!("{digits:0>64}"), &mut word).map_err(|error| format!("{text}: {error}"))?;
    Ok(word)
}

/// The beacon node, and the chain that it is expected to be on.
pub async fn connect(ready: &Ready) -> Result<(BeaconNodes, sources::Chain)> {
    let beacon = BeaconNodes::new(vec![ready.beacon.parse()?], SourceConfig::default())?;
    let chain = beacon.chain(&Expected::Digest(word(&ready.chain_digest)?)).await?;
    Ok((beacon, chain))
}

impl Chain {
    /// Over the same endpoints.
    pub async fn new(ready: &Ready) -> Result<Self> {
        let (beacon, chain) = connect(ready).await?;
        let (checkpoint, rpc) = (word(&ready.checkpoint)?, ready.rpc.clone());
        Ok(Self { beacon, chain, checkpoint, rpc, http: reqwest::Client::new() })
    }

    /// The committee of the checkpoint's period, and that period.
    pub async fn committee_at_checkpoint(&self) -> Result<BTreeMap<u64, Root>> {
        Ok(BTreeMap::from([self.committee(&self.checkpoint).await?]))
    }

    /// Period and root of the committee that a block's state names.
    async fn committee(&self, block: &Root) -> Result<(u64, Root)> {
        let config = &self.chain.config;
        let accept =
            |bootstrap: sources::input::Sourced<sextant_consensus::light_client::LightClientBootstrap>| {
                let slot = bootstrap.value.header.beacon.slot;
                Ok::<_, String>((config.period(slot), bootstrap.value.current_sync_committee.root()))
            };
        Ok(self.beacon.bootstrap(config, block, accept).await?)
    }

    /// That the first block of each period, as far as that is final, names the committee that was proven for it. Returns
    /// the periods compared, at least so many; that of the checkpoint is where trust begins, not what was proven.
    pub async fn confirm_committees(
        &self,
        committees: &BTreeMap<u64, Root>,
        least: usize,
    ) -> Result<Vec<u64>> {
        let config = &self.chain.config;
        let (_, head) = self.beacon.header(BlockId::Finalized).await?;
        let mut confirmed = Vec::new();
        for (period, proven) in committees.range(1..=config.period(head.slot)) {
            // The validators wake with the period: its first slot has a block, and that is finalized first.
            let slot = period * config.slots_per_epoch * config.epochs_per_period;
            let (root, _) = self.beacon.header(BlockId::Slot(slot)).await?;
            let (_, named) = self.committee(&root).await?;
            same("committee", *period, &named, proven)?;
            confirmed.push(*period);
        }
        if confirmed.len() < least {
            return Err(format!("committees of the periods {confirmed:?} only could be compared").into());
        }
        Ok(confirmed)
    }

    /// That both chains have the blocks that a statement names.
    pub async fn confirm_head(&self, head: &Head) -> Result<()> {
        let (root, _) = self.beacon.header(BlockId::Slot(head.finalized_slot)).await?;
        same("beacon block root", head.finalized_slot, &root, &head.finalized_root)?;
        let number = format!("{:#x}", head.block_number);
        let block = self.call("eth_getBlockByNumber", json!([number, false])).await?;
        let field = |name: &str| word(block[name].as_str().unwrap_or_default());
        same("execution block hash", head.finalized_slot, &field("hash")?, &head.block_hash)?;
        same("state root", head.finalized_slot, &field("stateRoot")?, &head.state_root)
    }

    /// That the watched slot had the proven value in that block; returns it.
    pub async fn confirm_inclusion(&self, inclusion: &Inclusion) -> Result<u64> {
        self.confirm_head(&inclusion.head).await?;
        let [account] = &inclusion.accounts[..] else { return Err("one account is watched".into()) };
        let [slot] = &account.slots[..] else { return Err("one slot is watched".into()) };
        let hex = |bytes: &[u8]| format!("0x{}", hex::encode(bytes));
        let number = format!("{:#x}", inclusion.head.block_number);
        let told =
            self.call("eth_getStorageAt", json!([hex(&account.address), hex(&slot.key), number])).await?;
        let finalized = inclusion.head.finalized_slot;
        same("value", finalized, &word(told.as_str().unwrap_or_default())?, &slot.value)?;
        // A finalized block begins an epoch, and a transaction in it has written its own slot.
        let mut expected = [0; 32];
        expected[24..].copy_from_slice(&finalized.to_be_bytes());
        same("written value", finalized, &expected, &slot.value)?;
        Ok(finalized)
    }

    async fn call(&self, method: &str, params: Value) -> Result<Value> {
        let call = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let request =
            self.http.post(&self.rpc).header(CONTENT_TYPE, "application/json").body(call.to_string());
        let answer: Value = serde_json::from_str(&request.send().await?.text().await?)?;
        match answer.get("result") {
            Some(result) => Ok(result.clone()),
            None => Err(format!("{method}: {answer}").into()),
        }
    }
}

/// `at`: the slot or period that is compared.
fn same(what: &str, at: u64, network: &[u8; 32], proven: &[u8; 32]) -> Result<()> {
    if network == proven {
        return Ok(());
    }
    let [network, proven] = [network, proven].map(hex::encode);
    Err(format!("{what} at {at}: the network has 0x{network}, proven was 0x{proven}").into())
}
