//! The key that signs transactions: from a file, a keystore or the environment, never from the command line, where
//! everybody on the machine could read it.

use std::{fmt, fs, path::Path};

use alloy_primitives::Address;
use alloy_signer_local::{LocalSigner, PrivateKeySigner};
use zeroize::Zeroizing;

/// The environment variable that may hold a private key, in hex.
pub const KEY_VARIABLE: &str = "SEXTANT_KEY";
/// The environment variable that may hold a keystore's password.
pub const PASSWORD_VARIABLE: &str = "SEXTANT_KEYSTORE_PASSWORD";

/// A private key of an Ethereum account. Never shown: only its address is.
#[derive(Clone)]
pub struct Key(pub(crate) PrivateKeySigner);

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// A file cannot be read.
    #[error("{file}: {error}")]
    File {
        /// The file.
        file: String,
        /// The system's reason.
        error: std::io::Error,
    },
    /// The file may be read by others.
    #[error("{file}: others may read this private key (mode {mode:o}): chmod 600 it first")]
    Exposed {
        /// The file.
        file: String,
        /// Its permission bits.
        mode: u32,
    },
    /// Not a private key.
    #[error("{0}: not a private key of 32 bytes in hex")]
    NoKey(String),
    /// The keystore does not open.
    #[error("{file}: not a keystore, or another password: {reason}")]
    Keystore {
        /// The file.
        file: String,
        /// The reason.
        reason: String,
    },
    /// Nothing says which key.
    #[error("no key: give --key-file or --keystore, or set {KEY_VARIABLE}")]
    None,
    /// A keystore without its password.
    #[error("no password for the keystore: give --password-file or set {PASSWORD_VARIABLE}")]
    NoPassword,
}

impl Key {
    /// A private key in hex, with or without `0x`; `source` names it in errors.
    ///
    /// # Errors
    /// [`KeyError::NoKey`], which does not repeat the text.
    pub fn from_hex(source: &str, text: &str) -> Result<Self, KeyError> {
        text.trim().parse().map(Self).map_err(|_| KeyError::NoKey(source.into()))
    }

    /// A file with a private key in hex, which nobody else may read.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_file(file: &Path) -> Result<Self, KeyError> {
        check_private(file)?;
        Self::from_hex(&file.display().to_string(), &read(file)?)
    }

    /// A keystore file (Web3 Secret Storage, as geth, foundry and others write it).
    ///
    /// # Errors
    /// [`KeyError::Keystore`].
    pub fn from_keystore(file: &Path, password: &str) -> Result<Self, KeyError> {
        let opened = LocalSigner::decrypt_keystore(file, password);
        opened.map(Self).map_err(|error| KeyError::Keystore {
            file: file.display().to_string(),
            reason: error.to_string(),
        })
    }

    /// The key that was named: a file, or a keystore with a file of its password, or the environment.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn find(
        file: Option<&Path>,
        keystore: Option<&Path>,
        password_file: Option<&Path>,
    ) -> Result<Self, KeyError> {
        if let Some(file) = file {
            return Self::from_file(file);
        }
        if let Some(keystore) = keystore {
            let password = match password_file {
                Some(file) => read(file)?,
                None => variable(PASSWORD_VARIABLE).ok_or(KeyError::NoPassword)?,
            };
            return Self::from_keystore(keystore, password.trim_end_matches(['\n', '\r']));
        }
        let text = variable(KEY_VARIABLE).ok_or(KeyError::None)?;
        Self::from_hex(KEY_VARIABLE, &text)
    }

    /// The account's address.
    pub fn address(&self) -> Address {
        self.0.address()
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.address())
    }
}

fn variable(name: &str) -> Option<Zeroizing<String>> {
    std::env::var(name).ok().map(Zeroizing::new)
}

fn read(file: &Path) -> Result<Zeroizing<String>, KeyError> {
    let text = fs::read_to_string(file);
    text.map(Zeroizing::new).map_err(|error| KeyError::File { file: file.display().to_string(), error })
}

/// As ssh has it: a private key that others can read is refused.
fn check_private(file: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt;
    let name = || file.display().to_string();
    let metadata = fs::metadata(file).map_err(|error| KeyError::File { file: name(), error })?;
    match metadata.permissions().mode() & 0o777 {
        mode if mode & 0o077 != 0 => Err(KeyError::Exposed { file: name(), mode }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// The first account of every development node.
    const TEXT: &str = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
    const ADDRESS: &str = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";

    #[test]
    fn a_key_is_read_and_never_shown() {
        let key = Key::from_hex("test", TEXT).unwrap();
        assert_eq!(key.address().to_string(), ADDRESS);
        assert_eq!(format!("{key:?}"), format!("Key({ADDRESS})"));
        for bad in ["", "0x12", "secret words", &TEXT[..60]] {
            let error = Key::from_hex("that file", bad).unwrap_err().to_string();
            assert_eq!(error, "that file: not a private key of 32 bytes in hex");
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        fs::write(&file, format!("{TEXT}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        assert!(Key::from_file(&file).unwrap_err().to_string().contains("mode 640"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert_eq!(Key::from_file(&file).unwrap().address().to_string(), ADDRESS);
    }

    #[test]
    fn a_keystore_opens_with_its_password_only() {
        let folder = tempfile::tempdir().unwrap();
        let key = Key::from_hex("test", TEXT).unwrap();
        let secret = key.0.to_bytes();
        let (_, name) =
            LocalSigner::encrypt_keystore(folder.path(), &mut rand_source(), secret, "open", None).unwrap();
        let file = folder.path().join(name);
        assert_eq!(Key::from_keystore(&file, "open").unwrap().address().to_string(), ADDRESS);
        assert!(matches!(Key::from_keystore(&file, "other"), Err(KeyError::Keystore { .. })));
        let password = folder.path().join("password");
        fs::write(&password, "open\n").unwrap();
        let found = Key::find(None, Some(&file), Some(&password)).unwrap();
        assert_eq!(found.address().to_string(), ADDRESS);
    }

    fn rand_source() -> impl rand::Rng + rand::CryptoRng {
        rand::thread_rng()
    }
}
