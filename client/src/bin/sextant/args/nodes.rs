//! `--beacon` and `--rpc`: which nodes to ask, and how all nodes are reached.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use sextant_client::sources::{BeaconNodes, Endpoint, ExecutionNodes, PoolError, SourceConfig};

/// Beacon nodes.
#[derive(Debug, Args)]
pub struct Beacon {
    /// Beacon API of a node; several are asked in turn until one answers well
    #[arg(long = "beacon", value_name = "URL", value_delimiter = ',')]
    pub beacon: Vec<Endpoint>,
}

/// Execution nodes.
#[derive(Debug, Args)]
pub struct Rpc {
    /// JSON-RPC of an execution node; several are asked in turn until one answers well
    #[arg(long = "rpc", value_name = "URL", value_delimiter = ',')]
    pub rpc: Vec<Endpoint>,
}

/// How nodes are reached, whatever they are asked for.
#[derive(Debug, Args)]
pub struct NodeAccess {
    /// Seconds that a node may take for one answer
    #[arg(long, value_name = "SECONDS", default_value = "20", value_parser = clap::value_parser!(u64).range(1..=600))]
    node_timeout: u64,
    /// Authorities that certify HTTPS nodes (PEM), beside the system's and those that are built in
    #[arg(long, value_name = "FILE", env = "SEXTANT_NODE_CA")]
    node_ca: Option<PathBuf>,
}

impl Beacon {
    /// The nodes.
    pub fn nodes(&self, access: &NodeAccess) -> Result<BeaconNodes, PoolError> {
        BeaconNodes::new(self.beacon.clone(), access.config())
    }
}

impl Rpc {
    /// The nodes.
    pub fn nodes(&self, access: &NodeAccess) -> Result<ExecutionNodes, PoolError> {
        ExecutionNodes::new(self.rpc.clone(), access.config())
    }
}

impl NodeAccess {
    /// For nodes that are named by other options.
    pub fn config(&self) -> SourceConfig {
        SourceConfig {
            timeout: Duration::from_secs(self.node_timeout),
            ca_file: self.node_ca.clone(),
            ..SourceConfig::default()
        }
    }
}
