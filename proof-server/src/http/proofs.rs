//! Proofs that are asked for, and what comes of them.

use std::time::Duration;

use axum::{
    body::Body,
    extract::Request,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures_util::stream;
use hyper::{
    StatusCode,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sextant_consensus::Program;
use sextant_protocol::{
    JobKey, ProofAnswer, ProofKind, ProveRequest, Request as Asked, Response as Answer, StatementInput,
    proof::FILE_MAGIC,
};
use sha2::{Digest, Sha256};

use super::{
    asker::{Asker, unexpected},
    body::{self, BYTES, Kind},
    brought::{Form, bring},
    job::{ENVELOPE, Job, Seen, Waiting},
    problem::Problem,
    values::{JSON, Json, Named, Query},
};
use crate::blocking::blocking;

/// What proof is wanted of the statement in the body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// The program that the statement is for.
    program: ProgramName,
    /// The form of proof.
    #[serde(default)]
    kind: KindName,
    /// Give up after so many milliseconds, queueing included; 0 is the server's maximum.
    #[serde(default)]
    #[schemars(extend("maximum" = u64::MAX))]
    deadline_ms: u64,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
enum ProgramName {
    CommitteeChange,
    Inclusion,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum KindName {
    #[default]
    Stark,
    Compressed,
    Groth16,
    Plonk,
    Bundled,
}

/// A job that was taken on.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Submitted {
    /// Names it from now on, 64 hexadecimal digits.
    id: String,
    /// How long its outcome is kept after its end, seconds.
    kept_s: u64,
}

/// How long to wait for a proof.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Patience {
    /// Milliseconds, if the proof is not there yet; at most a minute.
    #[serde(default)]
    #[schemars(extend("maximum" = u64::MAX))]
    wait_ms: u64,
}

/// Longest that an answer is held back for a proof: what lies between client and server cuts off what is silent for longer.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// Takes a statement on.
pub(super) async fn submit(
    asker: Asker,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    let program = Program::from(wanted.program);
    let form = match body::kind(&headers) {
        Some(Kind::Bytes) => Form::Input,
        Some(Kind::Json) => Form::Told(program),
        None => return Err(body::no_such_kind(&[BYTES, JSON])),
    };
    let input = StatementInput::new(program, Vec::new());
    let prove =
        ProveRequest { deadline_ms: wanted.deadline_ms, ..ProveRequest::new(input, wanted.kind.into()) };
    taken_on(bring(asker, Asked::Submit(prove), request.into_body(), form).await?)
}

/// What is answered where a job was taken on.
pub(super) fn taken_on(answer: Answer) -> Result<impl IntoResponse, Problem> {
    match answer {
        Answer::Submitted { job, kept_s } => {
            let id = job.to_string();
            let location = [(header::LOCATION, format!("/v1/proofs/{id}"))];
            Ok((StatusCode::ACCEPTED, location, Json(Submitted { id, kept_s })))
        }
        _ => Err(unexpected().into()),
    }
}

/// Where a job stands.
pub(super) async fn status(asker: Asker, Named(job): Named) -> Result<Json<Job>, Problem> {
    let mut waiting = Waiting::new(asker, job);
    let seen = waiting.glance().await;
    waiting.close(&seen).map(Json)
}

/// The proof file; while it is being made, where the job stands.
pub(super) async fn proof(
    asker: Asker,
    Named(job): Named,
    Query(patience): Query<Patience>,
) -> Result<Response, Problem> {
    let mut waiting = Waiting::new(asker, job);
    let seen = waiting.outcome(Duration::from_millis(patience.wait_ms).min(LONGEST_WAIT)).await;
    let told = waiting.close(&seen)?;
    match seen {
        Seen::Step(_) => {
            let again = [(header::RETRY_AFTER, HeaderValue::from_static("1"))];
            Ok((StatusCode::ACCEPTED, again, Json(told)).into_response())
        }
        Seen::Over(Err(error)) => Err(error.into()),
        Seen::Over(Ok(answer)) => file(job, answer).await,
    }
}

/// Takes a job back.
pub(super) async fn withdraw(asker: Asker, Named(job): Named) -> Result<StatusCode, Problem> {
    asker.ask(Asked::Withdraw { job }).await.map(|_| StatusCode::NO_CONTENT)
}

/// A proof as a file, whose record is shared with whoever else gets it.
async fn file(job: JobKey, answer: ProofAnswer) -> Result<Response, Problem> {
    let record = answer.record.clone();
    let checksum = blocking(move || Sha256::new().chain_update(FILE_MAGIC).chain_update(&record).finalize());
    let checksum = Bytes::copy_from_slice(&checksum.await?);
    let length = answer.record.len() + ENVELOPE;
    let parts = [Bytes::from_static(&FILE_MAGIC), answer.record, checksum];
    let body = Body::from_stream(stream::iter(parts.map(Ok::<_, std::convert::Infallible>)));
    let headers: [(HeaderName, String); 3] = [
        (header::CONTENT_TYPE, BYTES.into()),
        (header::CONTENT_LENGTH, length.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{job}.proof\"")),
    ];
    Ok((headers, body).into_response())
}

impl From<ProgramName> for Program {
    fn from(name: ProgramName) -> Self {
        match name {
            ProgramName::CommitteeChange => Self::CommitteeChange,
            ProgramName::Inclusion => Self::Inclusion,
        }
    }
}

impl From<KindName> for ProofKind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Stark => Self::Stark,
            KindName::Compressed => Self::Compressed,
            KindName::Groth16 => Self::Groth16,
            KindName::Plonk => Self::Plonk,
            KindName::Bundled => Self::Bundled,
        }
    }
}
