//! Markers that tell the cost tool (`make guest-cost`) which part of a guest is running.
//!
//! A marker is one RISC-V instruction that does nothing, `addi zero, zero, n`, which compilers never emit for an
//! `n` other than 0: it costs a cycle in a guest, and nothing natively.

/// A part of a guest's work whose cost is told apart. Work outside every step, and in a step but outside the steps
/// within it, is counted where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Reading and decoding the input.
    Decode = 1,
    /// SSZ roots and branches: headers, fork data, finality, next committee, execution facts.
    Branches,
    /// The committee's aggregate and absent keys under its root.
    Committee,
    /// The signature check.
    Signature,
    /// Accounts and slots under the state root.
    Trie,
    /// Encoding and committing the public values.
    Commit,
}

impl Step {
    /// All steps, in the order of their numbers.
    pub const ALL: [Self; 6] =
        [Self::Decode, Self::Branches, Self::Committee, Self::Signature, Self::Trie, Self::Commit];

    /// Its name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Branches => "branches",
            Self::Committee => "committee keys",
            Self::Signature => "signature",
            Self::Trie => "trie",
            Self::Commit => "commit",
        }
    }

    /// The `n` of the marker at its begin.
    pub const fn begin(self) -> i32 {
        2 * self as i32
    }

    /// The `n` of the marker at its end.
    pub const fn end(self) -> i32 {
        2 * self as i32 + 1
    }
}

/// `step!(Trie, work)` is `work`, counted as [`Step::Trie`] when a guest runs it. Leaving `work` early, by `?` or
/// `return`, leaves the step open: only for refusals, which end the guest.
#[macro_export]
macro_rules! step {
    ($step:ident, $work:expr) => {{
        $crate::marker!($crate::step::Step::$step.begin());
        let done = $work;
        $crate::marker!($crate::step::Step::$step.end());
        done
    }};
}

/// One marker, for [`step!`].
#[doc(hidden)]
#[macro_export]
macro_rules! marker {
    ($number:expr) => {
        #[cfg(target_os = "zkvm")]
        // SAFETY: the instruction writes no register and touches no memory. Not declared so, that the compiler keeps
        // work from moving across it.
        unsafe {
            core::arch::asm!("addi zero, zero, {}", const $number, options(nostack))
        }
    };
}
