//! The permutation: the precompile in a guest, plain code elsewhere.

/// Keccak-f\[1600\] on 25 lanes.
#[inline]
pub fn keccakf(state: &mut [u64; 25]) {
    #[cfg(target_os = "zkvm")]
    {
        unsafe extern "C" {
            fn syscall_keccak_permute(state: *mut [u64; 25]);
        }
        // SAFETY: valid and aligned.
        unsafe { syscall_keccak_permute(state) }
    }
    #[cfg(not(target_os = "zkvm"))]
    software(state);
}

/// FIPS 202, section 3.2, for tests on a host.
#[cfg(not(target_os = "zkvm"))]
fn software(a: &mut [u64; 25]) {
    let mut lfsr = 1u8;
    for _ in 0..24 {
        // Theta: every lane takes the parity of two columns.
        let parity: [u64; 5] = core::array::from_fn(|x| (0..5).fold(0, |sum, y| sum ^ a[x + 5 * y]));
        for (i, lane) in a.iter_mut().enumerate() {
            *lane ^= parity[(i + 4) % 5] ^ parity[(i + 1) % 5].rotate_left(1);
        }
        // Rho and pi: lanes rotate and change places along one cycle.
        let (mut x, mut y, mut last) = (1, 0, a[1]);
        for t in 0..24 {
            (x, y) = (y, (2 * x + 3 * y) % 5);
            let rotated = last.rotate_left(((t + 1) * (t + 2) / 2) % 64);
            last = core::mem::replace(&mut a[x + 5 * y], rotated);
        }
        // Chi: the one nonlinear step, along rows.
        for row in a.chunks_exact_mut(5) {
            let old = [row[0], row[1], row[2], row[3], row[4]];
            for (x, lane) in row.iter_mut().enumerate() {
                *lane = old[x] ^ (!old[(x + 1) % 5] & old[(x + 2) % 5]);
            }
        }
        // Iota: a round constant, whose bits 2^j - 1 a linear feedback shift register gives.
        for j in 0..7 {
            if lfsr & 1 == 1 {
                a[0] ^= 1 << ((1 << j) - 1);
            }
            lfsr = (lfsr << 1) ^ if lfsr & 0x80 == 0 { 0 } else { 0x71 };
        }
    }
}
