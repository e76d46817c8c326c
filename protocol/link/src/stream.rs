//! The stream to a server: TCP, bare or within TLS.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpStream, ToSocketAddrs},
};
use tokio_rustls::TlsConnector;

use crate::{Link, Tls, TransportError};

/// What comes from the server.
pub type Reader = Box<dyn AsyncRead + Send + Unpin>;
/// What goes to the server.
pub type Writer = Box<dyn AsyncWrite + Send + Unpin>;

impl Link {
    /// Connects to `address`. Under TLS the certificate must be for `host`, a name or an address, with or without a port.
    ///
    /// # Errors
    /// [`TransportError::Connect`].
    pub async fn dial(
        address: impl ToSocketAddrs,
        host: &str,
        tls: Tls,
    ) -> Result<(Reader, Writer), TransportError> {
        connect(address, host, tls)
            .await
            .map_err(|source| TransportError::Connect { server: host.into(), source: Arc::new(source) })
    }
}

async fn connect(address: impl ToSocketAddrs, host: &str, tls: Tls) -> io::Result<(Reader, Writer)> {
    let stream = TcpStream::connect(address).await?;
    // Small messages (cancel, ping) must not wait for larger ones; failing to set it changes nothing else.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else {
        let (reader, writer) = stream.into_split();
        return Ok((Box::new(NotTls { stream: reader, begun: false }), Box::new(writer)));
    };
    let name = ServerName::try_from(without_port(host).to_owned())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let stream = TlsConnector::from(tls).connect(name, stream).await.map_err(in_words)?;
    let (reader, writer) = tokio::io::split(stream);
    Ok((Box::new(reader), Box::new(writer)))
}

/// A server that answers TLS with something else does not speak it there.
fn in_words(error: io::Error) -> io::Error {
    match error.get_ref().and_then(|error| error.downcast_ref()) {
        Some(rustls::Error::InvalidMessage(_)) => {
            let reason = "the server does not speak TLS at this port: connect without it, or to another port";
            io::Error::new(io::ErrorKind::InvalidData, reason)
        }
        _ => error,
    }
}

/// A bare stream from a server, which says so where the first thing that comes is TLS.
struct NotTls<R> {
    stream: R,
    begun: bool,
}

impl<R: AsyncRead + Unpin> AsyncRead for NotTls<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        /// Types of the TLS records that a server could begin with: an alert, or its side of a handshake.
        const TLS: [u8; 2] = [21, 22];
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let (false, Some(first)) = (self.begun, buffer.filled().get(before)) {
            // The first byte of a frame is the highest of a length below 2^24: 0.
            if TLS.contains(first) {
                let reason = "the server speaks TLS at this port: connect with it (--tls, or --tls-ca FILE)";
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, reason)));
            }
            self.begun = true;
        }
        polled
    }
}

fn without_port(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        // An IPv6 address without brackets has colons of its own.
        Some((name, _)) if !name.contains(':') || name.ends_with(']') => name,
        _ => host,
    };
    name.trim_matches(['[', ']'])
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_certificate_is_for_a_host_and_not_for_its_port() {
        for (host, name) in [
            ("prover.example:7100", "prover.example"),
            ("prover.example", "prover.example"),
            ("192.0.2.7:7100", "192.0.2.7"),
            ("[2001:db8::1]:7100", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
        ] {
            assert_eq!(super::without_port(host), name);
        }
    }
}
