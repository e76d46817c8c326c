//! What a caller trusts, as JSON.

use serde::Deserialize;
use sextant_consensus::{chain::ChainConfig, hash::Root, networks, public_values::Statement};
use sextant_verifier_rules::networks::expected_digest;

use crate::code::Failure;

/// Which chain a proof has to be about.
pub enum Chain {
    /// One that is known by name.
    Named(&'static str, &'static ChainConfig),
    /// One known by its digest.
    Digest(Root),
}

impl Chain {
    /// The digest that the proof has to name.
    pub fn digest(&self, statement: &Statement) -> Root {
        match self {
            Self::Named(_, config) => expected_digest(config, statement),
            Self::Digest(digest) => *digest,
        }
    }

    /// The name, if it has one.
    pub fn name(&self) -> Option<&'static str> {
        match self {
            Self::Named(name, _) => Some(name),
            Self::Digest(_) => None,
        }
    }
}

/// What a caller trusts.
pub struct Options {
    pub committee_root: Option<Root>,
    pub chain: Chain,
    /// Verifying key of the development circuits whose SNARKs count too.
    pub development_key: Option<Vec<u8>>,
}

/// As the package hands it over: bytes as hex digits.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Given {
    committee_root: Option<String>,
    network: Option<String>,
    chain_digest: Option<String>,
    allow_dev_circuits: Option<String>,
}

impl Options {
    /// Reads them; nothing is guessed.
    pub fn parse(json: &[u8]) -> Result<Self, Failure> {
        let given: Given =
            serde_json::from_slice(json).map_err(|error| Failure::options(error.to_string()))?;
        let chain = match (given.network, given.chain_digest) {
            (Some(_), Some(_)) => {
                return Err(Failure::options("network and chainDigest exclude each other".into()));
            }
            (name, None) => named(name.as_deref().unwrap_or("mainnet"))?,
            (None, Some(digest)) => Chain::Digest(root("chainDigest", &digest)?),
        };
        let committee_root = given.committee_root.map(|text| root("committeeRoot", &text)).transpose()?;
        let development_key =
            given.allow_dev_circuits.map(|text| bytes("allowDevCircuits", &text)).transpose()?;
        Ok(Self { committee_root, chain, development_key })
    }
}

fn named(name: &str) -> Result<Chain, Failure> {
    let found = networks::NETWORKS.iter().find(|(known, _)| *known == name);
    found.map(|(name, config)| Chain::Named(name, config)).ok_or_else(|| {
        let known = networks::NETWORKS.map(|(known, _)| known).join(", ");
        Failure::options(format!("unknown network {name:?}; known networks: {known}"))
    })
}

fn root(name: &str, text: &str) -> Result<Root, Failure> {
    let found = bytes(name, text)?;
    let length = found.len();
    found.try_into().map_err(|_| Failure::options(format!("{name} has {length} bytes, not 32")))
}

fn bytes(name: &str, text: &str) -> Result<Vec<u8>, Failure> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode(digits).map_err(|error| Failure::options(format!("{name} is not hexadecimal: {error}")))
}
