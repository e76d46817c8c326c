//! Frames: a `u32` big-endian length, then that many bytes of one message. The cap is checked before allocation.

use std::{io, marker::PhantomData, time::Duration};

use bytes::{Buf, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    time::timeout,
};

use crate::{
    encoding::EncodingError,
    parts::PART,
    wire::{self, Wire},
};

/// Cap on a frame, in both directions: a part of something large, and what surrounds it.
pub const MAX_FRAME: usize = PART + (64 << 10);

/// Cap on a frame before the handshake is over, in both directions: a stranger may not make a peer buffer more.
pub const MAX_HANDSHAKE_FRAME: usize = 4 << 10;

/// Bytes of the length field.
const HEAD: usize = 4;

/// Most that a claimed length reserves ahead of the bytes that arrive.
const READ_AHEAD: usize = 64 << 10;

/// Most that is handed to the transport at once: what progress a slow reader makes is seen in steps of this size.
const WRITE_AT_ONCE: usize = 16 << 10;

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
/// a frame to start, and [`Self::frame`] reads it.
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

impl<R: AsyncRead + Unpin, M: Wire> MessageReader<R, M> {
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
        let frame = self.frame().await?;
        Ok(Some(wire::from_bytes(self.what, frame, self.cap)?))
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

    /// The content of the frame that has begun, whatever it is. Safe to drop half-way.
    ///
    /// # Errors
    /// As [`Self::next`], except that nothing is decoded.
    pub async fn frame(&mut self) -> Result<Bytes, FrameError> {
        let length = self.length().await?;
        self.fill(HEAD + length).await?;
        self.buffer.advance(HEAD);
        // Neither a frame nor what comes after it keeps the memory of the other.
        let frame = if length < READ_AHEAD {
            let frame = Bytes::copy_from_slice(&self.buffer[..length]);
            self.buffer.advance(length);
            frame
        } else {
            let rest = BytesMut::from(&self.buffer[length..]);
            std::mem::replace(&mut self.buffer, rest).split_to(length).freeze()
        };
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
        }
        Ok(frame)
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
}

/// Writes messages of type `M`.
#[derive(Debug)]
pub struct MessageWriter<W, M> {
    transport: W,
    cap: usize,
    patience: Option<Duration>,
    message: PhantomData<fn(M)>,
}

impl<W: AsyncWrite + Unpin, M: Wire> MessageWriter<W, M> {
    /// Writes to `transport` frames of at most `cap` bytes.
    pub fn new(transport: W, cap: usize) -> Self {
        Self { transport, cap, patience: None, message: PhantomData }
    }

    /// Gives up on a peer that takes nothing for so long. One that is slow and takes a little now and then is waited for.
    pub fn set_patience(&mut self, patience: Duration) {
        self.patience = Some(patience);
    }

    /// The transport, for whatever comes after the last message.
    pub fn into_inner(self) -> W {
        self.transport
    }

    /// Sends one message and flushes. Dropped half-way, the stream is torn.
    ///
    /// # Errors
    /// Any error of the transport, [`io::ErrorKind::TimedOut`] where patience ends; a message over the cap is
    /// `InvalidInput`, and nothing of it is sent.
    pub async fn send(&mut self, message: &M) -> Result<(), FrameError> {
        // Length and message in one buffer: a small message is one packet.
        let mut frame = vec![0; HEAD];
        message.write(&mut frame);
        let length = frame.len() - HEAD;
        let head = u32::try_from(length).ok().filter(|_| length <= self.cap).ok_or_else(|| {
            let reason = format!("frame of {length} bytes exceeds the cap of {}", self.cap);
            io::Error::new(io::ErrorKind::InvalidInput, reason)
        })?;
        frame[..HEAD].copy_from_slice(&head.to_be_bytes());
        for piece in frame.chunks(WRITE_AT_ONCE) {
            patiently(self.patience, self.transport.write_all(piece)).await?;
        }
        Ok(patiently(self.patience, self.transport.flush()).await?)
    }
}

async fn patiently(
    patience: Option<Duration>,
    writing: impl Future<Output = io::Result<()>>,
) -> io::Result<()> {
    match patience {
        None => writing.await,
        Some(patience) => timeout(patience, writing).await.unwrap_or_else(|_| {
            let reason = format!("the peer takes nothing for {} s", patience.as_secs());
            Err(io::Error::new(io::ErrorKind::TimedOut, reason))
        }),
    }
}
