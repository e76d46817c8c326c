//! Web pages that may ask: a browser says from which origin a page comes, and only those named here are answered.

use std::{net::IpAddr, str::FromStr};

use hyper::{Uri, header::HeaderValue, http::uri::Authority};

/// Origins in the form in which browsers send them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<HeaderValue>);

impl Origins {
    /// Those named, `SCHEME://HOST` or `SCHEME://HOST:PORT` each.
    ///
    /// # Errors
    /// Names what is none. There is no word for all: whoever wants that names them.
    pub fn named(names: &[String]) -> Result<Self, String> {
        let origin = |name: &String| {
            let wrong = || format!("{name:?} is not SCHEME://HOST or SCHEME://HOST:PORT");
            let uri = Uri::from_str(name).map_err(|_| wrong())?;
            let (scheme, authority) = uri.scheme_str().zip(uri.authority()).ok_or_else(wrong)?;
            let plain = format!("{scheme}://{authority}").to_lowercase();
            // Nothing after the host, nobody before it.
            if plain != name.to_lowercase() || plain.contains('@') {
                return Err(wrong());
            }
            HeaderValue::from_str(&plain).map_err(|_| wrong())
        };
        names.iter().map(origin).collect::<Result<_, _>>().map(Self)
    }

    /// Whether pages from there may ask.
    pub(crate) fn allow(&self, origin: &HeaderValue) -> bool {
        self.0.contains(origin)
    }
}

/// What is spoken where a server listens, as addresses begin.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    /// Whether a page of this origin was loaded from the address that it asks, `host`. That counts where the address is a
    /// number or `localhost`: a name may be a stranger's, who lets it lead here once their page is loaded.
    pub(crate) fn is_own(self, origin: &HeaderValue, host: Option<&HeaderValue>) -> bool {
        let Some(host) = host.filter(|host| is_number(host)).and_then(|host| host.to_str().ok()) else {
            return false;
        };
        let scheme = match self {
            Self::Http => "http",
            Self::Https => "https",
        };
        *origin == format!("{scheme}://{host}")
    }
}

/// Whether this is where a browser finds a server by its number, or as `localhost`.
pub(crate) fn is_number(host: &HeaderValue) -> bool {
    let authority = host.to_str().ok().and_then(|host| Authority::from_str(host).ok());
    authority.is_some_and(|authority| {
        let name = authority.host().trim_start_matches('[').trim_end_matches(']');
        name == "localhost" || name.parse::<IpAddr>().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_was_loaded_from_here_is_known_by_its_number() {
        let own = |origin: &str, host: &str| {
            let value = |text| HeaderValue::from_str(text).unwrap();
            Scheme::Http.is_own(&value(origin), Some(&value(host)))
        };
        for host in ["127.0.0.1:7102", "[::1]:7102", "192.0.2.7", "localhost:7102"] {
            assert!(own(&format!("http://{host}"), host), "{host}");
            assert!(!own(&format!("https://{host}"), host), "{host}");
        }
        assert!(!own("http://evil.example", "evil.example"), "a name that may lead here");
        assert!(!own("http://127.0.0.1:1", "127.0.0.1:7102"), "another server on this machine");
        assert!(!own("http://me@127.0.0.1", "127.0.0.1") && !own("null", "") && !own("http://", ""));
        assert!(!Scheme::Http.is_own(&HeaderValue::from_static("http://127.0.0.1"), None));
    }

    #[test]
    fn an_origin_is_a_scheme_and_a_host_and_nothing_else() {
        let named = |name: &str| Origins::named(&[name.into()]);
        let origins = named("HTTPS://wallet.Example:8443").unwrap();
        assert!(origins.allow(&HeaderValue::from_static("https://wallet.example:8443")));
        for other in ["https://wallet.example", "http://wallet.example:8443", "null", ""] {
            assert!(!origins.allow(&HeaderValue::from_str(other).unwrap()), "{other}");
        }
        for wrong in
            ["*", "", "null", "wallet.example", "https://a/", "https://a/b", "https://me@a", "https://a b"]
        {
            assert!(named(wrong).is_err(), "{wrong}");
        }
        assert!(!Origins::default().allow(&HeaderValue::from_static("null")));
    }
}
