//! The stages that a prover takes.

use clap::ValueEnum;

use crate::{kinds::Kinds, worker::WorkerMode};

/// All of them, in the order of a proof's way.
pub(super) const ALL: [WorkerMode; 4] =
    [WorkerMode::Stark, WorkerMode::Compressed, WorkerMode::Wrap, WorkerMode::Groth16];

/// The stages that are named.
///
/// # Errors
/// What is none of them.
pub(crate) fn chosen(names: &[String]) -> Result<Vec<WorkerMode>, String> {
    let stage = |name: &String| {
        let mode = WorkerMode::from_str(name, false).ok().filter(|mode| ALL.contains(mode));
        mode.ok_or_else(|| {
            format!("{name:?} is no stage: they are {}", ALL.map(WorkerMode::as_str).join(", "))
        })
    };
    let chosen: Vec<_> = names.iter().map(stage).collect::<Result<_, _>>()?;
    if chosen.is_empty() {
        Err("no stage is named".into())
    } else {
        Ok(ordered(|mode| chosen.contains(&mode)))
    }
}

/// The stages on the way to proofs of `kinds`.
pub(crate) fn those_of(kinds: &Kinds) -> Vec<WorkerMode> {
    ordered(|mode| kinds.offered().iter().any(|kind| WorkerMode::stages(*kind).contains(&mode)))
}

fn ordered(wanted: impl Fn(WorkerMode) -> bool) -> Vec<WorkerMode> {
    ALL.into_iter().filter(|mode| wanted(*mode)).collect()
}

#[cfg(test)]
mod tests {
    use sextant_protocol::ProofKind;

    use super::*;

    #[test]
    fn stages_are_named_or_follow_from_the_kinds() {
        let named = |names: &[&str]| chosen(&names.iter().map(|name| (*name).into()).collect::<Vec<_>>());
        assert_eq!(named(&["wrap", "stark", "wrap"]), Ok(vec![WorkerMode::Stark, WorkerMode::Wrap]));
        for wrong in [&["verify"][..], &["starck"], &[]] {
            assert!(named(wrong).is_err(), "{wrong:?}");
        }
        let gib = 1 << 30;
        assert_eq!(those_of(&Kinds::that_fit(8 * gib)), [WorkerMode::Stark]);
        let large = Kinds::that_fit(64 * gib);
        assert_eq!(those_of(&large.clone().without(ProofKind::Groth16)).len(), 2);
        assert_eq!(those_of(&large).len(), if cfg!(feature = "snark") { 4 } else { 2 });
    }
}
