//! The protocol's requests over HTTP, and its messages over WebSocket.
//!
//! A connection comes from the same listener as any other, with its place, its TLS and its PROXY header. Each of its
//! requests says who asks (`asker`), becomes a request of the protocol, and goes the way of all of them: through
//! `services`. What is there to ask stands in one table (`routes`), from which both the router and its description are
//! made. A connection that turns into a WebSocket (`websocket`) is served as if it had come by TCP.

mod asker;
mod body;
mod brought;
mod description;
mod events;
mod job;
mod page;
mod problem;
mod proofs;
mod routes;
mod server;
mod values;
mod verifications;
mod websocket;
mod work;
mod wraps;

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, body::Body};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{self, HeaderValue},
    service::{Service, service_fn},
    upgrade::OnUpgrade,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
pub(crate) use page::Page;
pub use page::PageError;
pub(crate) use problem::refusal;
use sextant_protocol::{ErrorCode, ServerError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_io_timeout::TimeoutStream;

use crate::{
    connection::{Context, Ended},
    origins::{Origins, Scheme},
    visitor::Visitor,
};
use problem::Problem;

/// Longest head of a request, bytes.
const HEAD: usize = 16 << 10;

/// Serves connections that speak HTTP.
pub(crate) struct Gateway {
    context: Arc<Context>,
    origins: Origins,
    /// What the origins of pages that were loaded from here begin with, if there is one to load.
    own: Option<Scheme>,
    routes: Router,
}

/// One connection, as its requests find it among their extensions.
#[derive(Clone)]
struct Guest {
    context: Arc<Context>,
    /// Gone when the connection is a WebSocket.
    visitor: Arc<Mutex<Option<Visitor>>>,
    upgrade: Arc<Mutex<Option<OnUpgrade>>>,
}

impl Gateway {
    /// `page` is served beside what can be asked; `scheme` is what is spoken here.
    pub(crate) fn new(context: Arc<Context>, origins: Origins, page: Option<Page>, scheme: Scheme) -> Self {
        let own = page.is_some().then_some(scheme);
        Self { context, origins, own, routes: routes::router(page) }
    }

    /// Serves one client from its first byte to its last.
    pub(crate) async fn serve<S>(&self, stream: S, visitor: Visitor) -> Result<(), Ended>
    where
        S: AsyncRead + AsyncWrite + Send + 'static,
    {
        let (limits, control) = (self.context.limits, &self.context.control);
        let mut stream = TimeoutStream::new(stream);
        // As over TCP: who takes nothing is given up, who is slow is not.
        stream.set_write_timeout(Some(limits.write));
        let door = visitor.door();
        let guest = Guest {
            context: self.context.clone(),
            visitor: Arc::new(Mutex::new(Some(visitor))),
            upgrade: Arc::default(),
        };
        let service = service_fn(|request| self.answer(request, guest.clone()));
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.handshake)
            .max_buf_size(HEAD)
            .serve_connection(TokioIo::new(Box::pin(stream)), service)
            .with_upgrades();
        let mut connection = std::pin::pin!(connection);
        let mut draining = false;
        let turned_away = guest.turned_away(door);
        let mut turned_away = std::pin::pin!(turned_away);
        loop {
            tokio::select! {
                // However it ends, the client knows.
                _ = &mut connection => break,
                () = control.ending(), if !draining => {
                    draining = true;
                    connection.as_mut().graceful_shutdown();
                }
                () = control.stop.cancelled() => return Ok(()),
                error = &mut turned_away => return Err(Ended::Refused(error)),
            }
        }
        let upgrade = take(&guest.upgrade);
        let (Some(upgrade), Some(visitor)) = (upgrade, take(&guest.visitor)) else { return Ok(()) };
        let Ok(upgraded) = upgrade.await else { return Err(Ended::Silent) };
        websocket::serve(TokioIo::new(upgraded), visitor, self.context.clone()).await
    }

    /// Answers one request, unless the web page that it comes from may not ask.
    async fn answer(
        &self,
        mut request: Request<Incoming>,
        guest: Guest,
    ) -> Result<Response<Body>, Infallible> {
        let origin = request.headers().get(header::ORIGIN).cloned();
        if let Some(origin) = &origin {
            let own =
                self.own.is_some_and(|scheme| scheme.is_own(origin, request.headers().get(header::HOST)));
            if !own && !self.origins.allow(origin) {
                let error =
                    ServerError::new(ErrorCode::Unauthorized, "pages of this origin may not ask here");
                return Ok(Problem::with_status(StatusCode::FORBIDDEN, error).into());
            }
            if request.method() == Method::OPTIONS {
                return Ok(preflight(origin));
            }
        }
        request.extensions_mut().insert(guest);
        let mut response = match TowerToHyperService::new(self.routes.clone()).call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        if let Some(origin) = &origin {
            shared_with(origin, response.headers_mut());
        }
        Ok(response)
    }
}

impl Guest {
    /// Completes when the door would not let this client in any more as whom it came.
    async fn turned_away(
        &self,
        mut door: tokio::sync::watch::Receiver<Arc<crate::door::Door>>,
    ) -> ServerError {
        loop {
            if door.changed().await.is_err() {
                // The server is ending, which is told in another way.
                return std::future::pending().await;
            }
            let visitor = self.visitor.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(Err(error)) = visitor.as_ref().map(Visitor::still_welcome) {
                return error;
            }
        }
    }
}

/// What a browser asks before it asks.
fn preflight(origin: &HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    shared_with(origin, headers);
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Lets the browser hand an answer to the page that asked.
fn shared_with(origin: &HeaderValue, headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("location, retry-after"));
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}
