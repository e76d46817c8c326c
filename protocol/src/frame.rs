//! Frames: a `u32` big-endian length, then that many bytes of one message. The cap is checked before allocation.

use std::{io, marker::PhantomData};

use bytes::{Buf, BytesMut};
use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::encoding::{self, EncodingError};

/// Cap on a frame sent by a client: a statement input or a proof to verify.
pub const MAX_CLIENT_FRAME: usize = 33 << 20;

/// Cap on a frame sent by a server or a worker: a proof.
pub const MAX_SERVER_FRAME: usize = 33 << 20;

/// Cap on a frame before the handshake is over, in both directions: a stranger may not make a peer buffer more.
pub const MAX_HANDSHAKE_FRAME: usize = 4 << 10;

/// Bytes of the length field.
const HEAD: usize = 4;

/// Most that a claimed length reserves ahead of the bytes that arrive.
const READ_AHEAD: usize = 64 << 10;

/// Why a message could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The transport failed, closed inside a frame, or announced a frame over the cap.
    #[error("connection: {0}")]
    Io(#[from] io::Error),
    /// The frame's content is not the expected message.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
}

/// Reads messages of type `M`.
///
/// [`Self::next`] is all that most readers need. Who reads from strangers goes step by step: [`Self::begin`] waits for
/// a frame to start, [`Self::opening`] shows its length and first bytes, and then it is read or skipped.
#[derive(Debug)]
pub struct MessageReader<R, M> {
    transport: R,
    buffer: BytesMut,
    cap: usize,
    /// The stream failed; nothing that comes after is a frame.
    broken: bool,
    what: &'static str,
    message: PhantomData<fn() -> M>,
}

impl<R: AsyncRead + Unpin, M: DeserializeOwned> MessageReader<R, M> {
    /// Reads from `transport` frames of at most `cap` bytes; `what` names the message in errors.
    pub fn new(transport: R, cap: usize, what: &'static str) -> Self {
        Self { transport, buffer: BytesMut::new(), cap, broken: false, what, message: PhantomData }
    }

    /// Changes the cap, for frames whose length has not been read yet: small in the handshake, larger after it.
    pub fn set_cap(&mut self, cap: usize) {
        self.cap = cap;
    }

    /// The next message; `Ok(None)` is a clean end between frames. Safe to drop half-way and call again.
    ///
    /// # Errors
    /// [`FrameError::Io`] for a broken or torn stream or a frame over the cap (the stream is over then),
    /// [`FrameError::Encoding`] for a frame that is no message (the next one may still be read).
    pub async fn next(&mut self) -> Result<Option<M>, FrameError> {
        if !self.begin().await? {
            return Ok(None);
        }
        let length = self.length().await?;
        self.fill(HEAD + length).await?;
        let message = encoding::decode(self.what, &self.buffer[HEAD..HEAD + length], self.cap);
        self.consume(HEAD + length);
        Ok(Some(message?))
    }

    /// Waits for the first byte of the next frame; `false` is a clean end. Safe to drop half-way.
    ///
    /// # Errors
    /// [`FrameError::Io`] for a broken stream.
    pub async fn begin(&mut self) -> Result<bool, FrameError> {
        if self.broken {
            return Ok(false);
        }
        if self.buffer.is_empty() && self.read(READ_AHEAD).await? == 0 {
            return Ok(false);
        }
        Ok(true)
    }

    /// Length of the frame that has begun, bytes, and the first `count` of them (fewer if it is shorter). Leaves the
    /// frame to [`Self::next`] or [`Self::skip`]. Safe to drop half-way.
    ///
    /// # Errors
    /// As [`Self::next`], for the length field and these bytes.
    pub async fn opening(&mut self, count: usize) -> Result<(usize, &[u8]), FrameError> {
        let length = self.length().await?;
        let shown = HEAD + length.min(count);
        self.fill(shown).await?;
        Ok((length, &self.buffer[HEAD..shown]))
    }

    /// Reads past the frame that has begun without keeping it. Not to be dropped half-way.
    ///
    /// # Errors
    /// As [`Self::next`], except that nothing is decoded.
    pub async fn skip(&mut self) -> Result<(), FrameError> {
        let mut rest = HEAD + self.length().await?;
        loop {
            let here = rest.min(self.buffer.len());
            self.consume(here);
            rest -= here;
            if rest == 0 {
                return Ok(());
            }
            self.fill(1).await?;
        }
    }

    /// The length field of the frame that has begun, checked against the cap.
    async fn length(&mut self) -> Result<usize, FrameError> {
        self.fill(HEAD).await?;
        let head: [u8; HEAD] = std::array::from_fn(|i| self.buffer[i]);
        let length = u32::from_be_bytes(head) as usize;
        if length > self.cap {
            self.broken = true;
            let reason = format!("frame of {length} bytes exceeds the cap of {}", self.cap);
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason).into());
        }
        Ok(length)
    }

    /// Reads until `wanted` bytes are buffered. The stream must not end before.
    async fn fill(&mut self, wanted: usize) -> Result<(), FrameError> {
        while self.buffer.len() < wanted {
            if self.read(wanted - self.buffer.len()).await? == 0 {
                self.broken = true;
                let torn = io::Error::new(io::ErrorKind::UnexpectedEof, "closed inside a frame");
                return Err(torn.into());
            }
        }
        Ok(())
    }

    async fn read(&mut self, missing: usize) -> Result<usize, FrameError> {
        // Memory follows the bytes that arrive, not the length that was claimed.
        self.buffer.reserve(missing.min(READ_AHEAD));
        self.transport.read_buf(&mut self.buffer).await.map_err(|error| {
            self.broken = true;
            error.into()
        })
    }

    /// Drops bytes from the front, and with them the memory that only a large frame needed.
    fn consume(&mut self, count: usize) {
        self.buffer.advance(count);
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        } else if count > READ_AHEAD {
            self.buffer = BytesMut::from(&self.buffer[..]);
        }
    }
}

/// Writes messages of type `M`.
#[derive(Debug)]
pub struct MessageWriter<W, M> {
    transport: W,
    cap: usize,
    message: PhantomData<fn(M)>,
}

impl<W: AsyncWrite + Unpin, M: Serialize> MessageWriter<W, M> {
    /// Writes to `transport` frames of at most `cap` bytes.
    pub fn new(transport: W, cap: usize) -> Self {
        Self { transport, cap, message: PhantomData }
    }

    /// The transport, for whatever comes after the last message.
    pub fn into_inner(self) -> W {
        self.transport
    }

    /// Sends one message and flushes. Dropped half-way, the stream is torn.
    ///
    /// # Errors
    /// Any error of the transport; a message over the cap is `InvalidInput`.
    pub async fn send(&mut self, message: &M) -> Result<(), FrameError> {
        self.send_encoded(&encoding::encode(message), &[]).await
    }

    /// Sends one message that is encoded already, as `start` and `rest`, and flushes. For a message that goes to many
    /// peers: its large part need not be copied for each.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_encoded(&mut self, start: &[u8], rest: &[u8]) -> Result<(), FrameError> {
        let length = start.len() + rest.len();
        let head = u32::try_from(length).ok().filter(|_| length <= self.cap).ok_or_else(|| {
            let reason = format!("frame of {length} bytes exceeds the cap of {}", self.cap);
            io::Error::new(io::ErrorKind::InvalidInput, reason)
        })?;
        // Length and start in one write: a small message is one packet.
        self.transport.write_all(&[&head.to_be_bytes(), start].concat()).await?;
        self.transport.write_all(rest).await?;
        Ok(self.transport.flush().await?)
    }
}
