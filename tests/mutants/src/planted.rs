//! Planted into the copy of a crate that has all its mutants at once: which of them is on.

extern crate std;

use std::{
    env::{var, var_os},
    fs::OpenOptions,
    io::Write,
    path::Path,
    process,
    string::ToString,
    sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
};

/// Numbers of no mutant: nothing is known yet; none is on, and what is reached is noted; none is on.
const UNKNOWN: u32 = u32::MAX;
const NOTING: u32 = u32::MAX - 1;
const NONE: u32 = u32::MAX - 2;

static CHOSEN: AtomicU32 = AtomicU32::new(UNKNOWN);
static NOTED: [AtomicBool; 1 << 14] = [const { AtomicBool::new(false) }; 1 << 14];

/// Whether mutant `number` is on.
#[inline]
#[must_use]
pub fn is(number: u32) -> bool {
    let mut chosen = CHOSEN.load(Relaxed);
    if chosen == UNKNOWN {
        chosen = choose();
    }
    if chosen == NOTING && !NOTED[number as usize].load(Relaxed) {
        note(number);
    }
    chosen == number
}

/// Whether none of these is on.
#[inline]
#[must_use]
pub fn off(numbers: &[u32]) -> bool {
    !numbers.iter().any(|number| is(*number))
}

#[cold]
fn choose() -> u32 {
    let chosen = match var("SEXTANT_MUTANT") {
        Ok(chosen) => chosen.parse().expect("SEXTANT_MUTANT is a number"),
        Err(_) if var_os("SEXTANT_MUTANTS_REACHED").is_some() => NOTING,
        Err(_) => NONE,
    };
    CHOSEN.store(chosen, Relaxed);
    chosen
}

#[cold]
fn note(number: u32) {
    if !NOTED[number as usize].swap(true, Relaxed) {
        let folder = var_os("SEXTANT_MUTANTS_REACHED").expect("it is there");
        let notes = Path::new(&folder).join(process::id().to_string());
        let mut notes = OpenOptions::new().create(true).append(true).open(notes).expect("notes can be written");
        notes.write_all((number.to_string() + "\n").as_bytes()).expect("a note can be written");
    }
}
