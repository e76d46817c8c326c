//! What a request brings: it takes memory as it comes, and is no larger than the same over TCP.

use axum::body::{Body, HttpBody};
use http_body_util::BodyExt;
use sextant_protocol::{ErrorCode, Request, ServerError};
use tokio::time::timeout;

use super::job::ENVELOPE;
use crate::{
    connection::{
        ConnectionLimits,
        upload::{self, SMALL},
    },
    memory::Held,
};

/// Puts a body where the request carries its content. Each piece has to come within the frame's time of the one before.
pub(super) async fn receive(
    mut body: Body,
    request: &mut Request,
    limits: &ConnectionLimits,
    held: &mut Held,
) -> Result<(), ServerError> {
    let cap = upload::cap(request, limits);
    // What a file has around its record is not the record's.
    let envelope = if matches!(request, Request::Verify { .. }) { ENVELOPE as u64 } else { 0 };
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
