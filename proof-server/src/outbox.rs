//! What waits to be written to a client.

use sextant_protocol::{
    ErrorCode, ProofAnswer, RequestId, Response, ServerError, ServerMessage, parts::Parts,
};
use tokio_util::sync::CancellationToken;

/// The answer to a request, before it has an id.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    /// A small one.
    Response(Response),
    /// A proof, whose bytes are shared with whoever else gets the same, from this byte of its record on.
    Proof(ProofAnswer, u64),
}

/// One message on its way to a client. A client that does not read must not cost a copy of every proof it asked for:
/// proofs are shared.
#[derive(Debug)]
pub(crate) enum Outgoing {
    /// An ordinary message.
    Message(ServerMessage),
    /// An answer, and what follows it.
    Proof(Download),
}

/// A proof on its way: its request is open until the last part is written.
#[derive(Debug)]
pub(crate) struct Download {
    pub(crate) id: RequestId,
    /// The answer itself, until it is written.
    pub(crate) answer: Option<ServerMessage>,
    pub(crate) parts: Parts,
    /// The client does not want the rest.
    pub(crate) cancelled: CancellationToken,
    /// Frees the id when dropped.
    pub(crate) open: Option<Box<dyn std::fmt::Debug + Send>>,
}

impl Download {
    /// The next message of it; `None` at its end. With the last one the id is free. Of one that is not wanted any more
    /// the rest is left out, but the answer that each request gets is never.
    pub(crate) fn next(&mut self) -> Option<ServerMessage> {
        if self.cancelled.is_cancelled() {
            self.open = None;
            let cancelled = ServerError::new(ErrorCode::Cancelled, "cancelled");
            return self.answer.take().map(|_| ServerMessage::Answer { id: self.id, result: Err(cancelled) });
        }
        let message = self.answer.take().or_else(|| {
            let (offset, bytes) = self.parts.next()?;
            Some(ServerMessage::Part { id: self.id, offset, bytes })
        });
        if self.parts.is_empty() {
            // Before it is sent: a client may use the id again as soon as it has read it.
            self.open = None;
        }
        message
    }
}

/// A proof for sending from `offset` on.
pub(crate) fn open(mut answer: ProofAnswer, offset: u64) -> (ProofAnswer, Parts) {
    let parts = answer.split(offset);
    (answer, parts)
}

#[cfg(test)]
mod tests {
    use sextant_protocol::{JobKey, parts::PART, request::ProvingCost};

    use super::*;

    /// A proof of three parts on its way.
    fn download() -> Download {
        let id = 7;
        let whole = ProofAnswer {
            input_digest: [0; 32],
            cost: ProvingCost::default(),
            job: JobKey::default(),
            sha256: [0; 32],
            offset: 0,
            record: vec![0; 3 * PART].into(),
            more: 0,
        };
        let (answer, parts) = open(whole, 0);
        let answer = Some(ServerMessage::Answer { id, result: Ok(Response::Proof(answer)) });
        Download { id, answer, parts, cancelled: CancellationToken::new(), open: None }
    }

    #[test]
    fn a_proof_that_is_not_wanted_any_more_is_an_answer_all_the_same() {
        let mut download = download();
        download.cancelled.cancel();
        let Some(ServerMessage::Answer { id: 7, result: Err(error) }) = download.next() else {
            panic!("an answer")
        };
        assert_eq!(error.code, ErrorCode::Cancelled);
        assert_eq!(download.next(), None, "one answer");
    }

    #[test]
    fn of_a_proof_that_was_begun_the_rest_is_left_out() {
        let mut download = download();
        assert!(matches!(download.next(), Some(ServerMessage::Answer { result: Ok(_), .. })));
        assert!(matches!(download.next(), Some(ServerMessage::Part { .. })));
        download.cancelled.cancel();
        assert_eq!(download.next(), None);
    }
}
