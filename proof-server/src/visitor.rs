//! A client at the door and after it: what it has shown counts as long as the door says so.

use std::{net::SocketAddr, sync::Arc};

use rustls::pki_types::CertificateDer;
use sextant_protocol::{ErrorCode, ServerError, Token};
use tokio::{sync::watch, time::Instant};

use crate::{
    access::{Caller, Credentials, Identity},
    door::Door,
    places::Place,
};

/// A client that is connected.
pub(crate) struct Visitor {
    /// Where it comes from.
    pub(crate) peer: SocketAddr,
    /// When it has to have introduced itself.
    pub(crate) introduce_by: Instant,
    certificates: Vec<CertificateDer<'static>>,
    door: watch::Receiver<Arc<Door>>,
    place: Place,
    admitted: Option<(Credentials, Identity)>,
}

impl Visitor {
    /// One that TLS has seen these certificates of.
    pub(crate) fn new(
        peer: SocketAddr,
        introduce_by: Instant,
        certificates: Vec<CertificateDer<'static>>,
        door: watch::Receiver<Arc<Door>>,
        place: Place,
    ) -> Self {
        Self { peer, introduce_by, certificates, door, place, admitted: None }
    }

    /// Lets it in with what it says of itself. Where each request says it anew, with each.
    pub(crate) fn admit(
        &mut self,
        token: Token,
        hops: u32,
        on_behalf: String,
        traceparent: Option<String>,
    ) -> Result<Caller, ServerError> {
        let certificates = self.certificates.clone();
        let address = self.peer.ip();
        let shown = Credentials { address, certificates, token, hops, on_behalf, traceparent };
        let door = self.door.borrow_and_update().clone();
        // TLS has looked at the certificate of a newcomer just now.
        let caller =
            if self.admitted.is_none() { door.access.admit(&shown) } else { door.admit_again(&shown) }?;
        if self.admitted.is_none() || caller.known {
            let placed = self.place.introduced(caller.known.then_some(&caller.identity));
            placed.map_err(|reason| ServerError::retryable(ErrorCode::Busy, reason.message(), 5_000))?;
        }
        self.admitted = Some((shown, caller.identity.clone()));
        Ok(caller)
    }

    /// Completes when the door would not let this client in any more as whom it came.
    pub(crate) async fn turned_away(&mut self) -> ServerError {
        loop {
            if self.door.changed().await.is_err() {
                // The server is ending, which is told in another way.
                return std::future::pending().await;
            }
            if let Err(error) = self.still_welcome() {
                return error;
            }
        }
    }

    /// Whether the door as it is now would let it in as whom it came.
    pub(crate) fn still_welcome(&self) -> Result<(), ServerError> {
        let Some((shown, identity)) = &self.admitted else { return Ok(()) };
        let door = self.door.borrow().clone();
        if door.admit_again(shown)?.identity == *identity {
            return Ok(());
        }
        Err(ServerError::new(ErrorCode::Unauthorized, "you are known by another name now"))
    }

    /// What tells when the door is another.
    pub(crate) fn door(&self) -> watch::Receiver<Arc<Door>> {
        self.door.clone()
    }
}
