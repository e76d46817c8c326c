//! The kinds of proof that a server makes: by default those that its workers have the memory for.

use sextant_consensus::Program;
use sextant_protocol::{ErrorCode, ProofKind, ServerError};

/// All kinds that workers of this version make. A place in a bundle is made of what they make.
pub(crate) const MADE: [ProofKind; 3] = [ProofKind::Stark, ProofKind::Compressed, ProofKind::Groth16];

/// Resident memory that the smallest proof of a kind takes in its largest worker, MiB: what the engine plans with, so that
/// nothing is offered that is refused when it is planned.
pub(crate) const fn needs_mib(kind: ProofKind) -> u64 {
    match kind {
        // 17.2 GiB, in gnark (docs/benchmarks.md).
        ProofKind::Groth16 | ProofKind::Plonk | ProofKind::Bundled => 17_613,
        #[cfg(feature = "prover")]
        kind => sextant_engine::least_memory(kind).div_ceil(1 << 20),
        // This build makes none.
        #[cfg(not(feature = "prover"))]
        _ => 0,
    }
}

/// Whether there are proofs of this kind by `program`. A STARK would leave open whether the proofs hold that a guest
/// speaks of, and a bundle has no such things in it.
pub(crate) const fn is_made_by(program: Program, kind: ProofKind) -> bool {
    !matches!((program, kind), (Program::Bundle | Program::Chain, ProofKind::Stark | ProofKind::Bundled))
}

/// The kinds that a server offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kinds {
    offered: Vec<ProofKind>,
    /// Memory of a worker, bytes.
    memory: u64,
}

impl Kinds {
    /// The kinds that fit into workers of `memory` bytes.
    pub(crate) fn that_fit(memory: u64) -> Self {
        let offered = MADE.into_iter().filter(|kind| needs_mib(*kind) <= memory >> 20).collect();
        Self { offered, memory }
    }

    /// The kinds that somebody has named, who knows better.
    ///
    /// # Errors
    /// The name that is none of a kind made here.
    pub(crate) fn named(names: &[String], memory: u64) -> Result<Self, String> {
        let mut offered = Vec::new();
        for name in names {
            let kind: ProofKind = name.parse()?;
            if kind == ProofKind::Bundled {
                return Err(
                    "bundled proofs are made where there is a bundle-window, whatever is named here".into()
                );
            }
            if !MADE.contains(&kind) {
                return Err(format!("{kind} proofs are not made by this version"));
            }
            if !offered.contains(&kind) {
                offered.push(kind);
            }
        }
        match offered.is_empty() {
            true => Err("no kind is named".into()),
            false => Ok(Self { offered, memory }),
        }
    }

    /// Takes one out of the offer.
    pub(crate) fn without(mut self, kind: ProofKind) -> Self {
        self.offered.retain(|offered| *offered != kind);
        self
    }

    /// The kinds that are made.
    pub(crate) fn offered(&self) -> &[ProofKind] {
        &self.offered
    }

    /// Whether a kind is made.
    pub(crate) fn offers(&self, kind: ProofKind) -> bool {
        self.offered.contains(&kind)
    }

    /// What is said to whoever asks for a kind that is not made.
    pub(crate) fn refusal(&self, kind: ProofKind) -> ServerError {
        let mut message = format!("{kind} proofs are not made by this server");
        if kind == ProofKind::Bundled {
            message += ": it gathers no statements for bundles (bundle-window)";
        }
        if MADE.contains(&kind) && needs_mib(kind) > self.memory >> 20 {
            let (needs, has) = (needs_mib(kind), self.memory >> 20);
            message += &format!(": they take {needs} MiB of memory, its workers have {has}");
        }
        ServerError::new(ErrorCode::Unsupported, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIB: u64 = 1 << 30;

    fn named(names: &[&str]) -> Result<Kinds, String> {
        Kinds::named(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), 8 * GIB)
    }

    #[test]
    fn a_machine_offers_what_fits_into_it() {
        use ProofKind::{Compressed, Groth16, Stark};
        for (gib, kinds) in [
            (2, &[][..]),
            (8, &[Stark]),
            (13, &[Stark]),
            (14, &[Stark, Compressed]),
            (24, &[Stark, Compressed, Groth16]),
        ] {
            assert_eq!(Kinds::that_fit(gib * GIB).offered(), kinds, "{gib} GiB");
        }
        let error = Kinds::that_fit(8 * GIB).refusal(Compressed);
        assert_eq!((error.code, error.retry_after_ms), (ErrorCode::Unsupported, 0));
        assert!(error.message.contains("14336 MiB") && error.message.contains("8192"), "{error}");
    }

    #[test]
    fn what_is_named_is_offered_whatever_fits() {
        assert_eq!(named(&["compressed", "stark", "stark"]).unwrap().offered().len(), 2);
        let error = named(&["stark"]).unwrap().refusal(ProofKind::Plonk);
        assert!(!error.message.contains("MiB"), "{error}");
        for wrong in [&["plonk"][..], &["bundled"], &["starck"], &[]] {
            assert!(named(wrong).is_err(), "{wrong:?}");
        }
    }

    /// Nine tenths of a machine are its workers': each stage of the fleets that are delivered has the memory for them.
    #[test]
    fn delivered_fleets_have_the_memory_for_their_stages() {
        let deploy = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/");
        for (file, limit, unit) in
            [("compose.fleet.yaml", "mem_limit: ", "g"), ("helm/values.yaml", "limits: { memory: ", "Gi }")]
        {
            let text = std::fs::read_to_string(format!("{deploy}{file}")).unwrap();
            let stages = [
                ("stark", ProofKind::Stark),
                ("compressed", ProofKind::Compressed),
                ("wrap", ProofKind::Compressed),
                ("groth16", ProofKind::Groth16),
            ];
            for (stage, kind) in stages {
                let mut lines = text.lines().map(str::trim).skip_while(|line| *line != format!("{stage}:"));
                let gib = lines.find_map(|line| line.strip_prefix(limit)?.strip_suffix(unit));
                let gib: u64 = gib.expect("a limit").parse().unwrap();
                assert!(needs_mib(kind) <= (gib << 10) / 10 * 9, "{file}, {stage}: {gib} GiB");
            }
        }
    }
}
