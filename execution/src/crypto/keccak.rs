//! Keccak-256 for the zkVM, whose permutation is a precompile: what is left to save is the way of the bytes into the
//! state.

/// Lanes of the state that input goes into.
const RATE: usize = 17;
const RATE_BYTES: usize = 8 * RATE;

/// Keccak-256 of `len` bytes at `bytes`, written to the 32 bytes at `output`: what alloy calls as `native_keccak256`.
///
/// # Safety
/// `bytes` leads to `len` readable bytes and `output` to 32 writable ones, of any alignment.
#[cfg(target_os = "zkvm")]
pub unsafe fn keccak256_raw(bytes: *const u8, len: usize, output: *mut u8) {
    // SAFETY: the caller's.
    let digest = unsafe { hash(bytes, len, super::machine::keccak_permute) };
    // SAFETY: the caller's; where words fit they are written as such.
    unsafe {
        if output.addr() % 8 == 0 {
            output.cast::<[u64; 4]>().write(digest);
        } else {
            output.cast::<[u64; 4]>().write_unaligned(digest);
        }
    }
}

/// The digest's words. Keccak's lanes are little-endian, as the machine is.
///
/// # Safety
/// `bytes` leads to `len` readable bytes.
unsafe fn hash(bytes: *const u8, len: usize, permute: impl Fn(&mut [u64; 25])) -> [u64; 4] {
    const { assert!(cfg!(target_endian = "little")) };
    let shift = 8 * (bytes.addr() % 8) as u32;
    // SAFETY (of all reads): a word is read only if at least one of the bytes lies in it, and `load` may read the
    // others.
    let mut words = bytes.wrapping_sub(bytes.addr() % 8).cast::<u64>();
    let mut state = [0; 25];
    let blocks = len / RATE_BYTES;
    let rest = len % RATE_BYTES;
    if shift == 0 {
        for _ in 0..blocks {
            for lane in &mut state[..RATE] {
                *lane ^= unsafe { load(words) };
                words = words.wrapping_add(1);
            }
            permute(&mut state);
        }
    } else if blocks > 0 {
        // Two words give one lane, so each word is read once and kept for the next lane.
        let mut low = unsafe { load(words) };
        for _ in 0..blocks {
            for lane in &mut state[..RATE] {
                words = words.wrapping_add(1);
                let high = unsafe { load(words) };
                *lane ^= low >> shift | high << (64 - shift);
                low = high;
            }
            permute(&mut state);
        }
    }
    // What does not fill a block, and the padding: 1 behind it, and the last bit of the block.
    let mut left = rest;
    let mut lane = 0;
    while left > 0 {
        let mut word = unsafe { load(words) } >> shift;
        // Bytes of this lane that lie in the next word.
        if shift != 0 && 8 * left.min(8) > 64 - shift as usize {
            word |= unsafe { load(words.wrapping_add(1)) } << (64 - shift);
        }
        if left < 8 {
            word &= (1 << (8 * left)) - 1;
        }
        state[lane] ^= word;
        left = left.saturating_sub(8);
        lane += 1;
        words = words.wrapping_add(1);
    }
    state[rest / 8] ^= 1 << (8 * (rest % 8));
    state[RATE - 1] ^= 1 << 63;
    permute(&mut state);
    [state[0], state[1], state[2], state[3]]
}

/// The aligned word at `place`, of which perhaps not all bytes belong to what is hashed.
///
/// # Safety
/// At least one byte of the word is readable.
#[inline(always)]
unsafe fn load(place: *const u64) -> u64 {
    // In Rust's terms the other bytes may belong to nobody; in the machine's a word is a word.
    #[cfg(target_os = "zkvm")]
    {
        let word;
        // SAFETY: memory has no borders within a word.
        unsafe {
            core::arch::asm!("ld {}, 0({})", out(reg) word, in(reg) place, options(nostack, readonly, pure, preserves_flags))
        };
        word
    }
    // On a host, tests hash what lies inside of a larger buffer.
    #[cfg(not(target_os = "zkvm"))]
    // SAFETY: as said.
    unsafe {
        place.read()
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use alloy_primitives::keccak256;

    use super::*;

    /// FIPS 202, section 3.2.
    fn permute(a: &mut [u64; 25]) {
        let mut lfsr = 1u8;
        for _ in 0..24 {
            let parity: [u64; 5] = core::array::from_fn(|x| (0..5).fold(0, |sum, y| sum ^ a[x + 5 * y]));
            for (i, lane) in a.iter_mut().enumerate() {
                *lane ^= parity[(i + 4) % 5] ^ parity[(i + 1) % 5].rotate_left(1);
            }
            let (mut x, mut y, mut last) = (1, 0, a[1]);
            for t in 0..24 {
                (x, y) = (y, (2 * x + 3 * y) % 5);
                let rotated = last.rotate_left(((t + 1) * (t + 2) / 2) % 64);
                last = core::mem::replace(&mut a[x + 5 * y], rotated);
            }
            for row in a.chunks_exact_mut(5) {
                let old = [row[0], row[1], row[2], row[3], row[4]];
                for (x, lane) in row.iter_mut().enumerate() {
                    *lane = old[x] ^ (!old[(x + 1) % 5] & old[(x + 2) % 5]);
                }
            }
            for j in 0..7 {
                if lfsr & 1 == 1 {
                    a[0] ^= 1 << ((1 << j) - 1);
                }
                lfsr = (lfsr << 1) ^ if lfsr & 0x80 == 0 { 0 } else { 0x71 };
            }
        }
    }

    #[test]
    fn digests_are_right_at_every_length_and_alignment() {
        let words: Vec<u64> = (0u64..80).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        // Aligned as words are, with words to spare on both sides.
        let base = words.as_ptr().cast::<u8>();
        for start in 8..24 {
            for len in (0..300).chain(400..420) {
                // SAFETY: 8 + 24 + 420 bytes are inside of 640.
                let digest = unsafe { hash(base.wrapping_add(start), len, permute) };
                let digest: Vec<u8> = digest.iter().flat_map(|word| word.to_le_bytes()).collect();
                assert_eq!(digest, keccak256(&bytes[start..start + len]).to_vec(), "{len} bytes at {start}");
            }
        }
    }
}
