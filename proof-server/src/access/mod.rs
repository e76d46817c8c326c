//! Who a client is, and what it may have: bearer tokens, client certificates, addresses, budgets.
//!
//! What a client says about others - the servers that its requests have passed through, the client for whom it asks, the
//! trace that they belong to - is believed only of those whom the token file calls servers. From anybody else it is the
//! word of a stranger.

mod file;
mod identity;

use std::{net::IpAddr, path::Path};

use file::{Known, KnownClients};
pub use file::{TokenFileError, check_name};
pub(crate) use identity::{Identity, network, prefix};
use identity::{MAX_ON_BEHALF, fingerprint};
use rustls::pki_types::CertificateDer;
use sextant_protocol::{ErrorCode, ServerError, Token};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio_util::sync::CancellationToken;

use crate::traces::SpanContext;

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

/// What a client has shown of itself, and what it says.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    /// Where it comes from.
    pub(crate) address: IpAddr,
    /// Its certificate and those above it, as TLS has checked them; empty without.
    pub(crate) certificates: Vec<CertificateDer<'static>>,
    pub(crate) token: Token,
    /// Servers that its requests have passed through, it says.
    pub(crate) hops: u32,
    /// For whom it asks, it says; empty for itself.
    pub(crate) on_behalf: String,
    /// The span that its requests are part of, it says.
    pub(crate) traceparent: Option<String>,
}

/// A client that was let in.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) identity: Identity,
    pub(crate) budget: Budget,
    /// It has shown who it is: not everybody could have come like this.
    pub(crate) known: bool,
    /// It may see what the server is at.
    pub(crate) operator: bool,
    /// Servers its requests have passed through.
    pub(crate) hops: u32,
    /// The span that they are part of.
    pub(crate) within: Option<SpanContext>,
    /// Cancelled when its connection has ended.
    pub(crate) gone: CancellationToken,
}

/// Decides who a client is.
#[derive(Debug)]
pub(crate) struct Access {
    known: KnownClients,
    anonymous: bool,
    budget: Budget,
    max_hops: u32,
}

impl Access {
    /// Knows those in the token file, if there is one.
    pub(crate) fn new(
        token_file: Option<&Path>,
        anonymous: bool,
        budget: Budget,
        max_hops: u32,
    ) -> Result<Self, TokenFileError> {
        let known = token_file.map_or(Ok(KnownClients::default()), |path| file::read(path, budget))?;
        Ok(Self { known, anonymous, budget, max_hops })
    }

    /// Lets a client in, or says why not. A token wins over a certificate, a certificate over an address.
    pub(crate) fn admit(&self, shown: &Credentials) -> Result<Caller, ServerError> {
        let unauthorized = |message: &str| ServerError::new(ErrorCode::Unauthorized, message);
        let mut caller = Caller {
            identity: Identity::address(shown.address),
            budget: self.budget,
            known: true,
            operator: false,
            hops: 0,
            within: None,
            gone: CancellationToken::new(),
        };
        let found = if !shown.token.0.is_empty() {
            let token = &shown.token.0;
            // Of one that is over-long only the beginning is hashed, which is no reason to take it for another.
            let hash = Sha256::digest(&token.as_bytes()[..token.len().min(MAX_TOKEN)]).into();
            let found = find(&self.known.tokens, hash).filter(|_| token.len() <= MAX_TOKEN);
            Some(found.ok_or_else(|| unauthorized("the token is not known here"))?)
        } else if let Some(certificate) = shown.certificates.first() {
            let fingerprint = fingerprint(certificate);
            caller.identity = Identity::certificate(&fingerprint);
            find(&self.known.certificates, fingerprint)
        } else if self.anonymous {
            caller.known = false;
            // Where nobody is told apart, whoever is on the machine could read all of it anyway.
            caller.operator = self.known.is_empty() && shown.address.to_canonical().is_loopback();
            None
        } else {
            return Err(unauthorized("this server wants to know who asks: a token or a client certificate"));
        };
        if let Some(found) = found {
            (caller.identity, caller.budget) = (found.identity.clone(), found.budget);
            caller.operator = found.operator;
            if found.server {
                self.believe(shown, &mut caller)?;
            }
        }
        Ok(caller)
    }

    /// Takes what a server says about those for whom it asks.
    fn believe(&self, shown: &Credentials, caller: &mut Caller) -> Result<(), ServerError> {
        let Credentials { hops, on_behalf, traceparent, .. } = shown;
        if *hops > self.max_hops {
            let message = format!("passed through {hops} servers, {} are allowed", self.max_hops);
            return Err(ServerError::new(ErrorCode::Unsupported, message));
        }
        caller.hops = *hops;
        caller.within = traceparent.as_deref().and_then(SpanContext::parse);
        if on_behalf.is_empty() {
            return Ok(());
        }
        if on_behalf.len() > MAX_ON_BEHALF || on_behalf.chars().any(|c| !c.is_ascii_graphic() && c != ' ') {
            let message = format!("a client's name is 1 to {MAX_ON_BEHALF} visible ASCII characters");
            return Err(ServerError::new(ErrorCode::Malformed, message));
        }
        // What is counted is the client's, not the server's, which would have one share for all its clients.
        (caller.identity, caller.budget) = (Identity::forwarded(on_behalf), self.budget);
        Ok(())
    }
}

/// Compares with everybody, each in constant time: how long it takes tells nothing about any of them.
fn find(all: &[Known], sha256: [u8; 32]) -> Option<&Known> {
    all.iter().fold(None, |found, known| if known.sha256.ct_eq(&sha256).into() { Some(known) } else { found })
}

#[cfg(test)]
mod tests;
