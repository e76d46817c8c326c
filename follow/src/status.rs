//! What a follower knows and does next, for people and programs; also while it runs.

use std::{
    fs,
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use sextant_consensus::beacon::BeaconBlockHeader;

use crate::{
    ContractStatus, ProofEntry, StateError,
    state::{Known, State},
};

/// Written after every change, for readers while the database is in use.
const FILE: &str = "status.json";

/// A follower's state in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Digest of the chain, hex.
    pub chain_digest: String,
    /// The root it was started from, hex.
    pub checkpoint: String,
    /// Slot of the finalized head.
    pub finalized_slot: u64,
    /// Its root, hex.
    pub finalized_root: String,
    /// Period of the finalized head.
    pub period: u64,
    /// Last period whose committee is known.
    pub known_period: u64,
    /// Period up to which committees are proven.
    pub proven_period: u64,
    /// Finalized slot at which the watched accounts were last looked at; 0: never.
    pub included_slot: u64,
    /// How many proofs are recorded.
    pub proofs: u64,
    /// The contract that proofs are submitted to, if any, and what it knew when it was last looked at.
    #[serde(default)]
    pub contract: Option<ContractStatus>,
    /// How many submissions it accepted.
    #[serde(default)]
    pub submitted: u64,
    /// The last proof of handovers.
    pub last_committee_change: Option<ProofEntry>,
    /// The last proof of the watched accounts.
    pub last_inclusion: Option<ProofEntry>,
    /// The last proof of watched logs.
    #[serde(default)]
    pub last_logs: Option<ProofEntry>,
    /// The handover that is due next.
    pub next_handover: NextHandover,
}

/// The handover that is due next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NextHandover {
    /// The period whose committee hands over.
    pub from_period: u64,
    /// The period's first slot: from some three epochs after it the handover can be proven.
    pub first_slot: u64,
    /// Unix time of that slot, seconds.
    pub first_slot_time: u64,
}

impl Status {
    /// Reads the status in a folder, of a follower that runs or one that does not.
    ///
    /// # Errors
    /// [`StateError`]; `Ok(None)` where nothing was ever followed.
    pub fn read(folder: &Path) -> Result<Option<Self>, StateError> {
        if !State::is_in(folder) {
            return Ok(None);
        }
        let file = folder.join(FILE);
        match State::open(folder) {
            Ok(state) => state.known()?.map(|known| Self::of(&state, &known)).transpose(),
            Err(StateError::InUse(_)) => Self::written(&file).map(Some),
            Err(error) => Err(error),
        }
    }

    fn written(file: &Path) -> Result<Self, StateError> {
        let bytes = fs::read(file).map_err(|error| StateError::File { file: file.into(), error })?;
        serde_json::from_slice(&bytes).map_err(|_| StateError::Content("status"))
    }

    /// Writes the status for readers.
    pub(crate) fn write(state: &State) -> Result<(), StateError> {
        let Some(known) = state.known()? else { return Ok(()) };
        let json = serde_json::to_vec_pretty(&Self::of(state, &known)?);
        state.write_beside(FILE, &json.map_err(|_| StateError::Content("status"))?)
    }

    fn of(state: &State, known: &Known) -> Result<Self, StateError> {
        let journal = state.journal()?;
        let mut proofs = state.proofs()?;
        proofs.reverse();
        let last = |is: fn(&ProofEntry) -> bool| proofs.iter().find(|proof| is(proof)).cloned();
        let BeaconBlockHeader { slot, .. } = known.finalized;
        let period_slots = known.chain.slots_per_epoch * known.chain.epochs_per_period;
        let period = known.chain.period(slot);
        let first_slot = known.proven_period * period_slots;
        Ok(Self {
            chain_digest: hex(&known.chain.digest()),
            checkpoint: hex(&known.checkpoint),
            finalized_slot: slot,
            finalized_root: hex(&known.finalized.root()),
            period,
            known_period: period + u64::from(state.committee(period + 1)?.is_some()),
            proven_period: known.proven_period,
            included_slot: known.included_slot,
            proofs: state.recorded()?,
            submitted: journal.accepted,
            contract: state.contract()?,
            last_committee_change: last(|proof| proof.program == "committee-change"),
            last_inclusion: last(ProofEntry::is_of_accounts),
            last_logs: last(|proof| proof.logs.is_some()),
            next_handover: NextHandover {
                from_period: known.proven_period,
                first_slot,
                first_slot_time: known.genesis_time + first_slot.saturating_mul(known.slot_millis) / 1000,
            },
        })
    }
}

/// Unix time, seconds.
pub(crate) fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    format!("0x{}", hex::encode(bytes))
}
