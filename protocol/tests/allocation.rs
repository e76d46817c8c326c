//! Lengths that a peer claims are checked before anything of that size is allocated. Alone in its file: the
//! allocator it watches is the whole process's.

mod common;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    io,
    sync::atomic::{AtomicUsize, Ordering},
};

use common::vector;
use sextant_protocol::{
    ClientMessage,
    encoding::EncodingError,
    frame::{FrameError, MAX_FRAME, MessageReader},
    wire::from_bytes,
};
use tokio::io::AsyncWriteExt;

/// Remembers the largest single allocation, and how much is allocated now.
struct Watching;

static LARGEST: AtomicUsize = AtomicUsize::new(0);
static NOW: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on to the system allocator unchanged.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LARGEST.fetch_max(layout.size(), Ordering::Relaxed);
        NOW.fetch_add(layout.size(), Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LARGEST.fetch_max(size, Ordering::Relaxed);
        NOW.fetch_add(size, Ordering::Relaxed);
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

/// More than any test of this file needs; a claimed length honoured before it is checked would exceed it.
const MODEST: usize = 200 << 10;

fn assert_modest(what: &str) {
    let largest = LARGEST.load(Ordering::Relaxed);
    assert!(largest <= MODEST, "{what}: one allocation of {largest} bytes");
}

#[tokio::test]
async fn a_length_over_the_cap_is_refused_before_its_bytes_come() {
    for claimed in [MAX_FRAME as u32 + 1, 0x7fff_ffff, u32::MAX] {
        // The peer stays connected and sends nothing more: the refusal must not wait for the body.
        let (mut peer, transport) = tokio::io::duplex(64);
        peer.write_all(&claimed.to_be_bytes()).await.unwrap();
        let mut reader = MessageReader::<_, ClientMessage>::new(transport, MAX_FRAME, "message");
        match reader.next().await {
            Err(FrameError::Io(error)) => assert_eq!(error.kind(), io::ErrorKind::InvalidData),
            other => panic!("{claimed}: {other:?}"),
        }
        assert!(reader.next().await.unwrap().is_none(), "the stream is over after it");
    }
    assert_modest("length bombs");
}

/// A length within the cap is a claim as well: memory follows the bytes that arrive.
#[tokio::test]
async fn a_length_within_the_cap_reserves_nothing_ahead_of_its_bytes() {
    let (mut peer, transport) = tokio::io::duplex(64);
    peer.write_all(&(MAX_FRAME as u32).to_be_bytes()).await.unwrap();
    peer.write_all(&[0; 32]).await.unwrap();
    drop(peer);
    let mut reader = MessageReader::<_, ClientMessage>::new(transport, MAX_FRAME, "message");
    match reader.next().await {
        Err(FrameError::Io(error)) => assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof),
        other => panic!("{other:?}"),
    }
    assert_modest("a claimed length within the cap");
}

/// Lengths inside a message that claim more than the message holds: of a field, and of a value in one.
#[test]
fn inner_lengths_are_bounded_by_the_message() {
    let body = &vector("client-prove")[4..];
    let input = body.windows(3).position(|bytes| bytes == [0xc0, 0xff, 0xee]).unwrap();
    for claimed in [4, 1 << 20, 1 << 40, u64::MAX] {
        let mut bytes = body.to_vec();
        bytes[input - 8..input].copy_from_slice(&u64::to_le_bytes(claimed));
        let outcome = from_bytes::<ClientMessage>("client message", bytes.into(), MAX_FRAME);
        assert!(matches!(outcome, Err(EncodingError::Malformed { .. })), "{claimed}: {outcome:?}");
    }
    for claimed in [12, 1 << 20, u32::MAX] {
        let mut bytes = body.to_vec();
        bytes[input - 12..input - 8].copy_from_slice(&u32::to_le_bytes(claimed));
        let outcome = from_bytes::<ClientMessage>("client message", bytes.into(), MAX_FRAME);
        assert!(outcome.is_err(), "{claimed}: {outcome:?}");
    }
    assert_modest("inner lengths");
}

/// Frames that came together are kept apart: a small one does not keep the memory of those that came with it.
#[tokio::test]
async fn a_small_frame_keeps_little() {
    const FRAMES: usize = 200;
    let bytes = [&[0, 0, 0, 100][..], &[7; 100]].concat().repeat(FRAMES);
    let mut reader = MessageReader::<_, ClientMessage>::new(&bytes[..], MAX_FRAME, "message");
    let before = NOW.load(Ordering::Relaxed);
    let mut frames = Vec::new();
    while reader.begin().await.unwrap() {
        frames.push(reader.frame().await.unwrap());
    }
    assert_eq!(frames.len(), FRAMES);
    // Other tests run meanwhile.
    let kept = NOW.load(Ordering::Relaxed).saturating_sub(before);
    assert!(kept < MODEST + FRAMES * 1_000, "{kept} bytes are kept");
}
