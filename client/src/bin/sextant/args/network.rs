//! `--network` and `--chain-digest`: which chain is meant.

use clap::Args;
use sextant_client::{sources::Expected, verify::expected_digest};
use sextant_consensus::{chain::ChainConfig, hash::Root, networks, public_values::Statement};

use super::root;
use crate::commands::Failure;

/// Which chain.
#[derive(Debug, Args)]
pub struct Network {
    /// The network whose rules and digest count
    #[arg(id = "network", long = "network", value_name = "NAME", default_value = "mainnet", value_parser = network_name)]
    name: String,
    /// The chain's digest, for a network that has no name here: it is then what the beacon node describes
    #[arg(long, value_name = "DIGEST", value_parser = root, conflicts_with = "network")]
    chain_digest: Option<Root>,
}

impl Network {
    /// The configuration of a network known by name.
    pub fn config(&self) -> Result<&'static ChainConfig, Failure> {
        match self.chain_digest {
            None => Ok(self.named()),
            Some(_) => Err(Failure::usage("--chain-digest needs --beacon: a node has to describe the chain")),
        }
    }

    /// What a node's own description is compared with.
    pub fn expected(&self) -> Expected {
        match self.chain_digest {
            None => Expected::Config(self.named().clone()),
            Some(digest) => Expected::Digest(digest),
        }
    }

    /// The digest that a proof must name: of a named network that with the forks that had begun, and of those with more
    /// dates in them the proof's own, which says the same.
    pub fn digest(&self, statement: &Statement) -> Root {
        self.chain_digest.unwrap_or_else(|| expected_digest(self.named(), statement))
    }

    /// For messages.
    pub fn name(&self) -> String {
        match self.chain_digest {
            None => self.name.clone(),
            Some(digest) => format!("the chain with digest 0x{}", hex::encode(digest)),
        }
    }

    fn named(&self) -> &'static ChainConfig {
        networks::by_name(&self.name).expect("the argument's parser let only known names pass")
    }
}

fn network_name(name: &str) -> Result<String, String> {
    match networks::by_name(name) {
        Some(_) => Ok(name.into()),
        None => Err(format!("known networks: {}", networks::NETWORKS.map(|(known, _)| known).join(", "))),
    }
}
