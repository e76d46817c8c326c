//! Where spans are sent: the address of a collector, and what it is told.

use std::path::PathBuf;

use reqwest::Url;
use sextant_link::is_this_machine;

use super::ConfigError;

/// Where a collector takes traces, below the address that is named.
const PATH: &str = "v1/traces";

/// An OpenTelemetry collector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracesConfig {
    /// Where it takes traces, a URL.
    pub endpoint: String,
    /// Authorities that certify it, in place of those that are built in.
    pub authorities: Option<PathBuf>,
    /// File with the headers that it wants.
    pub headers: Option<PathBuf>,
    /// Whether they may cross a network without TLS.
    pub allow_plain: bool,
}

impl TracesConfig {
    /// The collector at `address`, if there is one.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting.
    pub(super) fn of(
        address: Option<String>,
        authorities: Option<PathBuf>,
        headers: Option<PathBuf>,
        allow_plain: bool,
    ) -> Result<Option<Self>, ConfigError> {
        let Some(address) = address else {
            return match (authorities, headers) {
                (Some(_), _) => Err(ConfigError::Needs("otlp-ca", "otlp-endpoint")),
                (_, Some(_)) => Err(ConfigError::Needs("otlp-headers-file", "otlp-endpoint")),
                _ => Ok(None),
            };
        };
        let url = endpoint(&address).ok_or(ConfigError::Collector)?;
        if authorities.is_some() && url.scheme() != "https" {
            return Err(ConfigError::Needs("otlp-ca", "an otlp-endpoint that begins with https://"));
        }
        if headers.is_some() && url.scheme() != "https" && !allow_plain && !is_here(&url) {
            return Err(ConfigError::PlainSecret {
                setting: "otlp-headers-file",
                secret: "the headers",
                address: url.authority().into(),
                tls: "an otlp-endpoint that begins with https://",
            });
        }
        Ok(Some(Self { endpoint: url.into(), authorities, headers, allow_plain }))
    }
}

/// Where traces are sent, of an address that may be meant. What is secret does not belong into it.
fn endpoint(address: &str) -> Option<Url> {
    let mut url: Url = address.parse().ok()?;
    let web = matches!(url.scheme(), "http" | "https") && url.has_host();
    let bare = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if !web || !bare {
        return None;
    }
    let path = format!("{}/{PATH}", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Some(url)
}

/// Whether it stands for this machine alone. A name that nobody knows now may stand for anything later.
fn is_here(url: &Url) -> bool {
    is_this_machine(&url.socket_addrs(|| None).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(address: &str, ca: bool, headers: bool, allow_plain: bool) -> String {
        let file = |there: bool| there.then(|| PathBuf::from("file"));
        let address = (!address.is_empty()).then(|| address.to_owned());
        match TracesConfig::of(address, file(ca), file(headers), allow_plain) {
            Ok(Some(config)) => config.endpoint,
            Ok(None) => "none".into(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn traces_are_sent_where_collectors_take_them() {
        assert_eq!(told("", false, false, false), "none");
        for (address, endpoint) in [
            ("http://collector:4318", "http://collector:4318/v1/traces"),
            ("https://collector.example/", "https://collector.example/v1/traces"),
            ("http://[::1]:4318/otlp/", "http://[::1]:4318/otlp/v1/traces"),
        ] {
            assert_eq!(told(address, false, false, false), endpoint);
        }
        for wrong in [
            "collector:4318",
            "collector",
            "grpc://collector:4317",
            "http://",
            "http://user:secret@collector:4318",
            "http://collector:4318/?key=secret",
        ] {
            let said = told(wrong, false, false, false);
            assert!(said.starts_with("otlp-endpoint: not ") && !said.contains("secret"), "{wrong}: {said}");
        }
    }

    #[test]
    fn headers_leave_this_machine_only_within_tls_or_by_name() {
        for fine in ["http://127.0.0.1:4318", "http://[::1]:4318", "https://192.0.2.7:4318"] {
            assert!(told(fine, false, true, false).starts_with(fine), "{fine}");
        }
        let elsewhere = "http://192.0.2.7:4318";
        assert_eq!(
            told(elsewhere, false, true, false),
            "otlp-headers-file: the headers would cross the network to 192.0.2.7:4318 in the clear: speak TLS (an \
             otlp-endpoint that begins with https://), or say --allow-plain-secrets"
        );
        for (headers, allow_plain) in [(false, false), (true, true)] {
            assert!(told(elsewhere, false, headers, allow_plain).starts_with(elsewhere));
        }
    }

    #[test]
    fn files_for_a_collector_need_one() {
        assert_eq!(told("", true, false, false), "otlp-ca needs otlp-endpoint");
        assert_eq!(told("", false, true, false), "otlp-headers-file needs otlp-endpoint");
        let said = told("http://127.0.0.1:4318", true, false, false);
        assert_eq!(said, "otlp-ca needs an otlp-endpoint that begins with https://");
        assert!(told("https://127.0.0.1:4318", true, false, false).starts_with("https://"));
    }
}
