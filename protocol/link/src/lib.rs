//! A connection to a proof server, shared by any number of requests.
//!
//! [`Link::dial`] makes a stream, bare or within TLS; [`Link::greet`] shakes hands on it. After that [`Link::ask`] sends
//! a request and gives a [`Pending`], with the steps of the request and its answer. While requests are open the server is
//! pinged, so that one that has vanished is noticed. What is large goes and comes in parts, between which everything else
//! finds its way.
//!
//! Nothing here is believed: an answer is whole and the hash that it announces is its own, no more.

mod connection;
mod error;
mod greeting;
mod outgoing;
mod receiving;
mod stream;

pub use connection::{Link, Pending};
pub use error::{AskError, TransportError};
pub use greeting::Introduction;
pub use receiving::Received;
pub use stream::{Reader, Writer};

use std::{net::SocketAddr, sync::Arc, time::Duration};

use sextant_protocol::proof::MAX_RECORD;

/// How a connection is kept.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// While requests are open, ping the server this often.
    pub ping_interval: Duration,
    /// While requests are open, give the connection up after this long without a message.
    pub silence_limit: Duration,
    /// Largest proof record that is taken, bytes.
    pub max_record: usize,
}

impl Default for LinkConfig {
    fn default() -> Self {
        Self {
            ping_interval: Duration::from_secs(20),
            silence_limit: Duration::from_secs(180),
            max_record: MAX_RECORD,
        }
    }
}

/// TLS towards a server, if any.
pub type Tls = Option<Arc<rustls::ClientConfig>>;

/// Whether all of these addresses are this machine's own: what is sent there crosses no network, and a secret needs no TLS.
/// No address at all is nobody's.
#[must_use]
pub fn is_this_machine(addresses: &[SocketAddr]) -> bool {
    !addresses.is_empty() && addresses.iter().all(|address| address.ip().to_canonical().is_loopback())
}
