//! From a compressed proof that somebody has to a proof for contracts of the same statement.

use std::time::Duration;

use sextant_protocol::{ProofKind, ProofRecord, Request, WrapRequest, message::WRAP};

use crate::{
    CheckedProof, Client, ClientError, NotOffered, Proving, Submitted,
    proving::{Asked, milliseconds},
};

impl Client {
    /// Asks for the Groth16 proof of a compressed one. That is verified here first: one that does not hold is never sent,
    /// and what comes back must be of the same statement.
    ///
    /// `deadline` as in [`Self::prove`].
    ///
    /// # Errors
    /// [`ClientError::Wrap`] says why the proof cannot be wrapped; [`ClientError::NotOffered`] if the server does not know
    /// how. Everything else comes out of [`Proving::finish`].
    pub async fn wrap(&self, proof: ProofRecord, deadline: Option<Duration>) -> Result<Proving, ClientError> {
        self.knows_wrapping()?;
        let checked = CheckedProof::check(proof, &self.dialer.config.verifier).await?;
        self.wrap_checked(checked, deadline)
    }

    /// [`Self::wrap`] for a proof that was verified before.
    ///
    /// # Errors
    /// If the server does not know how, or the connection is already gone.
    pub fn wrap_checked(
        &self,
        checked: CheckedProof,
        deadline: Option<Duration>,
    ) -> Result<Proving, ClientError> {
        let (request, asked) = self.wrap_request(checked, deadline)?;
        Ok(Proving::start(&self.link, self.dialer.clone(), Request::Wrap(request), asked, deadline)?)
    }

    /// [`Self::wrap`] for somebody who will come back for it.
    ///
    /// # Errors
    /// [`ClientError::Server`] if it is not taken on, [`ClientError::NotOffered`] if the server does not know how.
    pub async fn submit_wrap(
        &self,
        checked: CheckedProof,
        deadline: Option<Duration>,
    ) -> Result<Submitted, ClientError> {
        let (request, _) = self.wrap_request(checked, deadline)?;
        self.submitted(Request::SubmitWrap(request)).await
    }

    /// What is sent to a server that knows the request, and what must come back.
    fn wrap_request(
        &self,
        checked: CheckedProof,
        deadline: Option<Duration>,
    ) -> Result<(WrapRequest, Asked), NotOffered> {
        self.knows_wrapping()?;
        let (record, expected) = checked.into_parts();
        let request = WrapRequest { deadline_ms: milliseconds(deadline), ..WrapRequest::new(&record) };
        Ok((request, Asked { program: expected.program(), kind: ProofKind::Groth16, expected }))
    }

    fn knows_wrapping(&self) -> Result<(), NotOffered> {
        let wraps = self.link.capabilities().iter().any(|capability| capability == WRAP);
        if wraps { Ok(()) } else { Err(NotOffered::Wrapping) }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use sextant_consensus::{Program, bls::Plain, check_statement, codec};
    use sextant_protocol::{
        ClientMessage, JobKey, PROTOCOL_VERSION, ProofAnswer, Response, ServerMessage,
        frame::{MAX_FRAME, MessageReader, MessageWriter},
        proof::Circuits,
        request::ProvingCost,
    };

    use super::*;
    use crate::{AnswerError, ClientConfig, WrapError, verify::LocalVerifier};

    fn recorded(name: &str) -> Vec<u8> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data/recorded-snarks");
        std::fs::read(folder.join(name)).unwrap()
    }

    /// A real SNARK by development circuits.
    fn snark(name: &str) -> ProofRecord {
        ProofRecord::from_file_bytes(&recorded(name)).unwrap()
    }

    fn verifier() -> LocalVerifier {
        LocalVerifier::allow_development_circuits(recorded("groth16_vk.bin"))
    }

    /// What would have verified: a compressed proof of one handover.
    fn checked() -> CheckedProof {
        let input = codec::encode(&sextant_fixtures::committee_change(1));
        let statement = check_statement(Program::CommitteeChange, &input, &mut Plain).unwrap();
        let record = ProofRecord {
            kind: ProofKind::Compressed,
            circuits: Circuits::Release,
            public_values: statement.abi_encode(),
            proof: vec![7; 64],
            ..snark("one-handover.proof")
        };
        CheckedProof { record, statement }
    }

    /// A client of a server that has these capabilities and answers the first request, whatever it is, with a proof. The
    /// task ends with what was asked.
    async fn server(
        capabilities: &[&str],
        proof: ProofRecord,
    ) -> (Client, tokio::task::JoinHandle<Option<Request>>) {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let (read, write) = tokio::io::split(theirs);
        let capabilities = capabilities.iter().map(|name| (*name).into()).collect();
        let serving = tokio::spawn(async move {
            let mut reader = MessageReader::<_, ClientMessage>::new(read, MAX_FRAME, "client message");
            let mut writer = MessageWriter::new(write, MAX_FRAME);
            reader.next().await.unwrap();
            let welcome =
                ServerMessage::Welcome { version: PROTOCOL_VERSION, agent: "fake".into(), capabilities };
            writer.send(&welcome).await.unwrap();
            reader.next().await.unwrap();
            let Ok(Some(ClientMessage::Request { id, request })) = reader.next().await else { return None };
            let answer = ProofAnswer::new(&proof, [0; 32], ProvingCost::default(), JobKey([7; 32]));
            writer.send(&ServerMessage::Answer { id, result: Ok(Response::Proof(answer)) }).await.unwrap();
            Some(request)
        });
        let (read, write) = tokio::io::split(ours);
        let config = ClientConfig { verifier: verifier(), ..ClientConfig::default() };
        (Client::over(read, write, config).await.unwrap(), serving)
    }

    #[tokio::test]
    async fn a_snark_of_the_same_statement_comes_back() {
        let (client, serving) = server(&["telepathy", WRAP], snark("one-handover.proof")).await;
        let deadline = Some(Duration::from_secs(9));
        let proof = client.wrap_checked(checked(), deadline).unwrap().finish().await.unwrap();
        assert_eq!((proof.record.kind, &proof.statement), (ProofKind::Groth16, checked().statement()));
        let asked = WrapRequest { deadline_ms: 9_000, ..WrapRequest::new(&checked().record) };
        assert_eq!(serving.await.unwrap(), Some(Request::Wrap(asked)));
    }

    #[tokio::test]
    async fn a_true_proof_of_something_else_is_refused() {
        let (client, _serving) = server(&[WRAP], snark("inclusion.proof")).await;
        let error = client.wrap_checked(checked(), None).unwrap().finish().await.unwrap_err();
        assert!(matches!(error, ClientError::Answer(AnswerError::Program { .. })), "{error:?}");
        let (client, _serving) = server(&[WRAP], snark("committee-change.proof")).await;
        let error = client.wrap_checked(checked(), None).unwrap().finish().await.unwrap_err();
        assert!(matches!(error, ClientError::Answer(AnswerError::PublicValues { .. })), "{error:?}");
    }

    /// Neither what cannot be wrapped nor to whom does not know how.
    #[tokio::test]
    async fn nothing_is_sent_in_vain() {
        let (client, serving) = server(&[WRAP], snark("one-handover.proof")).await;
        let error = client.wrap(snark("one-handover.proof"), None).await.unwrap_err();
        assert!(matches!(error, ClientError::Wrap(WrapError::Kind(ProofKind::Groth16))), "{error:?}");
        let error = client.wrap(checked().record, None).await.unwrap_err();
        assert!(matches!(error, ClientError::Wrap(WrapError::Verify(_))), "{error:?}");
        drop(client);
        assert_eq!(serving.await.unwrap(), None);

        let (client, serving) = server(&["telepathy"], snark("one-handover.proof")).await;
        for error in [
            client.wrap(checked().record, None).await.unwrap_err(),
            client.wrap_checked(checked(), None).unwrap_err(),
            client.submit_wrap(checked(), None).await.unwrap_err(),
        ] {
            assert!(matches!(error, ClientError::NotOffered(NotOffered::Wrapping)), "{error:?}");
        }
        drop(client);
        assert_eq!(serving.await.unwrap(), None);
    }
}
