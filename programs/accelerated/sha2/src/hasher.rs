//! The hasher: absorbs bytes of any length and alignment, and pads.

use digest::consts::{U32, U64};
use digest::core_api::BlockSizeUser;
use digest::{FixedOutput, FixedOutputReset, HashMarker, Output, OutputSizeUser, Reset, Update};

use crate::block::{Aligned, END_OF_64_BYTES, INITIAL, compress, write_digest};
use crate::precompile::{State, compress_expanded};

/// SHA-256.
#[derive(Clone)]
pub struct Sha256 {
    state: State,
    /// Bytes absorbed so far; those beyond the last whole block wait in `pending`.
    length: usize,
    pending: Aligned,
}

impl Default for Sha256 {
    #[inline]
    fn default() -> Self {
        Self { state: INITIAL, length: 0, pending: Aligned([0; 64]) }
    }
}

impl core::fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Sha256 { .. }")
    }
}

impl HashMarker for Sha256 {}

impl OutputSizeUser for Sha256 {
    type OutputSize = U32;
}

impl BlockSizeUser for Sha256 {
    type BlockSize = U64;
}

impl Update for Sha256 {
    #[inline]
    fn update(&mut self, mut data: &[u8]) {
        let waiting = self.length % 64;
        self.length += data.len();
        if waiting != 0 {
            let (fill, rest) = data.split_at(data.len().min(64 - waiting));
            self.pending.0[waiting..waiting + fill.len()].copy_from_slice(fill);
            if waiting + fill.len() < 64 {
                return;
            }
            compress(&mut self.state, &self.pending.0);
            data = rest;
        }
        let (blocks, rest) = data.as_chunks();
        for block in blocks {
            compress(&mut self.state, block);
        }
        self.pending.0[..rest.len()].copy_from_slice(rest);
    }
}

impl Sha256 {
    /// Absorbs the end: 0x80, zeros up to eight bytes before a block's end, the length in bits.
    #[inline]
    fn pad(&mut self) {
        if self.length == 64 {
            return compress_expanded(&mut self.state, &END_OF_64_BYTES);
        }
        let waiting = self.length % 64;
        self.pending.0[waiting] = 0x80;
        self.pending.0[waiting + 1..].fill(0);
        if waiting >= 56 {
            compress(&mut self.state, &self.pending.0);
            self.pending.0.fill(0);
        }
        self.pending.0[56..].copy_from_slice(&(self.length as u64 * 8).to_be_bytes());
        compress(&mut self.state, &self.pending.0);
    }
}

impl FixedOutput for Sha256 {
    #[inline]
    fn finalize_into(mut self, out: &mut Output<Self>) {
        self.pad();
        write_digest(&self.state, out.as_mut());
    }
}

impl Reset for Sha256 {
    fn reset(&mut self) {
        *self = Self::default();
    }
}

impl FixedOutputReset for Sha256 {
    fn finalize_into_reset(&mut self, out: &mut Output<Self>) {
        self.pad();
        write_digest(&self.state, out.as_mut());
        self.reset();
    }
}
