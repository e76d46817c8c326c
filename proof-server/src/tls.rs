//! TLS for the listener and towards upstreams, with rustls and ring.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer, pem::PemObject},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};

/// Certificate files of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// Certificate chain, PEM.
    pub cert: PathBuf,
    /// Private key, PEM.
    pub key: PathBuf,
    /// Authorities of client certificates, PEM.
    pub client_ca: Option<PathBuf>,
    /// Their lists of certificates that are revoked, PEM.
    pub client_crl: Option<PathBuf>,
}

/// A file, and the setting that names it.
#[derive(Clone, Debug)]
pub struct NamedFile {
    setting: &'static str,
    path: PathBuf,
}

impl NamedFile {
    fn new(setting: &'static str, path: &Path) -> Self {
        Self { setting, path: path.into() }
    }
}

impl fmt::Display for NamedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.path.display())
    }
}

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or is not PEM of the right kind.
    #[error("{file}: {source}")]
    Pem {
        /// The file.
        file: NamedFile,
        /// The reason.
        source: rustls::pki_types::pem::Error,
    },
    /// A file without any certificate.
    #[error("{0}: no certificate in it")]
    Empty(NamedFile),
    /// A file without any revocation list.
    #[error("{0}: no revocation list in it")]
    NoList(NamedFile),
    /// Certificates or keys that do not fit.
    #[error("{file}: {source}")]
    Rustls {
        /// The file that is to blame.
        file: NamedFile,
        /// The reason.
        source: rustls::Error,
    },
    /// The authorities of client certificates or their lists are of no use.
    #[error("{file}: {source}")]
    ClientCa {
        /// The file.
        file: NamedFile,
        /// The reason.
        source: rustls::server::VerifierBuilderError,
    },
}

/// Who checks client certificates, if anybody does. Clients without one get in only if `optional`; they then need
/// another way to say who they are.
pub(crate) fn client_verifier(
    files: &TlsFiles,
    optional: bool,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, TlsError> {
    let Some(path) = &files.client_ca else { return Ok(None) };
    let ca = NamedFile::new("tls-client-ca", path);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = Arc::new(authorities(&ca)?);
    let mut builder = WebPkiClientVerifier::builder_with_provider(roots, provider);
    if let Some(path) = &files.client_crl {
        let file = NamedFile::new("tls-client-crl", path);
        let wrong = |source| TlsError::Pem { file: file.clone(), source };
        let lists = CertificateRevocationListDer::pem_file_iter(path).map_err(wrong)?;
        let lists: Vec<_> = lists.collect::<Result<_, _>>().map_err(wrong)?;
        if lists.is_empty() {
            return Err(TlsError::NoList(file));
        }
        builder = builder.with_crls(lists).only_check_end_entity_revocation();
    }
    if optional {
        builder = builder.allow_unauthenticated();
    }
    let verifier = builder.build().map_err(|source| TlsError::ClientCa { file: ca, source })?;
    Ok(Some(verifier))
}

/// TLS of a listener, with whoever checks client certificates.
pub(crate) fn server_config(
    files: &TlsFiles,
    clients: Option<Arc<dyn ClientCertVerifier>>,
) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let cert = NamedFile::new("tls-cert", &files.cert);
    let chain = certificates(&cert)?;
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|source| TlsError::Pem { file: NamedFile::new("tls-key", &files.key), source })?;
    let wrong = |source| TlsError::Rustls { file: cert.clone(), source };
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(wrong)?;
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(verifier) => builder.with_client_cert_verifier(verifier),
    };
    builder.with_single_cert(chain, key).map_err(wrong)
}

/// TLS towards servers that one of the authorities in `ca`, which `upstream-ca` names, certifies.
pub(crate) fn client_config(ca: &Path) -> Result<ClientConfig, TlsError> {
    let ca = NamedFile::new("upstream-ca", ca);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|source| TlsError::Rustls { file: ca.clone(), source })?;
    Ok(builder.with_root_certificates(authorities(&ca)?).with_no_client_auth())
}

fn authorities(file: &NamedFile) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(file)? {
        roots.add(certificate).map_err(|source| TlsError::Rustls { file: file.clone(), source })?;
    }
    Ok(roots)
}

fn certificates(file: &NamedFile) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |source| TlsError::Pem { file: file.clone(), source };
    let certificates: Vec<_> =
        CertificateDer::pem_file_iter(&file.path).map_err(wrong)?.collect::<Result<_, _>>().map_err(wrong)?;
    if certificates.is_empty() { Err(TlsError::Empty(file.clone())) } else { Ok(certificates) }
}
