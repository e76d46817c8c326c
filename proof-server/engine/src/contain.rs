//! Panics of SP1's verifier over hostile bytes, held back.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

thread_local! {
    static CONTAINED: Cell<bool> = const { Cell::new(false) };
}

/// Whether a panic on this thread now is a verdict about somebody's bytes, which the engine catches: a panic hook that
/// ends the process has to let it pass.
pub fn panics_are_contained() -> bool {
    CONTAINED.get()
}

/// What `check` says; a panic inside is a refusal like any other.
pub(crate) fn panics<T>(check: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    CONTAINED.set(true);
    // Unwind safe: what checks only reads.
    let outcome = catch_unwind(AssertUnwindSafe(check));
    CONTAINED.set(false);
    outcome.unwrap_or_else(|panic| {
        let reason = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no reason given".into());
        Err(format!("the verifier panicked: {}", reason.chars().take(200).collect::<String>()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_refusal_with_its_reason() {
        let refused = panics(|| -> Result<(), String> {
            assert!(panics_are_contained());
            panic!("index {}", 7)
        });
        assert_eq!(refused, Err("the verifier panicked: index 7".into()));
        assert!(!panics_are_contained(), "only while it checks");
        assert_eq!(panics(|| Ok(1)), Ok(1));
    }
}
