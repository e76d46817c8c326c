//! Objects at the broker: chunks under a name of their writer's, then a head that says where they are. The head is taken
//! only where there is none, so that what is there stands, and half an object is never read.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, TryStreamExt, stream};
use sextant_protocol::{record, wire};

use super::{
    broker::{Broker, Only, Published, unreachable},
    names::StreamOf,
};
use crate::{Answer, Bucket, FleetError, ObjectName, ObjectRef, Store, Stored};

/// Bytes of a chunk: a quarter of what brokers take in one message.
const CHUNK: usize = 256 << 10;
/// Chunks on the way at once.
const AT_ONCE: usize = 8;
/// Bytes by which a head is never larger.
const HEAD: usize = 1 << 10;

/// The objects of a fleet.
#[derive(Clone)]
pub struct NatsStore(Arc<Broker>);

record! {
/// What an object is, and where its bytes are.
#[derive(Clone, Debug)]
pub struct Head {
    /// It.
    1 = object: ObjectRef,
    /// Whose chunks.
    2 = writer: String,
    /// How many.
    3 = chunks: u64,
}
}

impl NatsStore {
    pub(super) fn new(broker: Arc<Broker>) -> Self {
        Self(broker)
    }

    async fn head(&self, name: &ObjectName) -> Result<Option<Head>, FleetError> {
        let subject = self.0.names.head(name);
        let Some((_, bytes)) = self.0.last(StreamOf::Objects(name.bucket()), &subject).await? else {
            return Ok(None);
        };
        let head = wire::from_bytes("head of an object", bytes, HEAD);
        head.map(Some).map_err(|error| FleetError::damaged("an object's head", &error))
    }

    async fn put(&self, name: &ObjectName, bytes: Bytes) -> Result<ObjectRef, FleetError> {
        if let Some(head) = self.head(name).await? {
            return Ok(head.object);
        }
        let limit = self.0.config.store.bucket(name.bucket()).bytes;
        if bytes.len() as u64 > limit {
            return Err(FleetError::Full("the fleet's broker"));
        }
        loop {
            match self.write(name, bytes.clone()).await {
                Err(FleetError::Full(_))
                    if name.bucket() == Bucket::Proofs && self.forget_oldest().await? => {}
                written => return written,
            }
        }
    }

    async fn write(&self, name: &ObjectName, bytes: Bytes) -> Result<ObjectRef, FleetError> {
        let writer = format!("{:016x}", fastrand::u64(..));
        let object = ObjectRef::to(name.clone(), &bytes);
        let written = self.write_all(&writer, &object, bytes).await;
        if !matches!(written, Ok(Published::New)) {
            // Nothing that nobody can find stays.
            self.0.purge(StreamOf::Objects(name.bucket()), &self.0.names.chunk(name, &writer, "*")).await?;
        }
        match written? {
            Published::New => Ok(object),
            // Somebody was faster, whose object stands.
            _ => Ok(self.head(name).await?.map_or(object, |head| head.object)),
        }
    }

    async fn write_all(
        &self,
        writer: &str,
        object: &ObjectRef,
        bytes: Bytes,
    ) -> Result<Published, FleetError> {
        let name = &object.name;
        let chunks = (0..bytes.len()).step_by(CHUNK).map(|at| bytes.slice(at..bytes.len().min(at + CHUNK)));
        let chunks: Vec<Bytes> = chunks.collect();
        let head = Head { object: object.clone(), writer: writer.into(), chunks: chunks.len() as u64 };
        let publish = |(number, chunk): (usize, Bytes)| async move {
            let subject = self.0.names.chunk(name, writer, &number.to_string());
            self.0.publish(&subject, chunk, None, Only::Always).await
        };
        let writes = stream::iter(chunks.into_iter().enumerate()).map(publish).buffer_unordered(AT_ONCE);
        writes.try_for_each(|_| async { Ok(()) }).await?;
        // Its own id: tried again because no answer came, it is not taken for another one's.
        let subject = self.0.names.head(name);
        match self.0.publish(&subject, wire::to_bytes(&head).into(), Some(writer), Only::After(0)).await? {
            Published::New | Published::Known => Ok(Published::New),
            Published::Other => {
                let ours = self.head(name).await?.is_some_and(|head| head.writer == writer);
                Ok(if ours { Published::New } else { Published::Other })
            }
        }
    }

    async fn read(&self, name: &ObjectName) -> Result<Option<Bytes>, FleetError> {
        let Some(head) = self.head(name).await? else { return Ok(None) };
        let read = |number: u64| {
            let subject = self.0.names.chunk(name, &head.writer, &number.to_string());
            async move { self.0.last(StreamOf::Objects(name.bucket()), &subject).await }
        };
        let mut reads = stream::iter(0..head.chunks).map(read).buffered(AT_ONCE);
        let mut bytes = BytesMut::new();
        while let Some(chunk) = reads.try_next().await? {
            let Some((_, chunk)) = chunk else { break };
            bytes.extend_from_slice(&chunk);
        }
        let bytes = bytes.freeze();
        if ObjectRef::to(name.clone(), &bytes) != head.object {
            tracing::warn!(object = %name, "an object is damaged; it is removed");
            self.remove(name).await?;
            return Ok(None);
        }
        Ok(Some(bytes))
    }

    async fn remove(&self, name: &ObjectName) -> Result<(), FleetError> {
        // The head first would be better, and is not needed: what has no bytes is damaged.
        self.0.purge(StreamOf::Objects(name.bucket()), &self.0.names.object(name)).await
    }

    async fn list(&self, bucket: Bucket) -> Result<Vec<Stored>, FleetError> {
        let mut stored = Vec::new();
        for subject in self.0.subjects(StreamOf::Objects(bucket), &self.0.names.heads(bucket)).await? {
            let Some(name) = self.0.names.object_of(&subject) else { continue };
            // Gone meanwhile, or damaged: a reader finds nothing there either.
            let Some(found) = self.0.next(StreamOf::Objects(bucket), &subject, 0).await? else { continue };
            let Ok(head) = wire::from_bytes::<Head>("head of an object", found.payload, HEAD) else {
                continue;
            };
            stored.push(Stored { name, length: head.object.length, since_ms: found.time_ms });
        }
        Ok(stored)
    }

    /// Makes room among finished proofs; `false` if there is none to forget.
    async fn forget_oldest(&self) -> Result<bool, FleetError> {
        let stream = self.0.stream(StreamOf::Objects(Bucket::Proofs)).await?;
        let info = stream.get_info().await.map_err(|error| unreachable(&error))?;
        if info.state.messages == 0 {
            return Ok(false);
        }
        let oldest = stream.get_raw_message(info.state.first_sequence).await;
        // Gone meanwhile: there is room then.
        let Ok(oldest) = oldest else { return Ok(true) };
        match self.0.names.object_of(&oldest.subject) {
            Some(name) => self.remove(&name).await?,
            None => self.0.purge(StreamOf::Objects(Bucket::Proofs), &oldest.subject).await?,
        }
        Ok(true)
    }
}

impl Store for NatsStore {
    fn put<'a>(&'a self, name: &'a ObjectName, bytes: Bytes) -> Answer<'a, ObjectRef> {
        Box::pin(self.put(name, bytes))
    }

    fn read<'a>(&'a self, name: &'a ObjectName) -> Answer<'a, Option<Bytes>> {
        Box::pin(self.read(name))
    }

    fn find<'a>(&'a self, name: &'a ObjectName) -> Answer<'a, Option<ObjectRef>> {
        Box::pin(async move { Ok(self.head(name).await?.map(|head| head.object)) })
    }

    fn remove<'a>(&'a self, name: &'a ObjectName) -> Answer<'a, ()> {
        Box::pin(self.remove(name))
    }

    fn list(&self, bucket: Bucket) -> Answer<'_, Vec<Stored>> {
        Box::pin(self.list(bucket))
    }
}
