//! Bytes in, JSON out: what the module exports.
//!
//! A caller asks for room ([`sextant_room`]), writes its bytes there and hands them to a function, which takes them. An
//! answer is a pointer to its length, 4 bytes little-endian, and as many bytes of JSON: `{"ok": ...}` or
//! `{"error": {"code", "message"}}`. It stays until the next call. A trap means that the verifier panicked: then
//! [`sextant_gave_up`] has the refusal, and after that the module's memory is not to be used any more.

use std::cell::RefCell;

use serde_json::{Value, json};

use crate::code::Failure;

thread_local! {
    static ANSWER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Room for `length` bytes, which the function that gets the pointer takes.
#[unsafe(no_mangle)]
extern "C" fn sextant_room(length: usize) -> *mut u8 {
    Box::into_raw(vec![0_u8; length].into_boxed_slice()).cast()
}

/// Verifies a file; `options` is JSON.
///
/// # Safety
/// Both are pairs of a pointer from [`sextant_room`] and the length asked for there.
#[unsafe(no_mangle)]
unsafe extern "C" fn sextant_verify(
    file: *mut u8,
    file_length: usize,
    options: *mut u8,
    options_length: usize,
) -> *const u8 {
    // SAFETY: the caller's promise.
    let (file, options) = unsafe { (taken(file, file_length), taken(options, options_length)) };
    tell_of_panics();
    answer(crate::verify(&file, &options))
}

/// Says what a file says.
///
/// # Safety
/// As of [`sextant_verify`].
#[unsafe(no_mangle)]
unsafe extern "C" fn sextant_inspect(file: *mut u8, length: usize) -> *const u8 {
    // SAFETY: the caller's promise.
    let file = unsafe { taken(file, length) };
    tell_of_panics();
    answer(crate::inspect(&file))
}

/// After a trap: the refusal.
#[unsafe(no_mangle)]
extern "C" fn sextant_gave_up() -> *const u8 {
    answer(Err(Failure::gave_up(&PANIC.with_borrow(Clone::clone))))
}

/// # Safety
/// `pointer` is from [`sextant_room`], for `length` bytes, and handed over once.
unsafe fn taken(pointer: *mut u8, length: usize) -> Box<[u8]> {
    // SAFETY: `sextant_room` made it of such a box.
    unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(pointer, length)) }
}

fn answer(result: Result<Value, Failure>) -> *const u8 {
    let value = match result {
        Ok(value) => json!({ "ok": value }),
        Err(failure) => json!({ "error": failure.to_json() }),
    };
    let json = value.to_string();
    let length = u32::try_from(json.len()).expect("an answer is not larger than the file");
    ANSWER.with_borrow_mut(|answer| {
        answer.clear();
        answer.extend(length.to_le_bytes());
        answer.extend(json.as_bytes());
        answer.as_ptr()
    })
}

/// A panic ends in a trap, which has no words: they are kept.
fn tell_of_panics() {
    std::panic::set_hook(Box::new(|info| {
        let reason = info.payload_as_str().unwrap_or("no reason given");
        PANIC.with_borrow_mut(|kept| reason.clone_into(kept));
    }));
}

/// Nothing here draws random numbers; whoever would gets an error.
fn no_random_numbers(_: &mut [u8]) -> Result<(), getrandom::Error> {
    Err(getrandom::Error::UNSUPPORTED)
}

getrandom::register_custom_getrandom!(no_random_numbers);
