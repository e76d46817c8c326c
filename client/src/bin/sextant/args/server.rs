//! Which proof server, and how to speak to it.

use std::path::PathBuf;

use clap::Args;
use sextant_client::security::{Security, SecurityError, SecurityFiles};

/// Which server.
#[derive(Debug, Args)]
pub struct Server {
    /// The server's address
    #[arg(
        id = "server",
        long = "server",
        value_name = "HOST:PORT",
        env = "SEXTANT_SERVER",
        default_value = "127.0.0.1:7100"
    )]
    pub address: String,
    /// Speak TLS, with the authorities that this system trusts (SSL_CERT_FILE names others)
    #[arg(long, env = "SEXTANT_CLIENT_TLS", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    pub tls: Option<bool>,
    /// Authorities that certify the server, PEM; with it, TLS is spoken, and only they count
    #[arg(long, value_name = "FILE", env = "SEXTANT_CLIENT_TLS_CA")]
    pub tls_ca: Option<PathBuf>,
    /// Own certificate for a server that asks for one, PEM
    #[arg(long, value_name = "FILE", env = "SEXTANT_CLIENT_TLS_CERT")]
    pub tls_cert: Option<PathBuf>,
    /// Private key of the certificate, PEM
    #[arg(long, value_name = "FILE", env = "SEXTANT_CLIENT_TLS_KEY")]
    pub tls_key: Option<PathBuf>,
    /// File with the token that the server wants; the variable SEXTANT_CLIENT_TOKEN may hold the token itself
    #[arg(long, value_name = "FILE", env = "SEXTANT_CLIENT_TOKEN_FILE")]
    pub token_file: Option<PathBuf>,
    /// Send the token without TLS to another machine, for whoever listens on the way to read
    #[arg(long)]
    pub allow_plain_token: bool,
}

impl Server {
    /// How the connection is protected.
    pub fn security(&self) -> Result<Security, SecurityError> {
        Security::from_files(&SecurityFiles {
            tls: self.tls.unwrap_or_default(),
            tls_ca: self.tls_ca.clone(),
            tls_cert: self.tls_cert.clone(),
            tls_key: self.tls_key.clone(),
            token_file: self.token_file.clone(),
            allow_plain_token: self.allow_plain_token,
        })
    }
}
