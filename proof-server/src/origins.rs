//! Web pages that may ask: a browser says from which origin a page comes, and only those named here are answered.

use std::str::FromStr;

use hyper::{Uri, header::HeaderValue};

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

#[cfg(test)]
mod tests {
    use super::*;

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
