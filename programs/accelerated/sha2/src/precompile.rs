//! The two precompiles, and the one place in memory they expand blocks in.
//!
//! Both work on 32-bit words in 64-bit cells whose upper halves are zero: 64 of message schedule, 8 of state.

/// A message schedule: the block's 16 words and the 48 that follow from them.
pub(crate) type Schedule = [u64; 64];
/// The hash value between two blocks.
pub(crate) type State = [u64; 8];

#[cfg(target_os = "zkvm")]
mod zkvm {
    use super::{Schedule, State};
    use core::cell::UnsafeCell;

    unsafe extern "C" {
        /// Fills the last 48 words from the first 16.
        pub(super) fn syscall_sha256_extend(schedule: *mut Schedule);
        /// Folds a whole schedule into the state. Only reads the schedule.
        pub(super) fn syscall_sha256_compress(schedule: *mut Schedule, state: *mut State);
    }

    struct Scratch(UnsafeCell<Schedule>);
    // SAFETY: a guest has one thread.
    unsafe impl Sync for Scratch {}
    static SCRATCH: Scratch = Scratch(UnsafeCell::new([0; 64]));

    /// Every word of memory a shard touches for the first time costs trace cells: all blocks use the same ones.
    pub(super) fn with_scratch(work: impl FnOnce(&mut Schedule)) {
        // SAFETY: one thread, and no caller of this function calls it again from within `work`.
        work(unsafe { &mut *SCRATCH.0.get() });
    }
}

#[cfg(target_os = "zkvm")]
use zkvm::{syscall_sha256_compress, syscall_sha256_extend, with_scratch};

#[cfg(not(target_os = "zkvm"))]
use software::{syscall_sha256_compress, syscall_sha256_extend, with_scratch};

/// Folds one block, written by `load` into the schedule's first 16 words, into `state`.
pub(crate) fn compress(state: &mut State, load: impl FnOnce(&mut Schedule)) {
    with_scratch(|schedule| {
        load(schedule);
        // SAFETY: both are valid, aligned and distinct.
        unsafe {
            syscall_sha256_extend(schedule);
            syscall_sha256_compress(schedule, state);
        }
    });
}

/// Folds a block into `state` whose schedule is known.
pub(crate) fn compress_expanded(state: &mut State, schedule: &'static Schedule) {
    // SAFETY: both are valid and aligned; the precompile only reads the schedule.
    unsafe { syscall_sha256_compress(core::ptr::from_ref(schedule).cast_mut(), state) }
}

/// The precompiles in software, for tests on a host.
#[cfg(not(target_os = "zkvm"))]
mod software {
    use super::{Schedule, State};
    use crate::block::{K, expand};

    pub(super) fn with_scratch(work: impl FnOnce(&mut Schedule)) {
        // Stale words must not matter.
        work(&mut [u64::MAX; 64]);
    }

    pub(super) unsafe fn syscall_sha256_extend(schedule: *mut Schedule) {
        // SAFETY: the callers above pass a reference.
        let schedule = unsafe { &mut *schedule };
        *schedule = expand(*schedule);
    }

    pub(super) unsafe fn syscall_sha256_compress(schedule: *mut Schedule, state: *mut State) {
        // SAFETY: the callers above pass references.
        let (schedule, state) = unsafe { (&*schedule, &mut *state) };
        assert!(schedule.iter().chain(state.iter()).all(|word| word >> 32 == 0));
        let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state.map(|word| word as u32);
        for (k, w) in K.iter().zip(schedule) {
            let t1 = h
                .wrapping_add(e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25))
                .wrapping_add((e & f) ^ (!e & g))
                .wrapping_add(*k)
                .wrapping_add(*w as u32);
            let t2 = (a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22))
                .wrapping_add((a & b) ^ (a & c) ^ (b & c));
            (h, g, f, e, d, c, b, a) = (g, f, e, d.wrapping_add(t1), c, b, a, t1.wrapping_add(t2));
        }
        for (word, add) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
            *word = u64::from((*word as u32).wrapping_add(add));
        }
    }
}
