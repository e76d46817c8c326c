//! What a request carries that does not fit into one message: it comes in parts, and takes memory as it comes.

use std::time::Duration;

use bytes::Bytes;
use sextant_protocol::{
    ErrorCode, Request, ServerError,
    parts::{Arrival, PartError},
};
use tokio::{sync::mpsc, time::timeout};

use super::ConnectionLimits;
use crate::memory::Held;

/// Contents up to this many bytes are not counted: the number of open requests bounds them.
pub(crate) const SMALL: u64 = 64 << 10;

/// Parts on their way from the connection to the request's task, which only puts them together.
const AHEAD: usize = 4;

/// The connection's side of an upload.
#[derive(Clone, Debug)]
pub(super) struct Upload {
    arrival: Arrival,
    parts: mpsc::Sender<Result<Bytes, PartError>>,
}

/// The request's side.
pub(super) type Arriving = mpsc::Receiver<Result<Bytes, PartError>>;

/// How large a request's content may be.
pub(crate) struct Cap {
    what: &'static str,
    limit: usize,
}

/// That of `request`.
pub(crate) fn cap(request: &Request, limits: &ConnectionLimits) -> Cap {
    match request {
        Request::Verify { .. } | Request::Wrap(_) | Request::SubmitWrap(_) => {
            Cap { what: "proof record", limit: limits.max_record }
        }
        Request::Bundle(_) | Request::SubmitBundle(_) => {
            Cap { what: "list of proof records", limit: limits.max_record }
        }
        _ => Cap { what: "statement input", limit: limits.max_input },
    }
}

impl Cap {
    /// Refuses a content of more bytes.
    pub(crate) fn check(&self, total: u64) -> Result<(), ServerError> {
        let Self { what, limit } = self;
        if total > *limit as u64 {
            let message = format!("{what} of {total} bytes exceeds the limit of {limit}");
            return Err(ServerError::new(ErrorCode::TooLarge, message));
        }
        Ok(())
    }
}

/// Looks at what a request announces, and takes memory for what has come of it. `None`: nothing follows.
pub(super) fn begin(
    request: &mut Request,
    limits: &ConnectionLimits,
    held: &mut Held,
) -> Result<Option<(Upload, Arriving)>, ServerError> {
    let cap = cap(request, limits);
    let Some((content, more)) = request.content() else { return Ok(None) };
    let (here, more) = (content.len() as u64, *more);
    let total = here.saturating_add(more);
    cap.check(total)?;
    if total > SMALL {
        held.grow(content.len())?;
    }
    let (parts, arriving) = mpsc::channel(AHEAD);
    Ok((more > 0).then(|| (Upload { arrival: Arrival::new(here, more), parts }, arriving)))
}

impl Upload {
    /// Takes note of a part, and says where it goes.
    pub(super) fn accept(
        &mut self,
        offset: u64,
        bytes: Bytes,
    ) -> (mpsc::Sender<Result<Bytes, PartError>>, Result<Bytes, PartError>) {
        let part = self.arrival.accept(offset, bytes.len()).map(|()| bytes);
        (self.parts.clone(), part)
    }
}

/// Puts the parts together. Each has to come within `patience` of the one before.
pub(super) async fn receive(
    request: &mut Request,
    mut arriving: Arriving,
    held: &mut Held,
    patience: Duration,
) -> Result<(), ServerError> {
    let Some((content, more)) = request.content() else { return Ok(()) };
    while *more > 0 {
        let part = timeout(patience, arriving.recv()).await.map_err(|_| {
            let message = format!("no part of the request came for {} s", patience.as_secs());
            ServerError::new(ErrorCode::DeadlineExceeded, message)
        })?;
        let part = part
            .ok_or_else(|| ServerError::new(ErrorCode::Cancelled, "cancelled"))?
            .map_err(|error| ServerError::new(ErrorCode::Malformed, error.to_string()))?;
        held.grow(part.len())?;
        content.extend_from_slice(&part);
        *more -= part.len() as u64;
    }
    Ok(())
}
