//! Who a client is, and what it may have: bearer tokens, client certificates, addresses, budgets.
//!
//! A token file is TOML. It holds hashes, never tokens, so that reading it does not make anybody's proofs:
//!
//! ```toml
//! [[token]]
//! name = "alice"
//! sha256 = "64 hexadecimal digits"
//! requests = 8           # open at once; the server's setting if left out
//! proofs_per_hour = 60   # 0 is no limit; the server's setting if left out
//! ```

use std::{
    net::IpAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;
use sextant_protocol::{ErrorCode, ServerError, Token};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;

/// Longest token that is looked at, bytes.
const MAX_TOKEN: usize = 256;

/// What one client may have at once and in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Prove and verify requests open at once.
    pub requests: usize,
    /// Proofs made in an hour; 0 is no limit.
    pub proofs_per_hour: u32,
}

/// Whom the server takes a client for: what shares and budgets are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity(Arc<str>);

impl Identity {
    fn token(name: &str) -> Self {
        Self(format!("token {name}").into())
    }

    fn certificate(der: &[u8]) -> Self {
        let fingerprint = Sha256::digest(der);
        Self(format!("certificate {}", hex::encode(&fingerprint[..8])).into())
    }

    pub(crate) fn address(ip: IpAddr) -> Self {
        Self(format!("address {}", network(ip)).into())
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// What counts as one address: an IPv4 address, or the /64 network of an IPv6 address, which one customer has to
/// itself with all its 2^64 addresses.
pub(crate) fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}

/// A client that was let in.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) identity: Identity,
    pub(crate) budget: Budget,
    /// Servers its requests have passed through.
    pub(crate) hops: u32,
    /// Cancelled when its connection has ended.
    pub(crate) gone: CancellationToken,
}

/// Why a token file is not taken.
#[derive(Debug, thiserror::Error)]
pub enum TokenFileError {
    /// It cannot be read.
    #[error("token file {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// It is not TOML of the right form.
    #[error("token file {path}: {source}")]
    Toml {
        /// The file.
        path: PathBuf,
        /// The reason, with line and column.
        source: Box<toml::de::Error>,
    },
    /// An entry that cannot be meant.
    #[error("token file {path}: token {name:?}: {reason}")]
    Entry {
        /// The file.
        path: PathBuf,
        /// The entry.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// The door: decides who a client is.
#[derive(Debug)]
pub(crate) struct Access {
    tokens: Vec<KnownToken>,
    anonymous: bool,
    budget: Budget,
    max_hops: u32,
}

#[derive(Debug)]
struct KnownToken {
    identity: Identity,
    sha256: [u8; 32],
    budget: Budget,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenFile {
    token: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    sha256: String,
    requests: Option<usize>,
    proofs_per_hour: Option<u32>,
}

impl Access {
    /// A door that knows the tokens of a file, if there is one.
    pub(crate) fn new(
        token_file: Option<&Path>,
        anonymous: bool,
        budget: Budget,
        max_hops: u32,
    ) -> Result<Self, TokenFileError> {
        let tokens = token_file.map_or(Ok(Vec::new()), |path| read_tokens(path, budget))?;
        Ok(Self { tokens, anonymous, budget, max_hops })
    }

    /// Lets a client in, or says why not. A token wins over a certificate, a certificate over an address.
    pub(crate) fn admit(
        &self,
        peer: IpAddr,
        certificate: Option<&[u8]>,
        token: &Token,
        hops: u32,
    ) -> Result<Caller, ServerError> {
        if hops > self.max_hops {
            let message = format!("passed through {hops} servers, {} are allowed", self.max_hops);
            return Err(ServerError::new(ErrorCode::Unsupported, message));
        }
        let unauthorized = |message: &str| ServerError::new(ErrorCode::Unauthorized, message);
        let (identity, budget) = if !token.0.is_empty() {
            let known = self.known(&token.0).ok_or_else(|| unauthorized("the token is not known here"))?;
            (known.identity.clone(), known.budget)
        } else if let Some(der) = certificate {
            (Identity::certificate(der), self.budget)
        } else if self.anonymous {
            (Identity::address(peer), self.budget)
        } else {
            return Err(unauthorized("this server wants to know who asks: a token or a client certificate"));
        };
        Ok(Caller { identity, budget, hops, gone: CancellationToken::new() })
    }

    /// Compares with every known token, each in constant time: how long it takes tells nothing about any of them.
    fn known(&self, token: &str) -> Option<&KnownToken> {
        let got: [u8; 32] = Sha256::digest(&token.as_bytes()[..token.len().min(MAX_TOKEN)]).into();
        self.tokens.iter().fold(None, |found, known| {
            if bool::from(known.sha256.ct_eq(&got)) && token.len() <= MAX_TOKEN { Some(known) } else { found }
        })
    }
}

fn read_tokens(path: &Path, default: Budget) -> Result<Vec<KnownToken>, TokenFileError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| TokenFileError::File { path: path.into(), source })?;
    let file: TokenFile = toml::from_str(&text).map_err(|mut source| {
        // The message would quote the line, and with it whatever somebody pasted there by mistake.
        source.set_input(None);
        TokenFileError::Toml { path: path.into(), source: Box::new(source) }
    })?;
    let mut known: Vec<KnownToken> = Vec::new();
    for entry in file.token {
        let wrong = |reason| TokenFileError::Entry { path: path.into(), name: entry.name.clone(), reason };
        let named = !entry.name.is_empty()
            && entry.name.len() <= 64
            && entry.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@".contains(c));
        if !named {
            return Err(wrong("a name is 1 to 64 letters, digits, or any of -_.@"));
        }
        let mut sha256 = [0; 32];
        hex::decode_to_slice(&entry.sha256, &mut sha256)
            .map_err(|_| wrong("sha256 must be 64 hexadecimal digits: the hash, not the token"))?;
        if sha256 == <[u8; 32]>::from(Sha256::digest(b"")) {
            return Err(wrong("sha256 is that of the empty token"));
        }
        let identity = Identity::token(&entry.name);
        if known.iter().any(|other| other.identity == identity || other.sha256 == sha256) {
            return Err(wrong("it stands twice in the file"));
        }
        let budget = Budget {
            requests: entry.requests.unwrap_or(default.requests),
            proofs_per_hour: entry.proofs_per_hour.unwrap_or(default.proofs_per_hour),
        };
        known.push(KnownToken { identity, sha256, budget });
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUDGET: Budget = Budget { requests: 4, proofs_per_hour: 0 };
    const PEER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn entry(name: &str, token: &str, rest: &str) -> String {
        format!("[[token]]\nname = \"{name}\"\nsha256 = \"{}\"\n{rest}\n", hex::encode(Sha256::digest(token)))
    }

    #[test]
    fn tokens_certificates_and_addresses_name_clients() {
        let tokens = file(&(entry("alice", "a secret", "requests = 2") + &entry("bob", "another", "")));
        let closed = Access::new(Some(tokens.path()), false, BUDGET, 1).unwrap();
        let admit = |token: &str, certificate| closed.admit(PEER, certificate, &Token(token.into()), 0);
        let alice = admit("a secret", None).unwrap();
        assert_eq!((alice.identity.to_string(), alice.budget.requests), ("token alice".into(), 2));
        assert_eq!(admit("another", None).unwrap().budget, BUDGET);
        let certified = admit("", Some(b"der")).unwrap();
        assert!(certified.identity.to_string().starts_with("certificate "));
        for stranger in ["", "a secre", "a secret ", &"x".repeat(10_000)] {
            assert_eq!(admit(stranger, None).unwrap_err().code, ErrorCode::Unauthorized, "{stranger:.20}");
        }
        // A wrong token is not made good by a certificate.
        assert_eq!(admit("wrong", Some(b"der")).unwrap_err().code, ErrorCode::Unauthorized);

        let open = Access::new(None, true, BUDGET, 1).unwrap();
        let stranger = open.admit(PEER, None, &Token::default(), 1).unwrap();
        assert_eq!(stranger.identity.to_string(), "address 192.0.2.7");
        let looped = open.admit(PEER, None, &Token::default(), 2).unwrap_err();
        assert_eq!(looped.code, ErrorCode::Unsupported);
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let of = |ip: &str| network(ip.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("2001:db8:1:2::9"), of("2001:db8:1:2:ffff::"));
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
    }

    #[test]
    fn files_that_cannot_be_meant_are_refused_and_not_quoted() {
        for (text, reason) in [
            (entry("", "t", ""), "name"),
            (entry("a\\nb", "t", ""), "name"),
            (entry("alice", "t", "") + &entry("alice", "u", ""), "twice"),
            (entry("alice", "t", "") + &entry("bob", "t", ""), "twice"),
            (entry("alice", "", ""), "empty token"),
            ("[[token]]\nname = \"alice\"\nsha256 = \"my secret\"".into(), "not the token"),
            ("[[token]]\nname = \"alice\"\ntoken = \"my secret\"".into(), "unknown field"),
        ] {
            let error = Access::new(Some(file(&text).path()), false, BUDGET, 1).unwrap_err().to_string();
            assert!(error.contains(reason) && !error.contains("my secret"), "{error}");
        }
        assert!(matches!(
            Access::new(Some(Path::new("/nonexistent")), false, BUDGET, 1),
            Err(TokenFileError::File { .. })
        ));
    }
}
