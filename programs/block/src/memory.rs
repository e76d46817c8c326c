//! `memcmp` by words. The runtime's goes by bytes, and comparing keys of hash maps is most of what it is for.

use core::arch::asm;
use core::ffi::c_int;

const WORD: usize = size_of::<u64>();

/// What the compiler calls to compare bytes.
///
/// # Safety
/// Both pointers lead to `len` readable bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, len: usize) -> c_int {
    let mut at = 0;
    // SAFETY: so many bytes are left.
    unsafe {
        while len - at >= WORD && word(one.wrapping_add(at)) == word(other.wrapping_add(at)) {
            at += WORD;
        }
        while at < len {
            let (one, other) = (*one.wrapping_add(at), *other.wrapping_add(at));
            if one != other {
                return c_int::from(one) - c_int::from(other);
            }
            at += 1;
        }
    }
    0
}

/// The word at any place, of the two aligned words that it lies in.
///
/// # Safety
/// Eight bytes are readable there.
#[inline(always)]
unsafe fn word(place: *const u8) -> u64 {
    let shift = 8 * (place.addr() % WORD) as u32;
    let aligned = place.wrapping_sub(place.addr() % WORD);
    // SAFETY: a part of each word that is read belongs to what the caller says.
    unsafe {
        match shift {
            0 => load(aligned),
            _ => load(aligned) >> shift | load(aligned.wrapping_add(WORD)) << (64 - shift),
        }
    }
}

/// An aligned word, of which perhaps not all bytes are the caller's: Rust knows no such load, the machine no other.
///
/// # Safety
/// A byte of the word is readable.
#[inline(always)]
unsafe fn load(place: *const u8) -> u64 {
    let word;
    // SAFETY: the machine's memory has no borders within a word.
    unsafe {
        asm!("ld {}, 0({})", out(reg) word, in(reg) place, options(nostack, readonly, pure, preserves_flags));
    }
    word
}
