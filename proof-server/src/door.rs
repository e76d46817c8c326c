//! The door: who is let in, and how. It is replaced as a whole when its files are read again.

use std::sync::Arc;

use rustls::{pki_types::UnixTime, server::danger::ClientCertVerifier};
use sextant_protocol::{ErrorCode, ServerError};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::{
    access::{Access, Caller, Credentials, TokenFileError},
    config::Config,
    reload::{self, Reloaded},
    tls::{self, TlsError},
};

/// What newcomers have to pass.
pub(crate) struct Door {
    pub(crate) access: Access,
    pub(crate) tls: Option<TlsAcceptor>,
    certificates: Option<Arc<dyn ClientCertVerifier>>,
}

/// Why there is no door.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The token file.
    #[error(transparent)]
    Tokens(#[from] TokenFileError),
    /// The certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

impl Door {
    fn read(config: &Config) -> Result<Self, DoorError> {
        let access =
            Access::new(config.token_file.as_deref(), config.anonymous, config.budget, config.max_hops)?;
        let Some(files) = &config.tls else { return Ok(Self { access, tls: None, certificates: None }) };
        // Who has no certificate may still have a token.
        let optional = config.token_file.is_some() || config.anonymous;
        let certificates = tls::client_verifier(files, optional)?;
        let tls = tls::server_config(files, certificates.clone())?;
        Ok(Self { access, tls: Some(TlsAcceptor::from(Arc::new(tls))), certificates })
    }

    /// Whether a client that was let in by another door would be by this one.
    pub(crate) fn admit_again(&self, shown: &Credentials) -> Result<Caller, ServerError> {
        if let ([first, above @ ..], Some(verifier)) = (&shown.certificates[..], &self.certificates) {
            verifier.verify_client_cert(first, above, UnixTime::now()).map_err(|error| {
                ServerError::new(ErrorCode::Unauthorized, format!("your certificate: {error}"))
            })?;
        }
        self.access.admit(shown)
    }
}

/// A door made of the files as they are now, and how it is made anew. Whoever watches it sees the ones that follow.
pub(crate) fn open(config: &Config) -> Result<(watch::Receiver<Arc<Door>>, Reloaded), DoorError> {
    let tls = config.tls.as_ref();
    let files = reload::files([
        config.token_file.as_deref(),
        tls.map(|tls| tls.cert.as_path()),
        tls.map(|tls| tls.key.as_path()),
        tls.and_then(|tls| tls.client_ca.as_deref()),
        tls.and_then(|tls| tls.client_crl.as_deref()),
    ]);
    let config = config.clone();
    reload::reloaded("token file and certificates", files, move || Door::read(&config).map(Arc::new))
}
