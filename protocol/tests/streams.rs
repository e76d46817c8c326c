//! Frames on a transport: how much is read at once, and how long a peer is waited for that takes nothing.

mod common;

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use common::vector;
use sextant_protocol::{
    ClientMessage,
    frame::{FrameError, MAX_FRAME, MessageReader, MessageWriter},
    parts::PART,
    wire::Wire,
};
use tokio::{
    io::{AsyncRead, ReadBuf},
    time::timeout,
};

/// Gives as much as is asked for, and counts how often.
struct Counting<'a> {
    bytes: &'a [u8],
    reads: &'a mut usize,
}

impl AsyncRead for Counting<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (now, later) = self.bytes.split_at(self.bytes.len().min(buffer.remaining()));
        buffer.put_slice(now);
        self.bytes = later;
        *self.reads += 1;
        Poll::Ready(Ok(()))
    }
}

fn part(length: usize) -> ClientMessage {
    ClientMessage::Part { id: 1, offset: 0, bytes: vec![7; length].into() }
}

fn frame(message: &ClientMessage) -> Vec<u8> {
    let mut body = Vec::new();
    message.write(&mut body);
    [&(body.len() as u32).to_be_bytes()[..], &body].concat()
}

/// Each read is a system call.
#[tokio::test]
async fn a_frame_is_read_in_large_pieces() {
    let bytes = frame(&part(PART));
    let mut reads = 0;
    let transport = Counting { bytes: &bytes, reads: &mut reads };
    let mut reader = MessageReader::<_, ClientMessage>::new(transport, MAX_FRAME, "client message");
    assert_eq!(reader.next().await.unwrap(), Some(part(PART)));
    assert!(reads <= 8, "{reads} reads");
}

#[tokio::test]
async fn frames_of_any_length_follow_each_other() {
    let lengths = [0, 1, 65_535 - 40, 65_536, 1, PART, 0, PART, 1];
    let bytes: Vec<u8> = lengths.iter().flat_map(|length| frame(&part(*length))).collect();
    let mut reader = MessageReader::<_, ClientMessage>::new(&bytes[..], MAX_FRAME, "client message");
    for length in lengths {
        assert_eq!(reader.next().await.unwrap(), Some(part(length)), "{length}");
    }
    assert_eq!(reader.next().await.unwrap(), None);
}

/// What is taken is counted anew for each message: a peer that took the one before is not waited for any longer.
#[tokio::test]
async fn who_takes_nothing_is_given_up() {
    let (peer, transport) = tokio::io::duplex(MAX_FRAME);
    let mut writer = MessageWriter::new(transport, MAX_FRAME);
    writer.set_patience(Duration::from_millis(100));
    writer.send(&part(PART)).await.unwrap();
    match timeout(Duration::from_secs(30), writer.send(&part(PART))).await.expect("patience ends") {
        Err(FrameError::Io(error)) => assert_eq!(error.kind(), io::ErrorKind::TimedOut),
        other => panic!("{other:?}"),
    }
    drop(peer);
}

/// Nothing of it is sent, and the stream is as good as before.
#[tokio::test]
async fn a_message_over_the_cap_is_not_sent() {
    let mut written = Vec::new();
    let mut writer = MessageWriter::new(&mut written, 1_000);
    match writer.send(&part(1_000)).await {
        Err(FrameError::Io(error)) => assert_eq!(error.kind(), io::ErrorKind::InvalidInput),
        other => panic!("{other:?}"),
    }
    let exactly = part(1_000 - (frame(&part(0)).len() - 4));
    writer.send(&exactly).await.unwrap();
    assert_eq!(written, frame(&exactly));
}

#[tokio::test]
async fn a_frame_as_long_as_the_cap_is_read() {
    let bytes = vector("client-prove");
    let cap = bytes.len() - 4;
    let read = async |cap| MessageReader::<_, ClientMessage>::new(&bytes[..], cap, "message").next().await;
    assert!(matches!(read(cap).await, Ok(Some(_))));
    assert!(matches!(read(cap - 1).await, Err(FrameError::Io(_))));
}
