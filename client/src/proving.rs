//! A prove request in progress, and the checks its answer has to pass.

use std::time::Duration;

use futures::Stream;
use sextant_consensus::{Program, public_values::Statement};
use sextant_protocol::{Progress, ProofKind, ProofRecord, Response, request::ProvingCost};
use tokio::time::{Instant, timeout_at};

use crate::{
    AnswerError, ClientError, DeadlineElapsed,
    connection::{Pending, response_name},
    verify::LocalVerifier,
};

/// A proof that was verified here, and what it says.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The self-describing proof; [`ProofRecord::to_file_bytes`] makes a proof file of it.
    pub record: ProofRecord,
    /// What it proves: the statement that was asked for.
    pub statement: Statement,
    /// What making it took, as the server says.
    pub cost: ProvingCost,
}

/// A prove request in progress. Dropping it cancels the request.
#[derive(Debug)]
pub struct Proving {
    pending: Pending,
    asked: Asked,
    limit: Option<(Instant, Duration)>,
    verifier: LocalVerifier,
}

/// What the answer must match.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) program: Program,
    pub(crate) kind: ProofKind,
    pub(crate) expected: Statement,
    pub(crate) input_digest: [u8; 32],
}

impl Proving {
    pub(crate) fn new(
        pending: Pending,
        asked: Asked,
        limit: Option<Duration>,
        verifier: LocalVerifier,
    ) -> Self {
        // A limit beyond what the clock can express is none.
        let limit = limit.and_then(|limit| Some((Instant::now().checked_add(limit)?, limit)));
        Self { pending, asked, limit, verifier }
    }

    /// The statement that is being proven, as this client computed it.
    pub fn statement(&self) -> &Statement {
        &self.asked.expected
    }

    /// The steps of the request. Ends when the answer is there, or the deadline has passed: then
    /// [`Self::finish`] returns at once.
    pub fn progress(&mut self) -> impl Stream<Item = Progress> + Send + '_ {
        futures::stream::unfold(self, |proving| async {
            let step = proving.next_progress().await?;
            Some((step, proving))
        })
    }

    /// The next step; `None` where [`Self::progress`] ends. Safe to drop half-way and call again.
    pub async fn next_progress(&mut self) -> Option<Progress> {
        match self.limit {
            None => self.pending.progress().await,
            Some((at, _)) => timeout_at(at, self.pending.progress()).await.ok().flatten(),
        }
    }

    /// Waits for the proof and verifies it: made from the input that was sent, by the pinned program, valid, and with
    /// the very public values that this client computed itself.
    ///
    /// # Errors
    /// [`ClientError::Answer`] for an answer that is not to be believed; [`ClientError::Server`] for the server's own
    /// refusal; [`ClientError::Transport`] and [`ClientError::Deadline`] if no answer came.
    pub async fn finish(mut self) -> Result<Proof, ClientError> {
        let response = match self.limit {
            None => self.pending.answer().await?,
            Some((at, after)) => timeout_at(at, self.pending.answer())
                .await
                .map_err(|_| DeadlineElapsed { what: "proof", after })??,
        };
        let Response::Proof { proof, input_digest, cost } = response else {
            let got = response_name(&response);
            return Err(AnswerError::Unexpected { expected: "proof", got }.into());
        };
        self.asked.compare(&proof, &input_digest)?;
        let (record, statement) = self.verifier.verify_apart(proof).await.map_err(AnswerError::from)?;
        // `compare` saw the bytes; this is what the verifier understood them to say.
        if statement != self.asked.expected {
            return Err(AnswerError::PublicValues { at: 0 }.into());
        }
        Ok(Proof { record, statement, cost })
    }
}

impl Asked {
    /// The comparisons that need no cryptography, so that a mixed-up answer is named as such.
    fn compare(&self, proof: &ProofRecord, input_digest: &[u8; 32]) -> Result<(), AnswerError> {
        if *input_digest != self.input_digest {
            return Err(AnswerError::InputDigest { expected: self.input_digest, got: *input_digest });
        }
        if proof.program != self.program.tag() {
            return Err(AnswerError::Program { expected: self.program, got: proof.program });
        }
        if proof.kind != self.kind {
            return Err(AnswerError::Kind { expected: self.kind, got: proof.kind });
        }
        let expected = self.expected.abi_encode();
        if proof.public_values != expected {
            let same = expected.iter().zip(&proof.public_values).take_while(|(a, b)| a == b).count();
            return Err(AnswerError::PublicValues { at: same });
        }
        Ok(())
    }
}
