//! Compressed proofs that somebody has, to be made proofs for contracts.

use axum::{extract::Request, response::IntoResponse};
use hyper::HeaderMap;
use schemars::JsonSchema;
use serde::Deserialize;
use sextant_protocol::{ProofKind, Request as Asked, WrapRequest};

use super::{
    asker::Asker,
    body,
    brought::{Form, bring},
    problem::Problem,
    proofs::taken_on,
    values::Query,
};

/// How the compressed proof in the body is to be wrapped.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Wrapped {
    /// Give up after so many milliseconds, queueing included; 0 is the server's maximum.
    #[serde(default)]
    #[schemars(extend("maximum" = u64::MAX))]
    deadline_ms: u64,
}

/// Takes a compressed proof on, which is verified first.
pub(super) async fn submit(
    asker: Asker,
    Query(wrapped): Query<Wrapped>,
    headers: HeaderMap,
    request: Request,
) -> Result<impl IntoResponse, Problem> {
    body::only_bytes(&headers)?;
    let (record, kind, deadline_ms) = (Vec::new(), ProofKind::Groth16, wrapped.deadline_ms);
    let wrap = Asked::SubmitWrap(WrapRequest { record, kind, deadline_ms, more: 0 });
    taken_on(bring(asker, wrap, request.into_body(), Form::File).await?)
}
