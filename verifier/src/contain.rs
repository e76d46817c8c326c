//! Keeps hostile bytes from hurting the process: caught panics.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::VerifyError;

/// Runs `check`; a panic inside becomes [`VerifyError::Panicked`].
pub(crate) fn panics<T>(check: impl FnOnce() -> T) -> Result<T, VerifyError> {
    // Unwind safe: the closures here only read the verifier, which has no interior state to leave half-changed.
    catch_unwind(AssertUnwindSafe(check)).map_err(|panic| {
        let reason = panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "no reason given".into());
        VerifyError::Panicked(reason.chars().take(200).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_refusal_with_its_reason() {
        let error = panics(|| panic!("index {}", 7)).unwrap_err();
        assert!(matches!(error, VerifyError::Panicked(reason) if reason == "index 7"));
    }
}
