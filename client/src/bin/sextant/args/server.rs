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
    /// Authorities that certify the server, PEM; with it, TLS is spoken
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
}

impl Server {
    /// How the connection is protected.
    pub fn security(&self) -> Result<Security, SecurityError> {
        Security::from_files(&SecurityFiles {
            tls_ca: self.tls_ca.clone(),
            tls_cert: self.tls_cert.clone(),
            tls_key: self.tls_key.clone(),
            token_file: self.token_file.clone(),
        })
    }
}
