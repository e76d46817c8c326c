//! What makes a connection safe: TLS towards the server, and a token or a certificate that says who asks.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem, pem::PemObject},
};
use sextant_link::Tls;
use sextant_protocol::Token;

/// Environment variable that a token may come from, in place of a file.
pub const TOKEN_VARIABLE: &str = "SEXTANT_CLIENT_TOKEN";

/// How a connection is protected. The default is not at all, for a server on this machine. Debug output shows no
/// secret.
#[derive(Clone, Debug, Default)]
pub struct Security {
    tls: Tls,
    token: Token,
}

/// The files that say how.
#[derive(Clone, Debug, Default)]
pub struct SecurityFiles {
    /// Authorities that certify the server, PEM; TLS if given.
    pub tls_ca: Option<PathBuf>,
    /// The client's own certificate chain, PEM.
    pub tls_cert: Option<PathBuf>,
    /// Its private key, PEM.
    pub tls_key: Option<PathBuf>,
    /// A file that holds the token and nothing else.
    pub token_file: Option<PathBuf>,
}

/// Why a connection cannot be protected as asked.
#[derive(Debug, thiserror::Error)]
pub enum SecurityError {
    /// The token cannot be read.
    #[error("token file {path}: {source}")]
    Token {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// A file cannot be read, or is not PEM of the right kind.
    #[error("{path}: {source}")]
    Pem {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: pem::Error,
    },
    /// Certificates or keys that do not fit.
    #[error("{path}: {source}")]
    Rustls {
        /// The file that is to blame.
        path: PathBuf,
        /// The reason.
        source: rustls::Error,
    },
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
            Some(path) => std::fs::read_to_string(path)
                .map_err(|source| SecurityError::Token { path: path.clone(), source })?,
            None => std::env::var(TOKEN_VARIABLE).unwrap_or_default(),
        };
        let tls = match (&files.tls_ca, &files.tls_cert, &files.tls_key) {
            (Some(ca), cert, key) => Some(Arc::new(tls(ca, cert.as_deref(), key.as_deref())?)),
            (None, None, None) => None,
            (None, ..) => return Err(SecurityError::Needs("a client certificate", "--tls-ca")),
        };
        Ok(Self { tls, token: Token(token.trim().to_owned()) })
    }

    /// The token; empty if there is none.
    pub(crate) fn token(&self) -> Token {
        self.token.clone()
    }

    /// TLS towards servers, if it is spoken.
    pub(crate) fn tls(&self) -> Tls {
        self.tls.clone()
    }
}

fn tls(ca: &Path, cert: Option<&Path>, key: Option<&Path>) -> Result<rustls::ClientConfig, SecurityError> {
    let wrong = |path: &Path, source| SecurityError::Rustls { path: path.into(), source };
    let mut roots = RootCertStore::empty();
    for certificate in certificates(ca)? {
        roots.add(certificate).map_err(|source| wrong(ca, source))?;
    }
    let builder =
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|source| wrong(ca, source))?
            .with_root_certificates(roots);
    match (cert, key) {
        (None, None) => Ok(builder.with_no_client_auth()),
        (Some(cert), Some(key)) => {
            let pem = |source| SecurityError::Pem { path: key.into(), source };
            let private = PrivateKeyDer::from_pem_file(key).map_err(pem)?;
            builder.with_client_auth_cert(certificates(cert)?, private).map_err(|source| wrong(cert, source))
        }
        (Some(_), None) => Err(SecurityError::Needs("--tls-cert", "--tls-key")),
        (None, Some(_)) => Err(SecurityError::Needs("--tls-key", "--tls-cert")),
    }
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
    fn files_that_do_not_fit_are_named() {
        let nowhere = || Some(PathBuf::from("/nonexistent"));
        for (files, reason) in [
            (SecurityFiles { tls_cert: nowhere(), ..SecurityFiles::default() }, "--tls-ca"),
            (SecurityFiles { tls_ca: nowhere(), ..SecurityFiles::default() }, "/nonexistent"),
            (SecurityFiles { token_file: nowhere(), ..SecurityFiles::default() }, "token file"),
        ] {
            let error = Security::from_files(&files).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
