//! Challenges: a sponge that absorbs field elements and gives numbers nobody could choose.
//!
//! The permutation is the Poseidon2 of SP1's own proofs, so whoever could steer it could forge those. Width
//! 16, rate 8, capacity 8 lanes of 31 bits, in overwrite mode, permuted after every block. What is absorbed
//! has a fixed length and order, so no padding is needed.

use super::field::Fp;

/// Low 30 bits of both halves of a word: always below the permutation's modulus.
const LOW: u64 = 0x3fff_ffff_3fff_ffff;

/// The sponge.
#[repr(C, align(8))]
pub struct Transcript {
    /// Two lanes a word, low half first; the first four words are the rate.
    state: [u64; 8],
}

impl Transcript {
    /// An empty transcript.
    pub fn new() -> Self {
        // Apart from other uses of the permutation: a name in the capacity.
        let name = |text: &[u8; 4]| u64::from(u32::from_le_bytes(*text) & 0x3fff_ffff);
        let high = |text| name(text) << 32;
        Self {
            state: [
                0,
                0,
                0,
                0,
                name(b"Sext") | high(b"ant "),
                name(b"BLS ") | high(b"resi"),
                name(b"due ") | high(b"v1  "),
                0,
            ],
        }
    }

    /// Absorbs four elements: 28 words, seven blocks. Injective: of each word, 30 bits of each half are one
    /// lane and the six words' other bits, shifted apart, are a seventh pair of lanes.
    #[inline(never)]
    pub fn absorb(&mut self, elements: &[Fp; 4]) {
        let [a, b, c, d] = elements;
        let mut rest = [0; 4];
        let split = |word: u64, rest: &mut u64| {
            let low = word & LOW;
            // The top two bits of each half; what is there already moves down by two, so six fit in bits 20
            // to 31 of each half.
            *rest = (*rest >> 2) + (word - low);
            low
        };
        let state = &mut self.state;
        let [ra, rb, rc, rd] = &mut rest;
        for (i, lane) in state[..4].iter_mut().enumerate() {
            *lane = split(a.0[i], ra);
        }
        permute(state);
        state[0] = split(a.0[4], ra);
        state[1] = split(a.0[5], ra);
        state[2] = split(b.0[0], rb);
        state[3] = split(b.0[1], rb);
        permute(state);
        for (i, lane) in state[..4].iter_mut().enumerate() {
            *lane = split(b.0[i + 2], rb);
        }
        permute(state);
        for (i, lane) in state[..4].iter_mut().enumerate() {
            *lane = split(c.0[i], rc);
        }
        permute(state);
        state[0] = split(c.0[4], rc);
        state[1] = split(c.0[5], rc);
        state[2] = split(d.0[0], rd);
        state[3] = split(d.0[1], rd);
        permute(state);
        for (i, lane) in state[..4].iter_mut().enumerate() {
            *lane = split(d.0[i + 2], rd);
        }
        permute(state);
        for (lane, rest) in state.iter_mut().zip(rest) {
            *lane = rest >> 20;
        }
        permute(state);
    }

    /// Absorbs elements, filled up with zeros to a multiple of four.
    #[inline]
    pub fn absorb_all(&mut self, elements: &[Fp]) {
        let (blocks, rest) = elements.as_chunks::<4>();
        for block in blocks {
            self.absorb(block);
        }
        if !rest.is_empty() {
            let mut block = [Fp::ZERO; 4];
            block[..rest.len()].copy_from_slice(rest);
            self.absorb(&block);
        }
    }

    /// A number of eight lanes, almost 248 bits: the rate as it stands after a block. Absorb before the next.
    pub fn challenge(&self) -> Fp {
        let [a, b, c, d, ..] = self.state;
        Fp([a, b, c, d, 0, 0])
    }
}

#[cfg(target_os = "zkvm")]
#[inline(always)]
fn permute(state: &mut [u64; 8]) {
    // SAFETY: the call permutes the 64 bytes at `a0`, aligned to 8; it wants zero in `a1`.
    unsafe {
        core::arch::asm!(
            "ecall", in("t0") 0x0000_0133u64, in("a0") state.as_mut_ptr(), in("a1") 0u64, options(nostack)
        );
    }
}

#[cfg(not(target_os = "zkvm"))]
fn permute(state: &mut [u64; 8]) {
    let mut lanes = [0; 16];
    for (lanes, word) in lanes.chunks_exact_mut(2).zip(&*state) {
        lanes[0] = *word as u32;
        lanes[1] = (*word >> 32) as u32;
    }
    super::poseidon2::permute(&mut lanes);
    for (lanes, word) in lanes.chunks_exact(2).zip(state) {
        *word = u64::from(lanes[0]) | u64::from(lanes[1]) << 32;
    }
}
