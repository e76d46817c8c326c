//! Who is let in: certificates, and whether clients that do not say who they are get served.

use std::net::SocketAddr;

use super::{ConfigError, Settings};
use crate::tls::TlsFiles;

/// The certificate files, taken out of the settings; TLS if there are any.
pub(super) fn tls(settings: &mut Settings) -> Result<Option<TlsFiles>, ConfigError> {
    let needs = |setting, what| Err(ConfigError::Needs(setting, what));
    let (client_ca, client_crl) = (settings.tls_client_ca.take(), settings.tls_client_crl.take());
    match (settings.tls_cert.take(), settings.tls_key.take()) {
        (Some(_), Some(_)) if client_crl.is_some() && client_ca.is_none() => {
            needs("tls-client-crl", "tls-client-ca")
        }
        (Some(cert), Some(key)) => Ok(Some(TlsFiles { cert, key, client_ca, client_crl })),
        (Some(_), None) => needs("tls-cert", "tls-key"),
        (None, Some(_)) => needs("tls-key", "tls-cert"),
        (None, None) if client_crl.is_some() => needs("tls-client-crl", "tls-cert"),
        (None, None) if client_ca.is_some() => needs("tls-client-ca", "tls-cert"),
        (None, None) => Ok(None),
    }
}

/// Whether clients that do not say who they are get served: on this machine alone, unless somebody says otherwise.
pub(super) fn anonymous(
    settings: &Settings,
    listen: SocketAddr,
    tls: Option<&TlsFiles>,
) -> Result<bool, ConfigError> {
    let known = settings.token_file.is_some() || tls.is_some_and(|tls| tls.client_ca.is_some());
    // Whoever is served without a name is so at every address.
    let remote = [Some(listen), settings.http_listen].into_iter().flatten().find(|at| !at.ip().is_loopback());
    let anonymous = settings.allow_anonymous.unwrap_or(!known && remote.is_none());
    if known || anonymous { Ok(anonymous) } else { Err(ConfigError::Remote(remote.unwrap_or(listen))) }
}
