//! A proof that comes in parts.

use bytes::BytesMut;
use sextant_protocol::{ProofAnswer, parts::Arrival};
use sha2::{Digest, Sha256};

use crate::{AskError, TransportError};

/// What has come of a proof so far. Outlives the connection, so that another one can go on with it.
#[derive(Clone, Debug)]
pub struct Received {
    /// What came with the first bytes; its own record is empty.
    head: ProofAnswer,
    record: BytesMut,
    hash: Sha256,
    arrival: Arrival,
}

impl Received {
    /// Begins with an answer, or goes on where `before` ended if the answer is the rest of it.
    ///
    /// # Errors
    /// [`AskError::TooLarge`], by the announced length and before anything is kept; [`AskError::Checksum`] for the rest
    /// of something else.
    pub(crate) fn begin(mut head: ProofAnswer, before: Option<Self>, limit: usize) -> Result<Self, AskError> {
        let got = head.offset.saturating_add(head.record.len() as u64).saturating_add(head.more);
        if got > limit as u64 {
            return Err(AskError::TooLarge { got, limit });
        }
        let first = std::mem::take(&mut head.record);
        let mut received = match before {
            Some(before) if head.offset > 0 => {
                if before.offset() != head.offset || before.head.sha256 != head.sha256 {
                    return Err(AskError::Checksum);
                }
                before
            }
            _ if head.offset > 0 => return Err(AskError::Checksum),
            _ => Self {
                head: head.clone(),
                record: BytesMut::new(),
                hash: Sha256::new(),
                arrival: Arrival::new(0, 0),
            },
        };
        received.arrival = Arrival::new(head.offset + first.len() as u64, head.more);
        received.head = head;
        received.keep(&first);
        Ok(received)
    }

    /// Takes the next part.
    ///
    /// # Errors
    /// If it is another one.
    pub(crate) fn part(&mut self, offset: u64, bytes: &[u8]) -> Result<(), TransportError> {
        self.arrival.accept(offset, bytes.len())?;
        self.keep(bytes);
        Ok(())
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.record.extend_from_slice(bytes);
        self.hash.update(bytes);
    }

    /// Whether all of it is here.
    pub(crate) fn is_complete(&self) -> bool {
        self.arrival.is_complete()
    }

    /// The whole answer.
    ///
    /// # Errors
    /// [`AskError::Checksum`] if it is not what was announced.
    pub(crate) fn finish(self) -> Result<ProofAnswer, AskError> {
        if self.hash.finalize()[..] != self.head.sha256[..] {
            return Err(AskError::Checksum);
        }
        Ok(ProofAnswer { offset: 0, record: self.record.freeze(), more: 0, ..self.head })
    }

    /// The job that the proof is of.
    pub fn job(&self) -> sextant_protocol::JobKey {
        self.head.job
    }

    /// Bytes that have come: where to go on.
    pub fn offset(&self) -> u64 {
        self.record.len() as u64
    }
}
