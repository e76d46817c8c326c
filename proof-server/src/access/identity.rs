//! Whom a server takes a client for.

use std::{net::IpAddr, sync::Arc};

use sha2::{Digest, Sha256};

/// Longest name that a server may give a client for whom it asks, characters.
pub(super) const MAX_ON_BEHALF: usize = 128;
/// Ends the names of clients that another server has let in: they are not this server's own of the same name.
const FORWARDED: &str = ", forwarded";

/// Whom the server takes a client for: what shares and budgets are counted by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    name: Arc<str>,
    /// What it is counted as in the metrics; `None` is under its name.
    group: Option<&'static str>,
}

impl Identity {
    pub(super) fn token(name: &str) -> Self {
        Self { name: format!("token {name}").into(), group: None }
    }

    /// A certificate that the token file names.
    pub(super) fn named_certificate(name: &str) -> Self {
        Self { name: format!("certificate {name}").into(), group: None }
    }

    /// Any other certificate, by its fingerprint.
    pub(super) fn certificate(fingerprint: &[u8; 32]) -> Self {
        let name = format!("certificate {}", hex::encode(&fingerprint[..8]));
        Self { name: name.into(), group: Some("certificates") }
    }

    /// What this server does for itself.
    pub(crate) fn this_server() -> Self {
        Self { name: "this server".into(), group: None }
    }

    pub(crate) fn address(ip: IpAddr) -> Self {
        Self { name: format!("address {}", network(ip)).into(), group: Some("addresses") }
    }

    /// The client that a server asks for, as that server calls it. The same client is the same through every server.
    pub(super) fn forwarded(name: &str) -> Self {
        let name = format!("{}{FORWARDED}", name.strip_suffix(FORWARDED).unwrap_or(name));
        Self { name: name.into(), group: Some("forwarded") }
    }

    /// The name in the metrics, of which there are few: those in the token file have their own, others share one.
    pub(crate) fn account(&self) -> &str {
        self.group.unwrap_or(&self.name)
    }
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)
    }
}

/// What a certificate is known by.
pub(super) fn fingerprint(der: &[u8]) -> [u8; 32] {
    Sha256::digest(der).into()
}

/// What counts as one address: an IPv4 address, or the /64 network of an IPv6 address, which one customer has to
/// itself with all its 2^64 addresses.
pub(crate) fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.into(),
        IpAddr::V6(ip) => prefix(ip, 64).into(),
    }
}

/// The first `length` bits of an address.
pub(crate) fn prefix(ip: std::net::Ipv6Addr, length: u32) -> std::net::Ipv6Addr {
    (ip.to_bits() & !u128::MAX.checked_shr(length).unwrap_or(0)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let of = |ip: &str| network(ip.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("2001:db8:1:2::9"), of("2001:db8:1:2:ffff::"));
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
        assert_ne!(of("192.0.2.7"), of("192.0.2.8"));
        let ip = "2001:db8:1:2ff:3:4:5:6".parse().unwrap();
        let of = |length| prefix(ip, length).to_string();
        assert_eq!([of(48), of(56), of(128)], ["2001:db8:1::", "2001:db8:1:200::", &ip.to_string()]);
    }

    #[test]
    fn a_forwarded_client_is_the_same_through_any_number_of_servers() {
        let once = Identity::forwarded("token alice");
        assert_eq!(once.to_string(), "token alice, forwarded");
        assert_eq!(Identity::forwarded(&once.to_string()), once);
        assert_ne!(once, Identity::token("alice"), "nor this server's own alice");
    }
}
