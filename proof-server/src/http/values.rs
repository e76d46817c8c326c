//! What is read of an address, the part behind the question mark and a name in its path; and answers in JSON.

use axum::{
    extract::{FromRequestParts, Path},
    response::{IntoResponse, Response},
};
use hyper::{header, http::request::Parts};
use serde::{Serialize, de::DeserializeOwned};
use sextant_protocol::{ErrorCode, JobKey, ServerError};

use super::problem::Problem;

/// The kind of such answers.
pub(super) const JSON: &str = "application/json";

/// What is asked for by name; each name at most once, and none that is not known.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let read = serde_urlencoded::from_str(query).map_err(|error| malformed(format!("query: {error}")))?;
        Ok(Self(read))
    }
}

/// The job that a path names.
pub(super) struct Named(pub(super) JobKey);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let no_job = || malformed("a job's id is 64 hexadecimal digits".into());
        let Path(id) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| no_job())?;
        id.parse().map(Self).map_err(|_| no_job())
    }
}

fn malformed(message: String) -> Problem {
    ServerError::new(ErrorCode::Malformed, message.chars().take(300).collect::<String>()).into()
}

/// An answer in JSON.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        ([(header::CONTENT_TYPE, JSON)], body).into_response()
    }
}
