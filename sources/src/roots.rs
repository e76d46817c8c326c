//! Which authorities certify HTTPS nodes, beside those that are built in: the operating system's, or in their place the
//! file that `SSL_CERT_FILE` names; and a file of one's own.

use std::{env, fs, path::Path};

use reqwest::Certificate;

use crate::PoolError;

/// The certificates to add.
///
/// # Errors
/// [`PoolError::Roots`] names a file that was asked for and is of no use. What the system's own store has wrong is passed
/// over.
pub(crate) fn beside_built_in(file: Option<&Path>) -> Result<Vec<Certificate>, PoolError> {
    let refuse = |file: &Path, reason: String| PoolError::Roots { file: file.into(), reason };
    let mut roots = Vec::new();
    if let Some(file) = file {
        let pem = fs::read(file).map_err(|error| refuse(file, error.to_string()))?;
        let own = Certificate::from_pem_bundle(&pem).map_err(|error| refuse(file, error.to_string()))?;
        if own.is_empty() {
            return Err(refuse(file, "no certificate in it".into()));
        }
        roots.extend(own);
    }
    let system = rustls_native_certs::load_native_certs();
    if let (Some(named), Some(error)) = (env::var_os("SSL_CERT_FILE"), system.errors.first()) {
        return Err(refuse(Path::new(&named), error.to_string()));
    }
    roots.extend(system.certs.iter().filter_map(|certificate| Certificate::from_der(certificate).ok()));
    Ok(roots)
}
