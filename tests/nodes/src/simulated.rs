//! A chain of our own making that goes on when a test says so: committees whose keys we hold, Gloas headers, and a state of
//! one account whose only slot changes.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard},
};

use serde_json::{Value, json};
use sextant_consensus::{
    build::AccountNodes,
    chain::{ChainConfig, FAR_FUTURE_EPOCH, ForkSchedule, ScheduledFork},
    hash::{Root, keccak256},
    light_client::LightClientUpdate,
};
use sextant_fixtures::{
    forged::one_slot,
    synthetic::{Committee, Slots, block_header, bootstrap, update_over},
};

use crate::{Ask, Reply, json as encode, recorded::account};

/// `eth_chainId` of the chain.
pub const CHAIN_ID: u64 = 4242;
/// Slots of a period: 8 epochs of 8 slots.
pub const PERIOD: u64 = 64;
/// Slots from a finalized block to the attested one.
const LAG: u64 = 16;

/// The chain, as its nodes see it.
#[derive(Debug)]
pub struct Simulated {
    /// Its configuration: 32 seats, short periods, Gloas from the beginning.
    pub chain: ChainConfig,
    genesis_time: u64,
    committees: Vec<Committee>,
    moving: Mutex<Moving>,
}

#[derive(Debug, Default)]
struct Moving {
    finalized: u64,
    /// The slot's value from a slot on.
    values: BTreeMap<u64, u8>,
    /// How many seats do not sign from a finalized slot on.
    absent: BTreeMap<u64, usize>,
    /// Whether nodes do not name Gloas' date.
    undated: bool,
    /// Blocks by hash, and the states by block number, that a node has been seen to name.
    blocks: BTreeMap<Root, Vec<u8>>,
    states: BTreeMap<u64, u8>,
}

impl Simulated {
    /// A chain that began at this Unix time, with committees for this many periods. Its slots take a second.
    pub fn new(genesis_time: u64, periods: u64) -> Self {
        let mut forks = [ScheduledFork { epoch: 0, version: [0; 4] }; 8];
        (0..).zip(&mut forks).for_each(|(number, fork)| fork.version = [number, 0, 0x42, 0x42]);
        let chain = ChainConfig {
            slots_per_epoch: 8,
            epochs_per_period: 8,
            committee_size: 32,
            forks: ForkSchedule(forks),
            // Of no network known by name: this chain has a clock of its own.
            genesis_validators_root: [0x42; 32],
        };
        let committees = (0..=periods).map(|period| Committee::new(period + 1, 32, 32)).collect();
        let (values, absent) = (BTreeMap::from([(0, 1)]), BTreeMap::from([(0, 4)]));
        let moving = Moving { finalized: 8, values, absent, ..Moving::default() };
        Self { chain, genesis_time, committees, moving: Mutex::new(moving) }
    }

    /// A chain whose Gloas begins at this epoch, a period's first. Nodes name the date only once it is theirs to name
    /// ([`Self::date_fork`]). Before Gloas no account can be proven on it.
    pub fn forking(genesis_time: u64, periods: u64, epoch: u64) -> Self {
        let mut chain = Self::new(genesis_time, periods);
        chain.chain.forks.0[7].epoch = epoch;
        chain.moving().undated = true;
        chain
    }

    /// From now on nodes know when Gloas begins.
    pub fn date_fork(&self) {
        self.moving().undated = false;
    }

    /// The chain as nodes describe it.
    fn described(&self) -> ChainConfig {
        let mut chain = self.chain.clone();
        if self.moving().undated {
            chain.forks.0[7].epoch = FAR_FUTURE_EPOCH;
        }
        chain
    }

    /// A chain of long ago.
    pub fn old(periods: u64) -> Self {
        Self::new(1_600_000_000, periods)
    }

    /// Finalizes this slot.
    pub fn finalize(&self, slot: u64) {
        self.moving().finalized = slot;
    }

    /// Gives the watched slot another value from this slot on.
    pub fn set(&self, slot: u64, value: u8) {
        self.moving().values.insert(slot, value);
    }

    /// Lets so many of the 32 seats not sign, from this finalized slot on.
    pub fn absent(&self, slot: u64, seats: usize) {
        self.moving().absent.insert(slot, seats);
    }

    /// The root of a block to trust, the third of a period.
    pub fn checkpoint(&self, period: u64) -> Root {
        self.bootstrap(period).header.beacon.root()
    }

    /// Unix time of slot 0, seconds.
    pub fn genesis_time(&self) -> u64 {
        self.genesis_time
    }

    /// Digest of the chain in statements.
    pub fn statement_digest(&self) -> Root {
        self.chain.digest()
    }

    /// The root of the committee of a period.
    pub fn committee_root(&self, period: u64) -> Root {
        self.committees[period as usize].public.root()
    }

    /// The account and slot that there are.
    pub fn account() -> AccountNodes {
        one_slot(1).1
    }

    fn moving(&self) -> MutexGuard<'_, Moving> {
        self.moving.lock().expect("no panic")
    }

    fn bootstrap(&self, period: u64) -> sextant_consensus::light_client::LightClientBootstrap {
        bootstrap(&self.chain, &self.committees[period as usize].public, period * PERIOD + 2)
    }

    /// What the committee of the signature's period signed over a finalized slot.
    fn signed(&self, finalized: u64) -> LightClientUpdate {
        let slots = Slots { finalized, attested: finalized + LAG, signature: finalized + LAG + 1 };
        let period = |slot| (slot / PERIOD) as usize;
        let value = *self.moving().values.range(..=finalized).next_back().expect("a value").1;
        let absent = *self.moving().absent.range(..=finalized).next_back().expect("a number").1;
        let (state, _) = one_slot(value);
        let next = &self.committees[period(slots.attested) + 1].public;
        let update =
            update_over(state, &self.chain, &self.committees[period(slots.signature)], next, slots, |seat| {
                seat >= absent
            });
        let block = block_header(finalized, state);
        let mut moving = self.moving();
        moving.blocks.insert(keccak256(&block), block);
        moving.states.insert(finalized / 2, value);
        update
    }

    /// The update of a period, once its blocks are there.
    fn update(&self, period: u64) -> Option<Value> {
        let finalized = period * PERIOD + 8;
        let seen = self.moving().finalized >= finalized;
        seen.then(|| {
            let update = self.signed(finalized);
            encode::versioned(&self.chain, finalized + LAG, encode::update(&update))
        })
    }

    /// Answers as a beacon node.
    pub fn beacon(&self, ask: &Ask) -> Reply {
        let path = ask.path.as_str();
        Reply::Json(match path {
            "/eth/v1/config/spec" => encode::spec(&self.described(), 1000, CHAIN_ID),
            "/eth/v1/beacon/genesis" => encode::genesis(&self.chain, self.genesis_time),
            "/eth/v1/beacon/headers/finalized" => {
                let period = self.moving().finalized / PERIOD;
                encode::header_answer(&self.bootstrap(period).header.beacon)
            }
            "/eth/v1/beacon/light_client/finality_update" => {
                let finalized = self.moving().finalized;
                let update = self.signed(finalized).finality_update();
                encode::versioned(&self.chain, finalized + LAG, encode::finality_update(&update))
            }
            "/eth/v1/beacon/light_client/updates" => {
                let number = |name: &str| ask.query[name].parse::<u64>().expect("a number");
                let (start, count) = (number("start_period"), number("count"));
                (start..start + count).map_while(|period| self.update(period)).collect()
            }
            _ => {
                let periods = 0..self.committees.len() as u64;
                let known = |period: &u64| path.ends_with(&hex::encode(self.checkpoint(*period)));
                match periods.into_iter().find(known) {
                    Some(period) => {
                        let bootstrap = encode::bootstrap(&self.bootstrap(period));
                        encode::versioned(&self.chain, period * PERIOD + 2, bootstrap)
                    }
                    None => return Reply::refused(404, "not found"),
                }
            }
        })
    }

    /// Answers as an execution node.
    pub fn execution(&self, ask: &Ask) -> Reply {
        let params = &ask.call["params"];
        let number = |value: &Value| {
            let digits = value.as_str().and_then(|text| text.strip_prefix("0x")).expect("a quantity");
            u64::from_str_radix(digits, 16).expect("a quantity")
        };
        let result = match ask.call["method"].as_str() {
            Some("eth_chainId") => format!("{CHAIN_ID:#x}").into(),
            Some("eth_getBlockByHash") => {
                let moving = self.moving();
                let known = |(hash, _): &(&Root, &Vec<u8>)| encode::hex(*hash) == params[0];
                moving.blocks.iter().find(known).map(|(_, block)| encode::block(block)).unwrap_or_default()
            }
            Some("eth_getProof") => match self.moving().states.get(&number(&params[2])) {
                Some(value) => account(&one_slot(*value).1),
                None => Value::Null,
            },
            _ => Value::Null,
        };
        Reply::Json(json!({ "jsonrpc": "2.0", "id": ask.call["id"], "result": result }))
    }
}
