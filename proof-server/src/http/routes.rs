//! What there is to ask over HTTP: one table, from which both the router and its description come.

use std::sync::Arc;

use axum::{
    Router,
    response::{Html, IntoResponse, Response},
    routing::{MethodRouter, delete, get, post},
};
use bytes::Bytes;
use hyper::{HeaderMap, Method, StatusCode, Uri, header};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use sextant_inputs::Told;
use sextant_protocol::{ErrorCode, ServerError};

use super::{
    body::BYTES,
    description, events,
    job::Job,
    page::Page,
    problem::Problem,
    proofs::{self, Patience, Submitted, Wanted},
    server::{self, Server},
    values::JSON,
    verifications::{self, Verified},
    websocket,
    work::{self, Work},
    wraps::{self, Wrapped},
};

/// Makes the shape of something.
pub(super) type Shape = fn(&mut SchemaGenerator) -> Schema;

/// Something that can be asked.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) path: &'static str,
    pub(super) handler: MethodRouter,
    /// Its name for makers of clients.
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// What may stand behind the question mark.
    pub(super) query: Option<Shape>,
    /// What is brought.
    pub(super) body: Option<Brought>,
    /// What is answered where nothing is wrong.
    pub(super) answers: Vec<Answer>,
}

/// What a request brings, in bytes.
pub(super) struct Brought {
    pub(super) about: &'static str,
    /// The shape of the same in JSON, where that is taken too.
    pub(super) told: Option<Shape>,
}

/// One kind of answer.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) about: &'static str,
    /// What comes with it: kind and shape.
    pub(super) content: Option<(&'static str, Shape)>,
}

/// Serves all of it, and the files of a page where nothing else is.
pub(super) fn router(page: Option<Page>) -> Router {
    let routes = routes();
    let document = Bytes::from(serde_json::to_vec(&description::of(&routes)).unwrap_or_default());
    let described = get(async move || ([(header::CONTENT_TYPE, JSON)], document));
    let router = Router::new().route("/v1/openapi.json", described).route("/v1", get(reader));
    let router = routes.into_iter().fold(router, |router, route| router.route(route.path, route.handler));
    let router = router.method_not_allowed_fallback(no_such_method);
    let Some(page) = page.map(Arc::new) else {
        return router.route("/", get(reader)).fallback(nowhere);
    };
    router.fallback(async move |method: Method, address: Uri, headers: HeaderMap| {
        let file = page.answer(&method, address.path(), &headers);
        file.unwrap_or_else(|| nothing_there().into())
    })
}

fn routes() -> Vec<Route> {
    vec![
        Route {
            method: Method::GET,
            path: "/v1/programs",
            handler: get(server::programs),
            name: "programs",
            about: "What the server offers: its programs with their verifying keys, and its limits.",
            query: None,
            body: None,
            answers: vec![json::<Server>(StatusCode::OK, "The server.")],
        },
        Route {
            method: Method::GET,
            path: "/v1/status",
            handler: get(work::work),
            name: "work",
            about: "What the server is at: its jobs and where they stand, its workers, the last hour, the last failures. For \
                    operators alone.",
            query: None,
            body: None,
            answers: vec![json::<Work>(StatusCode::OK, "What it is at.")],
        },
        Route {
            method: Method::POST,
            path: "/v1/proofs",
            handler: post(proofs::submit),
            name: "submit",
            about: "Asks for a proof of the statement in the body. The job goes on whoever is connected; \
                    whoever asks for the same proof, here or by TCP, gets the same job.",
            query: Some(shape::<Wanted>),
            body: Some(Brought {
                about: "The input, in the encoding that the guest program reads; or in JSON what nodes have answered, of which \
                        the server makes it.",
                told: Some(shape::<Told>),
            }),
            answers: vec![json::<Submitted>(StatusCode::ACCEPTED, "The job is taken on.")],
        },
        Route {
            method: Method::GET,
            path: "/v1/proofs/{id}",
            handler: get(proofs::status),
            name: "status",
            about: "Where a job stands, or what came of it.",
            query: None,
            body: None,
            answers: vec![json::<Job>(StatusCode::OK, "The job.")],
        },
        Route {
            method: Method::GET,
            path: "/v1/proofs/{id}/events",
            handler: get(events::events),
            name: "events",
            about: "The job's steps as they come, as server-sent events: `step` with a step, then `done` or `failed` with the \
                    job. Events are information: of a slow reader's some are left out.",
            query: None,
            body: None,
            answers: vec![Answer {
                status: StatusCode::OK,
                about: "The events, each of this shape.",
                content: Some((events::KIND, events::shape)),
            }],
        },
        Route {
            method: Method::GET,
            path: "/v1/proofs/{id}/proof",
            handler: get(proofs::proof),
            name: "proof",
            about: "The proof, as a file for `sextant verify`.",
            query: Some(shape::<Patience>),
            body: None,
            answers: vec![
                Answer { status: StatusCode::OK, about: "The proof file.", content: Some((BYTES, bytes)) },
                json::<Job>(StatusCode::ACCEPTED, "It is being made."),
            ],
        },
        Route {
            method: Method::DELETE,
            path: "/v1/proofs/{id}",
            handler: delete(proofs::withdraw),
            name: "withdraw",
            about: "Takes back a job that the same client has asked for. It ends if nobody else wants it.",
            query: None,
            body: None,
            answers: vec![Answer {
                status: StatusCode::NO_CONTENT,
                about: "It has lost this client.",
                content: None,
            }],
        },
        Route {
            method: Method::POST,
            path: "/v1/wraps",
            handler: post(wraps::submit),
            name: "wrap",
            about: "Asks for the Groth16 proof of the compressed proof in the body, which is verified first. The job is one like \
                    any other.",
            query: Some(shape::<Wrapped>),
            body: Some(Brought { about: "A file of a compressed proof.", told: None }),
            answers: vec![json::<Submitted>(StatusCode::ACCEPTED, "The job is taken on.")],
        },
        Route {
            method: Method::POST,
            path: "/v1/verifications",
            handler: post(verifications::verify),
            name: "verify",
            about: "Verifies a proof against the programs that the server pins. Only the caller knows which committee it \
                    trusts: that the proof begins there is not part of the verdict.",
            query: None,
            body: Some(Brought { about: "A proof file.", told: None }),
            answers: vec![json::<Verified>(StatusCode::OK, "The proof is valid.")],
        },
        Route {
            method: Method::GET,
            path: "/v1/rpc",
            handler: get(websocket::upgrade),
            name: "rpc",
            about: "The protocol itself over WebSocket: each binary message is the body of one frame. The token comes in the \
                    introduction.",
            query: None,
            body: None,
            answers: vec![Answer {
                status: StatusCode::SWITCHING_PROTOCOLS,
                about: "The connection is a WebSocket.",
                content: None,
            }],
        },
    ]
}

fn json<T: JsonSchema>(status: StatusCode, about: &'static str) -> Answer {
    Answer { status, about, content: Some((JSON, shape::<T>)) }
}

pub(super) fn shape<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// Bytes have the shape of their kind.
pub(super) fn bytes(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "format": "binary" })
}

/// A page that shows the description to people. It loads nothing from elsewhere.
async fn reader() -> Response {
    let policy =
        "default-src 'none'; connect-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'";
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(include_str!("reader.html"))).into_response()
}

async fn nowhere() -> Problem {
    nothing_there()
}

fn nothing_there() -> Problem {
    let message = "nothing is here; /v1/openapi.json tells what there is";
    Problem::with_status(StatusCode::NOT_FOUND, ServerError::new(ErrorCode::Unsupported, message))
}

async fn no_such_method() -> Problem {
    let message = "this cannot be asked with this method; /v1/openapi.json tells what can";
    Problem::with_status(StatusCode::METHOD_NOT_ALLOWED, ServerError::new(ErrorCode::Unsupported, message))
}
