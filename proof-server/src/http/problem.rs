//! Errors of the protocol as HTTP has them: one table of statuses, and a body that has the protocol's own code too.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use hyper::{
    StatusCode,
    header::{self, HeaderValue},
};
use schemars::JsonSchema;
use serde::Serialize;
use sextant_protocol::{ErrorCode, ServerError};

/// The kind of a body that describes an error.
pub(super) const KIND: &str = "application/problem+json";

/// What went wrong, as RFC 9457 has it, with what the protocol says of it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Problem")]
pub(super) struct Described {
    /// The class of error in words; one for each code.
    title: String,
    /// The status of the answer.
    status: u16,
    /// What is wrong, for people.
    detail: String,
    /// The protocol's code: what programs decide by.
    code: u32,
    /// The code's name in the protocol.
    name: String,
    /// When asking again may help: after so many milliseconds; 0 changes nothing.
    retry_after_ms: u64,
}

/// An error that is answered.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    error: ServerError,
}

impl Problem {
    /// Where HTTP has a word of its own for it.
    pub(super) fn with_status(status: StatusCode, error: ServerError) -> Self {
        Self { status, error }
    }

    /// The body for it.
    pub(super) fn described(&self) -> Described {
        described_as(self.status, &self.error)
    }
}

impl From<ServerError> for Problem {
    fn from(error: ServerError) -> Self {
        Self { status: status(error.code), error }
    }
}

/// The status of each code.
pub(super) fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Version | ErrorCode::Malformed => StatusCode::BAD_REQUEST,
        ErrorCode::Unauthorized => StatusCode::UNAUTHORIZED,
        ErrorCode::UnknownJob => StatusCode::NOT_FOUND,
        ErrorCode::Cancelled | ErrorCode::DuplicateRequest => StatusCode::CONFLICT,
        ErrorCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorCode::Unsupported | ErrorCode::InvalidStatement | ErrorCode::InvalidProof => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        ErrorCode::Busy => StatusCode::TOO_MANY_REQUESTS,
        ErrorCode::ProverFailed => StatusCode::BAD_GATEWAY,
        ErrorCode::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::Internal | ErrorCode::Other(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The body for an error.
pub(super) fn described(error: &ServerError) -> Described {
    described_as(status(error.code), error)
}

fn described_as(status: StatusCode, error: &ServerError) -> Described {
    Described {
        title: error.code.to_string(),
        status: status.as_u16(),
        detail: error.message.clone(),
        code: error.code.number(),
        name: format!("{:?}", error.code),
        retry_after_ms: error.retry_after_ms,
    }
}

/// Seconds, as the header has them: rounded up.
fn retry_after(error: &ServerError) -> Option<HeaderValue> {
    (error.retry_after_ms > 0).then(|| HeaderValue::from(error.retry_after_ms.div_ceil(1_000)))
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.described()).unwrap_or_default();
        let Self { status, error } = self;
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(KIND));
        if let Some(seconds) = retry_after(&error) {
            headers.insert(header::RETRY_AFTER, seconds);
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Problem> for Response {
    fn from(problem: Problem) -> Self {
        problem.into_response()
    }
}

/// A whole answer, for a client that is not heard out.
pub(crate) fn refusal(error: ServerError) -> Vec<u8> {
    let status = status(error.code);
    let body = serde_json::to_string(&described(&error)).unwrap_or_default();
    let seconds = error.retry_after_ms.div_ceil(1_000);
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: {KIND}\r\ncontent-length: {}\r\nretry-after: {seconds}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    (head + &body).into_bytes()
}
