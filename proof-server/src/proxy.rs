//! The PROXY protocol: a balancer in front of the server says for whom it connects, before anything else. It is believed
//! only where the configuration says that it comes from: anybody could write such a line.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
    time::Duration,
};

use ppp::{HeaderResult, PartialResult, v1, v2};
use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    time::{Instant, sleep, timeout_at},
};

use crate::access::prefix;

/// Longest header that is read, bytes: the addresses, and what balancers add to them.
const MAX_HEADER: usize = 1024;
/// A header comes in one piece, or the rest is looked for after this.
const REST: Duration = Duration::from_millis(10);

/// Addresses from which headers are believed: one, or a network in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    length: u32,
}

/// Text that is no network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is neither an address nor a network like 10.0.0.0/8 or fd00::/8")]
pub struct NotANetwork(String);

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let wrong = || NotANetwork(text.chars().take(64).collect());
        let (address, length) = text.split_once('/').map_or((text, None), |(a, l)| (a, Some(l)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let length = length.map_or(Ok(all), |length| length.parse().map_err(|_| wrong()))?;
        if length > all { Err(wrong()) } else { Ok(Self { address, length }) }
    }
}

impl Network {
    /// Whether `address` is one of these.
    pub(crate) fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let bits = |ip: Ipv4Addr| u64::from(ip.to_bits()) >> (32 - self.length);
                bits(own) == bits(other)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => prefix(own, self.length) == prefix(other, self.length),
            _ => false,
        }
    }
}

/// Why a header is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyError {
    #[error("no PROXY header in time")]
    Late,
    #[error("no PROXY header: {0}")]
    Malformed(String),
    #[error("PROXY header: {0}")]
    Io(#[from] std::io::Error),
}

/// Reads the header and nothing more. `None`: the balancer speaks for itself, as its health checks do.
pub(crate) async fn client(stream: &mut TcpStream, by: Instant) -> Result<Option<SocketAddr>, ProxyError> {
    timeout_at(by, read(stream)).await.map_err(|_| ProxyError::Late)?
}

async fn read(stream: &mut TcpStream) -> Result<Option<SocketAddr>, ProxyError> {
    let mut buffer = [0; MAX_HEADER];
    loop {
        // What comes after the header is not ours to read.
        let count = stream.peek(&mut buffer).await?;
        let parsed = HeaderResult::parse(&buffer[..count]);
        if parsed.is_incomplete() && (1..MAX_HEADER).contains(&count) {
            sleep(REST).await;
            continue;
        }
        let (length, client) = match parsed {
            HeaderResult::V1(Ok(header)) => (header.header.len(), source_v1(&header.addresses)),
            HeaderResult::V2(Ok(header)) => (header.len(), source_v2(&header)),
            HeaderResult::V1(Err(error)) => return Err(ProxyError::Malformed(error.to_string())),
            HeaderResult::V2(Err(error)) => return Err(ProxyError::Malformed(error.to_string())),
        };
        stream.read_exact(&mut buffer[..length]).await?;
        return Ok(client);
    }
}

fn source_v1(addresses: &v1::Addresses) -> Option<SocketAddr> {
    match addresses {
        v1::Addresses::Tcp4(tcp) => Some((tcp.source_address, tcp.source_port).into()),
        v1::Addresses::Tcp6(tcp) => Some((tcp.source_address, tcp.source_port).into()),
        v1::Addresses::Unknown => None,
    }
}

fn source_v2(header: &v2::Header<'_>) -> Option<SocketAddr> {
    match (header.command, &header.addresses) {
        (v2::Command::Proxy, v2::Addresses::IPv4(tcp)) => Some((tcp.source_address, tcp.source_port).into()),
        (v2::Command::Proxy, v2::Addresses::IPv6(tcp)) => Some((tcp.source_address, tcp.source_port).into()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_addresses_or_have_a_length() {
        let contains = |network: &str, address: &str| {
            network.parse::<Network>().unwrap().contains(address.parse().unwrap())
        };
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("10.0.0.0/8", "::ffff:10.0.0.1", "::10.0.0.1"),
            ("fd00::/8", "fd12::1", "fe80::1"),
            ("2001:db8::1", "2001:db8::1", "2001:db8::2"),
        ] {
            assert!(contains(network, inside) && !contains(network, outside), "{network}");
        }
        assert!(contains("0.0.0.0/0", "198.51.100.1"));
        for wrong in ["", "10.0.0.0/33", "fd00::/129", "10.0.0.0/", "host", "10.0.0.0/8/8", "10.0.0.0/-1"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong:?}");
        }
    }
}
