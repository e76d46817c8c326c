//! Proofs that are brought to be verified.

use axum::extract::Request;
use hyper::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;
use sextant_protocol::{
    ErrorCode, Request as Asked, Response as Answer, ServerError,
    proof::{FILE_MAGIC, ProofFileError},
};
use sha2::{Digest, Sha256};

use super::{
    asker::{Asker, unexpected},
    body,
    brought::{Form, bring},
    job::ENVELOPE,
    problem::Problem,
    values::Json,
};
use crate::blocking::blocking;

/// The verdict on a proof that holds. One that does not is answered with an error that says why.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Verified {
    valid: bool,
}

/// Verifies a proof file.
pub(super) async fn verify(
    asker: Asker,
    headers: HeaderMap,
    request: Request,
) -> Result<Json<Verified>, Problem> {
    body::only_bytes(&headers)?;
    let verify = Asked::Verify { record: Vec::new(), more: 0 };
    match bring(asker, verify, request.into_body(), Form::File).await? {
        Answer::Verified => Ok(Json(Verified { valid: true })),
        _ => Err(unexpected().into()),
    }
}

/// Leaves of a proof file its record, where it lies.
pub(super) async fn unwrap(file: &mut Vec<u8>) -> Result<(), ServerError> {
    let wrong = |error: ProofFileError| ServerError::new(ErrorCode::Malformed, error.to_string());
    if !file.starts_with(&FILE_MAGIC) || file.len() < ENVELOPE {
        return Err(wrong(ProofFileError::NotAProofFile));
    }
    let checksum = file.split_off(file.len() - 32);
    let mut whole = std::mem::take(file);
    let (record, found) = blocking(move || {
        let found = Sha256::digest(&whole);
        whole.drain(..FILE_MAGIC.len());
        (whole, found)
    })
    .await?;
    *file = record;
    if found[..] == checksum[..] { Ok(()) } else { Err(wrong(ProofFileError::Checksum)) }
}
