//! Blocks: from bytes to schedule words and back, and the block that ends every 64-byte message.

use digest::core_api::Block;

use crate::Sha256;
use crate::precompile::{self, Schedule, State};

/// Bytes of a block, aligned so that they can be read as 64-bit words.
#[derive(Clone)]
#[repr(C, align(8))]
pub(crate) struct Aligned(pub(crate) [u8; 64]);

/// The state before the first block.
pub(crate) const INITIAL: State =
    [0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19];

/// The expanded last block of a 64-byte message: 0x80, zeros, the length in bits. Merkle trees hash such messages
/// only, so half of their blocks need no expansion.
pub(crate) static END_OF_64_BYTES: Schedule = {
    let mut schedule = [0; 64];
    schedule[0] = 0x8000_0000;
    schedule[15] = 512;
    expand(schedule)
};

/// The message schedule that follows from a block's 16 words.
pub(crate) const fn expand(mut w: Schedule) -> Schedule {
    let mut i = 16;
    while i < 64 {
        let (x, y) = (w[i - 15] as u32, w[i - 2] as u32);
        let s0 = x.rotate_right(7) ^ x.rotate_right(18) ^ (x >> 3);
        let s1 = y.rotate_right(17) ^ y.rotate_right(19) ^ (y >> 10);
        w[i] = (w[i - 16] as u32).wrapping_add(s0).wrapping_add(w[i - 7] as u32).wrapping_add(s1) as u64;
        i += 1;
    }
    w
}

/// Reverses the bytes of each 32-bit half. Guests have no instruction for it, and a pair costs no more than one.
#[inline(always)]
fn swap_halves(pair: u64) -> u64 {
    const BYTES: u64 = 0x00ff_00ff_00ff_00ff;
    const SHORTS: u64 = 0x0000_ffff_0000_ffff;
    let pair = ((pair >> 8) & BYTES) | ((pair & BYTES) << 8);
    ((pair >> 16) & SHORTS) | ((pair & SHORTS) << 16)
}

/// Writes 32-bit words into the schedule, two for every 64-bit word of bytes.
#[inline(always)]
fn load(schedule: &mut [u64], words: &[u64]) {
    for (pair, word) in schedule.chunks_exact_mut(2).zip(words) {
        let swapped = swap_halves(u64::from_le(*word));
        pair[0] = swapped & 0xffff_ffff;
        pair[1] = swapped >> 32;
    }
}

/// `bytes` as 64-bit words, if they lie so that a guest can read them as such.
#[inline(always)]
fn words(bytes: &[u8]) -> Option<&[u64]> {
    // SAFETY: any bytes are a valid word.
    match unsafe { bytes.align_to() } {
        ([], words, []) => Some(words),
        _ => None,
    }
}

/// A block in one or two parts, copied to where it can be read as words. Out of line, where lengths are unknown, so
/// that the runtime's `memcpy` does it, which beats the byte by byte copies of known lengths.
#[inline(never)]
fn aligned(first: &[u8], second: &[u8]) -> Aligned {
    let mut block = Aligned([0; 64]);
    let (start, rest) = block.0.split_at_mut(first.len());
    start.copy_from_slice(first);
    rest.copy_from_slice(second);
    block
}

/// Folds one block of any alignment into `state`.
#[inline]
pub(crate) fn compress(state: &mut State, block: &[u8; 64]) {
    match words(block) {
        Some(words) => precompile::compress(state, |schedule| load(schedule, words)),
        None => compress(state, &aligned(block, &[]).0),
    }
}

/// The digest of two digests, the inner node of a Merkle tree: as hashing their concatenation, without making it.
pub fn hash_pair(left: &[u8; 32], right: &[u8; 32]) -> [u8; 32] {
    let (Some(left), Some(right)) = (words(left), words(right)) else {
        return hash_64(|state| compress(state, &aligned(left, right).0));
    };
    hash_64(|state| {
        precompile::compress(state, |schedule| {
            let (first, second) = schedule.split_at_mut(8);
            load(first, left);
            load(&mut second[..8], right);
        });
    })
}

/// The digest of a message of one block.
#[inline(always)]
fn hash_64(fold: impl FnOnce(&mut State)) -> [u8; 32] {
    let mut state = INITIAL;
    fold(&mut state);
    precompile::compress_expanded(&mut state, &END_OF_64_BYTES);
    let mut digest = [0; 32];
    write_digest(&state, &mut digest);
    digest
}

/// The state as the digest's bytes.
#[inline]
pub(crate) fn write_digest(state: &State, out: &mut [u8; 32]) {
    let word = |i: usize| swap_halves(state[2 * i] | (state[2 * i + 1] << 32)).to_le();
    let words = [word(0), word(1), word(2), word(3)];
    // SAFETY: as in `compress`.
    if let ([], place, []) = unsafe { out.align_to_mut::<u64>() } {
        place.copy_from_slice(&words);
    } else {
        for (place, word) in out.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_ne_bytes());
        }
    }
}

/// The compression function over whole blocks, as the real crate offers it.
pub fn compress256(state: &mut [u32; 8], blocks: &[Block<Sha256>]) {
    let mut wide = state.map(u64::from);
    for block in blocks {
        compress(&mut wide, block.as_ref());
    }
    *state = wide.map(|word| word as u32);
}

/// The round constants, for the software stand-in.
#[cfg(not(target_os = "zkvm"))]
#[rustfmt::skip]
pub(crate) const K: [u32; 64] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];
