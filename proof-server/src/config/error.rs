//! What is wrong with settings: each error names the setting as flags, environment and file call it.

use std::net::SocketAddr;

use crate::{proxy::NotANetwork, toml_file::TomlFileError};

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read, is not TOML, or names what is no setting.
    #[error("configuration file {0}")]
    File(#[from] TomlFileError),
    /// A number that would stop the server from working.
    #[error("{0} must not be 0")]
    Zero(&'static str),
    /// An address others reach, and nothing that says who they are.
    #[error(
        "{0} is not an address of this machine alone: anybody who reaches it could make proofs. Say who may with \
         --token-file or --tls-client-ca, or --allow-anonymous if that is meant"
    )]
    Remote(SocketAddr),
    /// A setting that needs another one.
    #[error("{0} needs {1}")]
    Needs(&'static str, &'static str),
    /// Two settings of which only one can be.
    #[error("{0} and {1} exclude each other")]
    Both(&'static str, &'static str),
    /// A balancer's address that is none.
    #[error("proxy-protocol-from: {0}")]
    Network(NotANetwork),
    /// A setting that is a list, with something in it that is none of its values.
    #[error("{setting}: {reason}")]
    List {
        /// The setting.
        setting: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// Workers are too small for any proof.
    #[error("no kind of proof fits into workers of {0} MiB; to try anyway, name the kinds with --kinds")]
    Memory(u64),
    /// No address of a server.
    #[error("{setting}: {value:?} is not HOST:PORT")]
    Address {
        /// The setting.
        setting: &'static str,
        /// What it says.
        value: String,
    },
    /// No address of a collector. What it says may hold a secret.
    #[error("otlp-endpoint: not http://HOST:PORT or https://HOST:PORT, with a path or without")]
    Collector,
    /// A secret that anybody on the way could read.
    #[error(
        "{setting}: {secret} would cross the network to {address} in the clear: speak TLS ({tls}), or say \
         --allow-plain-secrets"
    )]
    PlainSecret {
        /// The setting that names the secret.
        setting: &'static str,
        /// What the secret is.
        secret: &'static str,
        /// To whom it would go.
        address: String,
        /// How TLS is spoken there.
        tls: &'static str,
    },
    /// This build cannot do that.
    #[error("this program was built without the feature `prover`: it can be an entrypoint or a verifier")]
    NoProver,
}
