//! What a worker is asked for. What is proven is bytes here.

use bytes::Bytes;
use sextant_protocol::{record, wire};

use crate::{
    FleetError, Lane, Line, ObjectName, ObjectRef, Release, StageId, Store,
    time::{CLOCKS_DIFFER_BY, unix_ms},
};

/// The largest message, bytes.
pub const MAX_MESSAGE: usize = 512 << 10;

/// What is larger than this goes into the store, bytes: a queue keeps its messages in memory.
const INLINE: usize = 256 << 10;

record! {
/// One stage of a job, and all that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageMessage {
    /// Names it: twice the same is once.
    1 = id: StageId,
    /// Which workers can do it.
    2 = release: Release,
    /// Which of their queues it waits in.
    3 = lane: Lane,
    /// Moved to another queue, or put back by an operator, so many times: what was done with is not taken for it.
    4 = attempt: u32 = 0,
    /// Not to be begun any more after this, milliseconds since 1970; 0 is never.
    5 = deadline_ms: u64 = 0,
    /// What to do: the server's own encoding.
    6 = work: Work,
    /// What stages before this one have made.
    7 = before: Vec<ObjectRef> = Vec::new(),
    /// Whose it is: a keyed hash, never an identity.
    8 = tenant: String = String::new(),
    /// W3C trace context; empty for none.
    9 = traceparent: String = String::new(),
    /// Done although nobody waits: an operator wants it.
    10 = unattended: bool = false,
    /// When it was asked for, milliseconds since 1970; 0 is not known.
    11 = asked_ms: u64 = 0,
}
}

record! {
/// Bytes for the worker: in the message, or in the store where they are many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Work {
    /// The bytes, if there are few.
    1 = inline: Bytes = Bytes::new(),
    /// Where they are otherwise.
    2 = stored: Option<ObjectRef> = None,
}
}

impl Work {
    /// Puts `bytes` into the store if they are too many for a message.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn new(bytes: Bytes, store: &dyn Store) -> Result<Self, FleetError> {
        if bytes.len() <= INLINE {
            return Ok(Self { inline: bytes, stored: None });
        }
        let name = ObjectName::input(&bytes);
        Ok(Self { inline: Bytes::new(), stored: Some(store.put(&name, bytes).await?) })
    }

    /// The bytes; `None` if the store has lost them.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn bytes(&self, store: &dyn Store) -> Result<Option<Bytes>, FleetError> {
        match &self.stored {
            None => Ok(Some(self.inline.clone())),
            Some(object) => store.get(object).await,
        }
    }
}

impl StageMessage {
    /// A message with nothing but what is to be done.
    #[must_use]
    pub fn new(id: StageId, release: Release, lane: Lane, work: Work) -> Self {
        let (before, tenant, traceparent) = Default::default();
        let (attempt, deadline_ms, unattended, asked_ms) = Default::default();
        Self {
            id,
            release,
            lane,
            attempt,
            deadline_ms,
            work,
            before,
            tenant,
            traceparent,
            unattended,
            asked_ms,
        }
    }

    /// The queue that it waits in.
    #[must_use]
    pub fn line(&self) -> Line {
        Line { stage: self.id.stage.clone(), release: self.release.clone(), lane: self.lane }
    }

    /// Tells messages apart: one of the same name is this one.
    #[must_use]
    pub fn name(&self) -> String {
        match self.attempt {
            0 => self.id.to_string(),
            attempt => format!("{}.{attempt}", self.id),
        }
    }

    /// Whether it is too late to begin, by however much clocks differ.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.deadline_ms != 0 && unix_ms() > self.deadline_ms.saturating_add(CLOCKS_DIFFER_BY)
    }

    /// The bytes on the way.
    ///
    /// # Errors
    /// [`FleetError::TooLarge`]: more belongs into the store.
    pub fn encode(&self) -> Result<Vec<u8>, FleetError> {
        let bytes = wire::to_bytes(self);
        if bytes.len() > MAX_MESSAGE {
            let (got, limit) = (bytes.len() as u64, MAX_MESSAGE as u64);
            return Err(FleetError::TooLarge { what: "a stage's message", got, limit });
        }
        Ok(bytes)
    }

    /// The message in `bytes`.
    ///
    /// # Errors
    /// [`FleetError::Damaged`] says what is wrong.
    pub fn decode(bytes: Bytes) -> Result<Self, FleetError> {
        wire::from_bytes("stage message", bytes, MAX_MESSAGE)
            .map_err(|error| FleetError::damaged("a stage's message", &error))
    }
}
