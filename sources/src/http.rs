//! One request to one endpoint: bounded in time, in redirects and, while reading, in size.

use std::{fmt, time::Duration};

use reqwest::{
    Client, RequestBuilder, Response, StatusCode, Url,
    header::{ACCEPT, CONTENT_TYPE, RETRY_AFTER},
    redirect,
};
use serde_json::Value;

use crate::{
    PoolError, Reason, SourceConfig,
    input::{Answer, Encoding, InputError},
    roots, rpc,
};

/// Redirects followed, none of them to another scheme.
const MAX_REDIRECTS: usize = 3;
/// Bytes of an error's body that are read: what a reverted call returned may be among them.
const MAX_ERROR: u64 = 16 << 10;
/// Characters of a node's own message that are repeated.
const MAX_MESSAGE: usize = 200;

/// A node's URL. It may hold a key, in its path or as a password: only scheme, host and port are ever shown.
#[derive(Clone)]
pub struct Endpoint {
    url: Url,
}

/// A URL that is none of a node.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a URL of a node ({0}): expected http:// or https:// and a host")]
pub struct UrlError(String);

impl std::str::FromStr for Endpoint {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let url = Url::parse(text).map_err(|error| UrlError(error.to_string()))?;
        match url.scheme() {
            "http" | "https" if url.has_host() => Ok(Self { url }),
            scheme => Err(UrlError(format!("scheme {scheme:?}"))),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.url.origin().ascii_serialization())
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({self})")
    }
}

/// What is asked of a node.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// For error messages.
    pub name: String,
    /// Appended to the endpoint's path; empty for JSON-RPC.
    pub path: String,
    /// Query parameters.
    pub query: Vec<(&'static str, String)>,
    /// A JSON-RPC call, or a list of them; without one it is a GET.
    pub call: Option<Value>,
    /// Whether SSZ is understood.
    pub ssz: bool,
    /// Query parameters that ask for less, for a node that refuses the whole because it has not all of it.
    pub less: Option<Vec<(&'static str, String)>>,
    /// Largest answer.
    pub limit: u64,
}

impl Request {
    /// What to ask the same node at once, where it answers this so. `None`: nothing.
    pub fn instead(&self, reason: &Reason) -> Option<Self> {
        match reason {
            // Nodes whose SSZ is broken, or not to be had, may have JSON that is not.
            Reason::Answer(InputError::Ssz { .. }) if self.ssz => Some(Self { ssz: false, ..self.clone() }),
            Reason::Status { status, .. } if self.ssz && [406, 415].contains(&status.as_u16()) => {
                Some(Self { ssz: false, ..self.clone() })
            }
            Reason::Status { status, .. } if [404, 500].contains(&status.as_u16()) => {
                let less = self.less.clone()?;
                Some(Self { query: less, less: None, ..self.clone() })
            }
            _ => None,
        }
    }
}

/// The HTTP client of all endpoints.
pub(crate) fn client(endpoints: &[Endpoint], config: &SourceConfig) -> Result<Client, PoolError> {
    let policy = redirect::Policy::custom(|attempt| {
        if attempt.previous().len() > MAX_REDIRECTS {
            return attempt.error("too many redirects");
        }
        // A redirect out of TLS would show the request, and what is answered, to anybody.
        let scheme = attempt.previous().first().map(|first| first.scheme().to_owned());
        if scheme.as_deref() != Some(attempt.url().scheme()) {
            return attempt.error("redirected to another scheme");
        }
        attempt.follow()
    });
    let mut builder = Client::builder()
        .connect_timeout(config.connect_timeout)
        .redirect(policy)
        .user_agent(concat!("sextant/", env!("CARGO_PKG_VERSION")));
    if endpoints.iter().any(|endpoint| endpoint.url.scheme() == "https") {
        for root in roots::beside_built_in(config.ca_file.as_deref())? {
            builder = builder.add_root_certificate(root);
        }
    }
    Ok(builder.build()?)
}

/// Asks once.
pub(crate) async fn ask(
    client: &Client,
    endpoint: &Endpoint,
    request: &Request,
    timeout: Duration,
) -> Result<Answer, Reason> {
    let exchange = async {
        let response = builder(client, endpoint, request).send().await.map_err(Reason::transport)?;
        if response.status().is_success() {
            read(response, request).await
        } else {
            Err(refusal(response, request).await)
        }
    };
    tokio::time::timeout(timeout, exchange).await.unwrap_or(Err(Reason::Timeout(timeout)))
}

fn builder(client: &Client, endpoint: &Endpoint, request: &Request) -> RequestBuilder {
    let mut url = endpoint.url.clone();
    if !request.path.is_empty() {
        url.set_path(&format!("{}{}", url.path().trim_end_matches('/'), request.path));
    }
    for (name, value) in &request.query {
        url.query_pairs_mut().append_pair(name, value);
    }
    match &request.call {
        // The content is a JSON value, which always has a text.
        Some(call) => client.post(url).header(CONTENT_TYPE, "application/json").body(call.to_string()),
        None if request.ssz => {
            client.get(url).header(ACCEPT, "application/octet-stream;q=1.0,application/json;q=0.9")
        }
        None => client.get(url).header(ACCEPT, "application/json"),
    }
}

async fn read(response: Response, request: &Request) -> Result<Answer, Reason> {
    let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
    let content_type = header("content-type").unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let encoding = match media_type.as_str() {
        "application/octet-stream" if request.ssz => Encoding::Ssz,
        // Some JSON-RPC servers name none, or plain text.
        "application/json" | "text/plain" | "" => Encoding::Json,
        _ => return Err(Reason::ContentType(clip(&content_type))),
    };
    let bytes = bounded(response, request.limit).await?;
    Ok(Answer { source: request.name.clone(), encoding, bytes })
}

/// The body, read only as far as the limit.
async fn bounded(mut response: Response, limit: u64) -> Result<Vec<u8>, Reason> {
    if response.content_length().is_some_and(|length| length > limit) {
        return Err(Reason::TooLarge { limit });
    }
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(Reason::transport)? {
        if (bytes.len() + chunk.len()) as u64 > limit {
            return Err(Reason::TooLarge { limit });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// What a node says when it does not answer.
async fn refusal(response: Response, request: &Request) -> Reason {
    let status = response.status();
    let retry_after = retry_after(&response, status);
    let body = bounded(response, MAX_ERROR).await.unwrap_or_default();
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    let error = if request.call.is_some() { rpc::error(&json) } else { None };
    match error {
        Some(reverted @ Reason::Rpc { data: Some(_), .. }) => reverted,
        // Some JSON-RPC servers give their errors an HTTP status besides. What may pass is told by that.
        Some(error) if status.is_client_error() && retry_after.is_none() && !is_passing(status) => error,
        Some(Reason::Rpc { message, .. }) => Reason::Status { status, message: Some(message), retry_after },
        _ => {
            let message = json.get("message").and_then(Value::as_str).map(clip);
            Reason::Status { status, message, retry_after }
        }
    }
}

/// Whether a status is one that passes.
pub(crate) fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS]
            .contains(&status)
}

/// `Retry-After` in seconds. Its other form, a date, is rare and costs no more than our own patience.
fn retry_after(response: &Response, status: StatusCode) -> Option<Duration> {
    if !matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return None;
    }
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// A node's own text, made short and harmless.
pub(crate) fn clip(text: &str) -> String {
    let end = text.char_indices().nth(MAX_MESSAGE).map_or(text.len(), |(end, _)| end);
    text[..end].escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_show_no_secrets() {
        let endpoint: Endpoint = "https://user:pass@node.example:8443/v3/secret?key=secret".parse().unwrap();
        assert_eq!(endpoint.to_string(), "https://node.example:8443");
        assert_eq!(format!("{endpoint:?}"), "Endpoint(https://node.example:8443)");
        for bad in ["node.example", "ftp://node.example", "http://", ""] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad}");
        }
    }

    #[test]
    fn paths_and_queries_are_added_to_the_endpoints_own() {
        let endpoint: Endpoint = "http://node.example/key/?token=1".parse().unwrap();
        let request = Request {
            name: String::new(),
            path: "/eth/v1/config/spec".into(),
            query: vec![("count", "2".into())],
            call: None,
            ssz: false,
            less: None,
            limit: 1,
        };
        let built = builder(&Client::new(), &endpoint, &request).build().unwrap();
        assert_eq!(built.url().as_str(), "http://node.example/key/eth/v1/config/spec?token=1&count=2");
    }
}
