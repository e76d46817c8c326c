//! The stream to a server: TCP, bare or within TLS.

use std::{io, sync::Arc};

use rustls::pki_types::ServerName;
use tokio::{
    io::{AsyncRead, AsyncWrite},
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
        return Ok((Box::new(reader), Box::new(writer)));
    };
    let name = ServerName::try_from(without_port(host).to_owned())
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let (reader, writer) = tokio::io::split(TlsConnector::from(tls).connect(name, stream).await?);
    Ok((Box::new(reader), Box::new(writer)))
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
