//! Keccak-256 for the zkVM, whose permutation is a precompile: what is left to save is the way of the bytes into the
//! state.

use core::mem::MaybeUninit;

/// Lanes of the state.
const LANES: usize = 25;
/// Those that input goes into.
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
unsafe fn hash(bytes: *const u8, len: usize, permute: impl Fn(&mut [u64; LANES])) -> [u64; 4] {
    const { assert!(cfg!(target_endian = "little")) };
    let mut source = Source { words: align_down(bytes), shift: 8 * (bytes.addr() % 8) as u32 };
    let (blocks, rest) = (len / RATE_BYTES, len % RATE_BYTES);
    let mut state = MaybeUninit::<[u64; LANES]>::uninit();
    let lanes: *mut u64 = state.as_mut_ptr().cast();
    // SAFETY: so many bytes are left, and each lane is written before it is read: what the first bytes do not fill is zero.
    let state = unsafe {
        if blocks == 0 {
            lanes.write_bytes(0, LANES);
            source.absorb_rest(rest, |lane, word| lanes.add(lane).write(word));
        } else {
            source.absorb_block(|lane, word| lanes.add(lane).write(word));
            lanes.add(RATE).write_bytes(0, LANES - RATE);
        }
        &mut *lanes.cast::<[u64; LANES]>()
    };
    if blocks != 0 {
        permute(state);
        // SAFETY: so many bytes are left.
        unsafe {
            for _ in 1..blocks {
                source.absorb_block(|lane, word| state[lane] ^= word);
                permute(state);
            }
            source.absorb_rest(rest, |lane, word| state[lane] ^= word);
        }
    }
    // The padding: a bit behind the message, and the last one of the block.
    state[rest / 8] ^= 1 << (8 * (rest % 8));
    state[RATE - 1] ^= 1 << 63;
    permute(state);
    [state[0], state[1], state[2], state[3]]
}

/// What is left of a message: its next byte lies `shift` bits above the word's lowest one.
///
/// The machine has no unaligned loads, and a word made of bytes takes 22 instructions: two aligned words and shifts make
/// it in a few. The first lanes of a message are put, not added: there is nothing to read back.
struct Source {
    words: *const u64,
    shift: u32,
}

impl Source {
    /// Hands out the next 17 lanes.
    ///
    /// # Safety
    /// So many bytes are left.
    #[inline(always)]
    unsafe fn absorb_block(&mut self, mut put: impl FnMut(usize, u64)) {
        // SAFETY: a word is read only if a byte of the block lies in it.
        unsafe {
            if self.shift == 0 {
                for lane in 0..RATE {
                    put(lane, load(self.words.wrapping_add(lane)));
                }
            } else {
                let mut low = load(self.words);
                for lane in 0..RATE {
                    let high = load(self.words.wrapping_add(lane + 1));
                    put(lane, low >> self.shift | high << (64 - self.shift));
                    low = high;
                }
            }
        }
        self.words = self.words.wrapping_add(RATE);
    }

    /// Hands out the lanes of the last `len` bytes, less than a block, the last lane filled up with zeros.
    ///
    /// # Safety
    /// So many bytes are left.
    #[inline(always)]
    unsafe fn absorb_rest(&mut self, len: usize, mut put: impl FnMut(usize, u64)) {
        let (lanes, rest) = (len / 8, len % 8);
        // SAFETY: as above.
        unsafe {
            if self.shift == 0 {
                for lane in 0..lanes {
                    put(lane, load(self.words.wrapping_add(lane)));
                }
                if rest != 0 {
                    put(lanes, load(self.words.wrapping_add(lanes)) & ((1 << (8 * rest)) - 1));
                }
                return;
            }
            if len == 0 {
                return;
            }
            let mut low = load(self.words);
            for lane in 0..lanes {
                let high = load(self.words.wrapping_add(lane + 1));
                put(lane, low >> self.shift | high << (64 - self.shift));
                low = high;
            }
            if rest != 0 {
                let mut word = low >> self.shift;
                // Whether the last bytes reach into one more word.
                if 8 * rest as u32 > 64 - self.shift {
                    word |= load(self.words.wrapping_add(lanes + 1)) << (64 - self.shift);
                }
                put(lanes, word & ((1 << (8 * rest)) - 1));
            }
        }
    }
}

/// The word in which a byte lies.
fn align_down(byte: *const u8) -> *const u64 {
    byte.wrapping_sub(byte.addr() % 8).cast()
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
    use keccak::f1600;

    use super::*;

    #[test]
    fn digests_are_right_at_every_length_and_alignment() {
        let words: Vec<u64> = (0u64..80).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        // Aligned as words are, with words to spare on both sides.
        let base = words.as_ptr().cast::<u8>();
        for start in 8..24 {
            for len in (0..300).chain(400..420) {
                // SAFETY: 8 + 24 + 420 bytes are inside of 640.
                let digest = unsafe { hash(base.wrapping_add(start), len, f1600) };
                let digest: Vec<u8> = digest.iter().flat_map(|word| word.to_le_bytes()).collect();
                assert_eq!(digest, keccak256(&bytes[start..start + len]).to_vec(), "{len} bytes at {start}");
            }
        }
    }
}
