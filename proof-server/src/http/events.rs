//! The steps of a job as they come: server-sent events, the last of which says what came of it.

use std::{convert::Infallible, slice, time::Duration};

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use hyper::header;
use schemars::{Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use sextant_protocol::Progress;
use tokio::{sync::mpsc, time::interval};
use tokio_stream::{StreamExt, wrappers::ReceiverStream};

use super::{
    asker::Asker,
    job::{Job, Seen, Step, Waiting},
    problem::{Described, Problem},
    values::{JSON, Named},
};

/// The kind of a body that events come in.
pub(super) const KIND: &str = "text/event-stream";

/// How often something is sent to a client for which there is nothing new: what lies between cuts off what is silent.
const BEAT: Duration = Duration::from_secs(15);

/// Events that may wait for a slow client.
const AHEAD: usize = 16;

/// Tells of a job until it is over. Leaving earlier does nothing to the job.
pub(super) async fn events(asker: Asker, Named(job): Named) -> Result<Response, Problem> {
    let mut waiting = Waiting::new(asker, job);
    let first = waiting.glance().await;
    let (events, body) = mpsc::channel(AHEAD);
    match first {
        Seen::Step(step) => {
            tokio::spawn(tell(waiting, step, events));
        }
        Seen::Over(_) => {
            // No such job is an answer, not an event.
            let job = waiting.close(&first)?;
            let _ = events.try_send(over(&job));
        }
    }
    let body = Body::from_stream(ReceiverStream::new(body).map(Ok::<_, Infallible>));
    let headers = [(header::CONTENT_TYPE, KIND), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, body).into_response())
}

async fn tell(mut waiting: Waiting, step: Option<Progress>, events: mpsc::Sender<Bytes>) {
    if let Some(step) = step {
        let _ = events.send(event("step", &Step::from(step))).await;
    }
    let mut beat = interval(BEAT);
    beat.reset();
    let mut seen = Seen::Step(step);
    loop {
        let bytes = tokio::select! {
            next = waiting.next() => {
                seen = next;
                match &seen {
                    Seen::Step(Some(step)) => event("step", &Step::from(*step)),
                    Seen::Step(None) => continue,
                    Seen::Over(_) => break,
                }
            }
            _ = beat.tick() => Bytes::from_static(b":\n\n"),
            () = events.closed() => break,
        };
        // Closed: the client is gone.
        let _ = events.send(bytes).await;
    }
    let last = match waiting.close(&seen) {
        Ok(job) => over(&job),
        Err(problem) => event("failed", &problem.described()),
    };
    let _ = events.send(last).await;
}

/// The shape of an event, of which a body has one after the other.
pub(super) fn shape(shapes: &mut SchemaGenerator) -> Schema {
    let of = |names: &[&str], content: &[Schema]| {
        json_schema!({
            "properties": {
                "event": { "enum": names },
                "data": { "contentSchema": { "anyOf": content } },
            },
        })
    };
    let step = shapes.subschema_for::<Step>();
    let job = shapes.subschema_for::<Job>();
    let problem = shapes.subschema_for::<Described>();
    json_schema!({
        "type": "object",
        "properties": {
            "event": { "type": "string" },
            "data": { "type": "string", "contentMediaType": JSON },
        },
        "required": ["event", "data"],
        "oneOf": [of(&["step"], &[step]), of(&["done"], slice::from_ref(&job)), of(&["failed"], &[job, problem])],
    })
}

fn over(job: &Job) -> Bytes {
    event(if job.is_done() { "done" } else { "failed" }, job)
}

fn event<T: Serialize>(name: &str, data: &T) -> Bytes {
    let data = serde_json::to_string(data).unwrap_or_default();
    format!("event: {name}\ndata: {data}\n\n").into()
}
