//! What a request brings: it takes memory as it comes, and is no larger than the same over TCP.

use axum::body::{Body, HttpBody};
use http_body_util::BodyExt;
use hyper::{
    StatusCode,
    header::{self, HeaderMap, HeaderValue},
};
use sextant_protocol::{ErrorCode, Request, ServerError};
use tokio::time::timeout;

use super::{job::ENVELOPE, problem::Problem, values::JSON};
use crate::{
    connection::{
        ConnectionLimits,
        upload::{self, SMALL},
    },
    memory::Held,
};

/// The kind of a body that is not described further.
pub(super) const BYTES: &str = "application/octet-stream";

/// What a body says of itself that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Bytes,
    Json,
}

/// The kind of a body with these headers; without a word about it: bytes.
pub(super) fn kind(headers: &HeaderMap) -> Option<Kind> {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or(BYTES.as_bytes());
    let kind = kind.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let is = |name: &str| kind.eq_ignore_ascii_case(name.as_bytes());
    match () {
        () if is(BYTES) => Some(Kind::Bytes),
        () if is(JSON) => Some(Kind::Json),
        () => None,
    }
}

/// What is said to whoever brings another kind than these.
pub(super) fn no_such_kind(kinds: &[&str]) -> Problem {
    let error = ServerError::new(ErrorCode::Unsupported, format!("a body here is {}", kinds.join(" or ")));
    Problem::with_status(StatusCode::UNSUPPORTED_MEDIA_TYPE, error)
}

/// Refuses a body that says of itself that it is something else than bytes.
pub(super) fn only_bytes(headers: &HeaderMap) -> Result<(), Problem> {
    if kind(headers) == Some(Kind::Bytes) { Ok(()) } else { Err(no_such_kind(&[BYTES])) }
}

/// Puts a body where the request carries its content. Each piece has to come within the frame's time of the one before.
pub(super) async fn receive(
    mut body: Body,
    request: &mut Request,
    limits: &ConnectionLimits,
    held: &mut Held,
) -> Result<(), ServerError> {
    let cap = upload::cap(request, limits);
    // What a file has around its record is not the record's.
    let is_file = matches!(request, Request::Verify { .. } | Request::SubmitWrap(_));
    let envelope = if is_file { ENVELOPE as u64 } else { 0 };
    // What is announced, before any of it is read.
    cap.check(body.size_hint().lower().saturating_sub(envelope))?;
    let Some((content, _)) = request.content() else { return Ok(()) };
    let mut counted = false;
    loop {
        let piece = timeout(limits.frame, body.frame()).await.map_err(|_| {
            let message = format!("no part of the body came for {} s", limits.frame.as_secs());
            ServerError::new(ErrorCode::DeadlineExceeded, message)
        })?;
        let Some(piece) = piece else { return Ok(()) };
        let piece =
            piece.map_err(|error| ServerError::new(ErrorCode::Malformed, format!("the body: {error}")))?;
        let Ok(bytes) = piece.into_data() else { continue };
        let total = content.len() as u64 + bytes.len() as u64;
        cap.check(total.saturating_sub(envelope))?;
        if counted {
            held.grow(bytes.len())?;
        } else if total > SMALL {
            held.grow(content.len() + bytes.len())?;
            counted = true;
        }
        content.extend_from_slice(&bytes);
    }
}
