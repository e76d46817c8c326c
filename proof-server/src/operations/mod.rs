//! What an operator asks: is it alive, does it want requests, what has it done. HTTP on a port of its own. What parts of
//! the server tell besides is theirs; nothing here knows the parts.

mod http;
mod seats;

use std::sync::Arc;

pub(crate) use http::serve;

use crate::{metrics::Metrics, readiness::Readiness};

/// What the endpoints look at.
pub(crate) struct Operations {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) readiness: Arc<Readiness>,
    /// What parts of the server have to tell besides, in JSON.
    pub(crate) pages: Vec<Page>,
}

/// Tells it.
type Tell = Box<dyn Fn(&str) -> Result<String, NoPage> + Send + Sync>;

/// Something that a part of the server has to tell.
pub(crate) struct Page {
    /// Where.
    pub(crate) path: &'static str,
    /// What, for the part of the address behind the question mark.
    pub(crate) tell: Tell,
}

/// Why a page has nothing to tell.
#[derive(Debug)]
pub(crate) enum NoPage {
    /// What is asked makes no sense.
    Wrong(String),
    /// It may have in a while.
    NotNow(String),
}
