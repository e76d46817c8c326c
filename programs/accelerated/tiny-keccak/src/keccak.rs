//! The sponge: absorbs bytes of any length and alignment, pads as Keccak (not SHA-3) does, squeezes one digest.

use crate::{Hasher, keccakf};

/// Lanes of the state that input goes into, at 256 bits of output.
const RATE: usize = 17;
const RATE_BYTES: usize = RATE * 8;

/// Keccak-256.
#[derive(Clone)]
pub struct Keccak {
    state: [u64; 25],
    /// Input that does not fill a block yet.
    pending: [u64; RATE],
    waiting: usize,
}

impl Keccak {
    /// A hasher with 256 bits of output.
    #[must_use]
    pub fn v256() -> Self {
        Self { state: [0; 25], pending: [0; RATE], waiting: 0 }
    }

    fn pending_bytes(&mut self) -> &mut [u8; RATE_BYTES] {
        // SAFETY: the same bytes with a weaker alignment; any bytes are valid words. Guests are little-endian, as
        // Keccak lanes are.
        const { assert!(cfg!(target_endian = "little")) };
        unsafe { &mut *(&raw mut self.pending).cast() }
    }

    fn absorb_pending(&mut self) {
        xor(&mut self.state, &self.pending);
        keccakf(&mut self.state);
    }
}

fn xor(state: &mut [u64; 25], block: &[u64]) {
    for (lane, word) in state.iter_mut().zip(block) {
        *lane ^= word;
    }
}

impl Hasher for Keccak {
    fn update(&mut self, mut input: &[u8]) {
        let waiting = self.waiting;
        self.waiting = (waiting + input.len()) % RATE_BYTES;
        if waiting != 0 {
            let (fill, rest) = input.split_at(input.len().min(RATE_BYTES - waiting));
            self.pending_bytes()[waiting..waiting + fill.len()].copy_from_slice(fill);
            if waiting + fill.len() < RATE_BYTES {
                return;
            }
            self.absorb_pending();
            input = rest;
        }
        let (blocks, rest) = input.as_chunks::<RATE_BYTES>();
        for block in blocks {
            // SAFETY: only the aligned middle is used as words, and any bytes are a valid word.
            if let ([], words, []) = unsafe { block.align_to::<u64>() } {
                xor(&mut self.state, words);
                keccakf(&mut self.state);
            } else {
                *self.pending_bytes() = *block;
                self.absorb_pending();
            }
        }
        self.pending_bytes()[..rest.len()].copy_from_slice(rest);
    }

    fn finalize(mut self, output: &mut [u8]) {
        let waiting = self.waiting;
        let pending = self.pending_bytes();
        pending[waiting..].fill(0);
        pending[waiting] = 0x01;
        pending[RATE_BYTES - 1] |= 0x80;
        self.absorb_pending();
        // One squeeze is enough for every digest; `tiny-keccak` gives longer outputs, nobody here asks for them.
        assert!(output.len() <= RATE_BYTES, "more than one block of output");
        for (place, lane) in output.chunks_mut(8).zip(&self.state) {
            place.copy_from_slice(&lane.to_le_bytes()[..place.len()]);
        }
    }
}
