//! Frames: a `u32` big-endian length, then that many bytes of one message. The cap is checked before allocation.

use std::{io, marker::PhantomData};

use bytes::{Buf, Bytes, BytesMut};
use futures::{SinkExt, StreamExt};
use serde::{Serialize, de::DeserializeOwned};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::codec::{Decoder, FramedRead, FramedWrite, LengthDelimitedCodec};

use crate::encoding::{self, EncodingError};

/// Cap on a frame sent by a client: a statement input or a proof to verify.
pub const MAX_CLIENT_FRAME: usize = 33 << 20;

/// Cap on a frame sent by a server or a worker: a proof.
pub const MAX_SERVER_FRAME: usize = 33 << 20;

/// Cap on a frame before the handshake is over, in both directions: a stranger may not make a peer buffer more.
pub const MAX_HANDSHAKE_FRAME: usize = 4 << 10;

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
#[derive(Debug)]
pub struct MessageReader<R, M> {
    frames: FramedRead<R, FrameDecoder>,
    what: &'static str,
    message: PhantomData<fn() -> M>,
}

impl<R: AsyncRead + Unpin, M: DeserializeOwned> MessageReader<R, M> {
    /// Reads from `transport` frames of at most `cap` bytes; `what` names the message in errors.
    pub fn new(transport: R, cap: usize, what: &'static str) -> Self {
        Self { frames: FramedRead::new(transport, FrameDecoder { cap }), what, message: PhantomData }
    }

    /// Changes the cap, for frames whose length has not been read yet: small in the handshake, larger after it.
    pub fn set_cap(&mut self, cap: usize) {
        self.frames.decoder_mut().cap = cap;
    }

    /// The next message; `Ok(None)` is a clean end between frames.
    ///
    /// # Errors
    /// [`FrameError::Io`] for a broken or torn stream or a frame over the cap (the stream is unusable then),
    /// [`FrameError::Encoding`] for a frame that is no message (the next one may still be read).
    pub async fn next(&mut self) -> Result<Option<M>, FrameError> {
        let Some(frame) = self.frames.next().await.transpose()? else { return Ok(None) };
        Ok(Some(encoding::decode(self.what, &frame, self.frames.decoder().cap)?))
    }
}

/// Splits a stream into frames. tokio-util's own length codec drops the length field as soon as it has read it: it
/// then takes a stream torn right after the field for a clean end, and reserves the claimed length at once.
#[derive(Debug)]
struct FrameDecoder {
    cap: usize,
}

/// Bytes of the length field.
const HEAD: usize = 4;

/// Most that a claimed length reserves ahead of the bytes that arrive.
const READ_AHEAD: usize = 64 << 10;

impl Decoder for FrameDecoder {
    type Item = BytesMut;
    type Error = io::Error;

    fn decode(&mut self, buffer: &mut BytesMut) -> io::Result<Option<BytesMut>> {
        let Some(head) = buffer.first_chunk::<HEAD>() else { return Ok(None) };
        let length = u32::from_be_bytes(*head) as usize;
        if length > self.cap {
            let reason = format!("frame of {length} bytes exceeds the cap of {}", self.cap);
            return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
        }
        let missing = (HEAD + length).saturating_sub(buffer.len());
        if missing > 0 {
            buffer.reserve(missing.min(READ_AHEAD));
            return Ok(None);
        }
        buffer.advance(HEAD);
        Ok(Some(buffer.split_to(length)))
    }

    fn decode_eof(&mut self, buffer: &mut BytesMut) -> io::Result<Option<BytesMut>> {
        match self.decode(buffer)? {
            None if !buffer.is_empty() => {
                Err(io::Error::new(io::ErrorKind::UnexpectedEof, "closed inside a frame"))
            }
            frame => Ok(frame),
        }
    }
}

/// Writes messages of type `M`.
#[derive(Debug)]
pub struct MessageWriter<W, M> {
    frames: FramedWrite<W, LengthDelimitedCodec>,
    message: PhantomData<fn(M)>,
}

impl<W: AsyncWrite + Unpin, M: Serialize> MessageWriter<W, M> {
    /// Writes to `transport` frames of at most `cap` bytes.
    pub fn new(transport: W, cap: usize) -> Self {
        let codec =
            LengthDelimitedCodec::builder().length_field_type::<u32>().max_frame_length(cap).new_codec();
        Self { frames: FramedWrite::new(transport, codec), message: PhantomData }
    }

    /// The transport, for whatever comes after the last message.
    pub fn into_inner(self) -> W {
        self.frames.into_inner()
    }

    /// Sends one message and flushes.
    ///
    /// # Errors
    /// Any error of the transport; a message over the cap is `InvalidInput`.
    pub async fn send(&mut self, message: &M) -> Result<(), FrameError> {
        Ok(self.frames.send(Bytes::from(encoding::encode(message))).await?)
    }
}
