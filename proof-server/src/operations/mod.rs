//! What an operator asks: is it alive, does it want requests, what has it done. HTTP on a port of its own.

mod http;
mod seats;

use std::sync::Arc;

pub(crate) use http::serve;

use crate::{metrics::Metrics, readiness::Readiness};

/// What the endpoints look at.
pub(crate) struct Operations {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) readiness: Arc<Readiness>,
}
