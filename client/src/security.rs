//! What makes a connection safe: TLS towards the server, and a token or a certificate that says who asks.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
};
use sextant_link::{Tls, is_this_machine};
use sextant_protocol::Token;

/// Environment variable that a token may come from, in place of a file.
pub const TOKEN_VARIABLE: &str = "SEXTANT_CLIENT_TOKEN";

/// How a connection is protected. The default is not at all, for a server on this machine. Debug output shows no
/// secret.
#[derive(Clone, Debug, Default)]
pub struct Security {
    tls: Tls,
    token: Token,
    plain_token: bool,
}

/// What is said about protection.
#[derive(Clone, Debug, Default)]
pub struct SecurityFiles {
    /// Speak TLS, with the authorities that this system trusts unless `tls_ca` names others.
    pub tls: bool,
    /// Authorities that certify the server, PEM; TLS if given.
    pub tls_ca: Option<PathBuf>,
    /// The client's own certificate chain, PEM.
    pub tls_cert: Option<PathBuf>,
    /// Its private key, PEM.
    pub tls_key: Option<PathBuf>,
    /// A file that holds the token and nothing else.
    pub token_file: Option<PathBuf>,
    /// Let the token cross a network without TLS, for whoever listens to read.
    pub allow_plain_token: bool,
}

/// Why a connection cannot be protected as asked.
#[derive(Debug, thiserror::Error)]
pub enum SecurityError {
    /// The token cannot be read.
    #[error("token file {}: {source}", .path.display())]
    Token {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A token file without a token.
    #[error("token file {}: there is no token in it", .0.display())]
    EmptyToken(PathBuf),
    /// A token that anybody on the way could read.
    #[error(
        "the token would cross the network in the clear: speak TLS (--tls, or --tls-ca FILE), or say \
         --allow-plain-token"
    )]
    PlainToken,
    /// A file cannot be read, or is not PEM of the right kind.
    #[error("{}: {source}", .path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: pem::Error,
    },
    /// Certificates or keys that do not fit.
    #[error("{}: {source}", .path.display())]
    Rustls {
        /// The file that is to blame.
        path: PathBuf,
        /// The reason.
        source: rustls::Error,
    },
    /// The system trusts nobody.
    #[error("this system has no certificate authorities ({0}): name the server's with --tls-ca FILE")]
    NoAuthorities(String),
    /// A file that is of no use without another.
    #[error("{0} needs {1}")]
    Needs(&'static str, &'static str),
}

impl Security {
    /// Reads the files, and the token from [`TOKEN_VARIABLE`] if no file has one.
    ///
    /// # Errors
    /// [`SecurityError`] names the file.
    pub fn from_files(files: &SecurityFiles) -> Result<Self, SecurityError> {
        let token = match &files.token_file {
            Some(path) => {
                let token = std::fs::read_to_string(path)
                    .map_err(|source| SecurityError::Token { path: path.clone(), source })?;
                if token.trim().is_empty() {
                    return Err(SecurityError::EmptyToken(path.clone()));
                }
                token
            }
            None => std::env::var(TOKEN_VARIABLE).unwrap_or_default(),
        };
        let certified = files.tls_cert.is_some() || files.tls_key.is_some();
        let roots = match (&files.tls_ca, files.tls) {
            (Some(ca), _) => Some(authorities(ca)?),
            (None, true) => Some(system_authorities()?),
            (None, false) if certified => {
                return Err(SecurityError::Needs("a client certificate", "--tls or --tls-ca"));
            }
            (None, false) => None,
        };
        let tls =
            roots.map(|roots| tls(roots, files.tls_cert.as_deref(), files.tls_key.as_deref())).transpose()?;
        Ok(Self {
            tls: tls.map(Arc::new),
            token: Token(token.trim().to_owned()),
            plain_token: files.allow_plain_token,
        })
    }

    /// The token; empty if there is none.
    pub(crate) fn token(&self) -> Token {
        self.token.clone()
    }

    /// TLS towards servers, if it is spoken.
    pub(crate) fn tls(&self) -> Tls {
        self.tls.clone()
    }

    /// Whether a server at these addresses may be told the token: within TLS, on this machine, or as it was asked for.
    ///
    /// # Errors
    /// [`SecurityError::PlainToken`].
    pub(crate) fn check_token(&self, server: &[SocketAddr]) -> Result<(), SecurityError> {
        let safe =
            self.token.0.is_empty() || self.tls.is_some() || is_this_machine(server) || self.plain_token;
        if safe { Ok(()) } else { Err(SecurityError::PlainToken) }
    }
}

fn tls(
    roots: RootCertStore,
    cert: Option<&Path>,
    key: Option<&Path>,
) -> Result<rustls::ClientConfig, SecurityError> {
    let builder =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("ring has the default versions")
            .with_root_certificates(roots);
    match (cert, key) {
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(cert), Some(key)) => {
            let pem = |source| SecurityError::Pem { path: key.into(), source };
            let private = PrivateKeyDer::from_pem_file(key).map_err(pem)?;
            let wrong = |source| SecurityError::Rustls { path: cert.into(), source };
            builder.with_client_auth_cert(certificates(cert)?, private).map_err(wrong)
        }
        (Some(_), None) => Err(SecurityError::Needs("--tls-cert", "--tls-key")),
        (None, Some(_)) => Err(SecurityError::Needs("--tls-key", "--tls-cert")),
    }
}

fn authorities(ca: &Path) -> Result<RootCertStore, SecurityError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots.add(certificate).map_err(|source| SecurityError::Rustls { path: ca.into(), source })?;
    }
    Ok(roots)
}

/// Those that this system trusts; `SSL_CERT_FILE` and `SSL_CERT_DIR` name others.
fn system_authorities() -> Result<RootCertStore, SecurityError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // One that does not parse is no reason to distrust the others.
    let (added, _) = roots.add_parsable_certificates(found.certs);
    if added == 0 {
        let reason = found.errors.first().map_or("none found".into(), ToString::to_string);
        return Err(SecurityError::NoAuthorities(reason));
    }
    Ok(roots)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, SecurityError> {
    let wrong = |source| SecurityError::Pem { path: path.into(), source };
    CertificateDer::pem_file_iter(path).map_err(wrong)?.collect::<Result<_, _>>().map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_come_from_files_and_are_not_shown() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "sextant_c0ffee\n").unwrap();
        let files = SecurityFiles { token_file: Some(file.path().into()), ..SecurityFiles::default() };
        let security = Security::from_files(&files).unwrap();
        assert_eq!(security.token().0, "sextant_c0ffee", "without the line's end");
        assert!(!format!("{security:?}").contains("c0ffee"));
    }

    #[test]
    fn a_token_leaves_this_machine_only_within_tls_or_by_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "sextant_c0ffee").unwrap();
        let mut files = SecurityFiles { token_file: Some(file.path().into()), ..SecurityFiles::default() };
        let [here, also_here, there] =
            ["127.0.0.1:1", "[::ffff:127.0.0.1]:1", "192.0.2.7:1"].map(|address| address.parse().unwrap());
        let bare = Security::from_files(&files).unwrap();
        assert!(bare.check_token(&[here, also_here]).is_ok());
        assert!(bare.check_token(&[there]).is_err());
        assert!(bare.check_token(&[here, there]).is_err(), "a name may stand for both");
        assert!(Security::default().check_token(&[there]).is_ok(), "nothing to give away");
        files.allow_plain_token = true;
        assert!(Security::from_files(&files).unwrap().check_token(&[there]).is_ok());
    }

    #[test]
    fn files_that_do_not_fit_are_named() {
        let blank = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(blank.path(), " \n").unwrap();
        let nowhere = || Some(PathBuf::from("/nonexistent"));
        for (files, reason) in [
            (SecurityFiles { tls_cert: nowhere(), ..SecurityFiles::default() }, "--tls-ca"),
            (SecurityFiles { tls_ca: nowhere(), ..SecurityFiles::default() }, "/nonexistent"),
            (SecurityFiles { token_file: nowhere(), ..SecurityFiles::default() }, "token file"),
            (
                SecurityFiles { token_file: Some(blank.path().into()), ..SecurityFiles::default() },
                "no token in it",
            ),
        ] {
            let error = Security::from_files(&files).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
