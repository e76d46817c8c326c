//! What a server offers against what is wanted of it: known before anything is fetched or sent.

use sextant_consensus::Program;
use sextant_protocol::{ProofKind, ServerInfo};
use sextant_verifier::pinned_vk_hash;

use crate::size::InputTooLarge;

/// Why a server cannot do what is wanted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOffered {
    /// A verifier.
    #[error("this server makes no proofs: it only verifies")]
    NoProofs,
    /// It proves other statements.
    #[error("this server makes no {wanted} proofs, only {offered}")]
    Program {
        /// What is wanted.
        wanted: Program,
        /// The names of what it proves.
        offered: String,
    },
    /// Another build of the program, whose proofs nobody here would believe.
    #[error(
        "this server proves {program} with another program: verifying key 0x{}, pinned here 0x{}",
        hex::encode(.got), hex::encode(.pinned)
    )]
    OtherProgram {
        /// The statement.
        program: Program,
        /// The key of the server's program.
        got: [u8; 32],
        /// The key of this build's.
        pinned: [u8; 32],
    },
    /// It is of a version that knows proofs of statements only.
    #[error("this server does not know how to wrap a proof: its version is an earlier one")]
    Wrapping,
    /// It is of a version that bundles nothing.
    #[error("this server does not know how to bundle proofs: its version is an earlier one")]
    Bundling,
    /// It is of a version that extends no chains of committees.
    #[error("this server does not know how to extend a chain of committees: its version is an earlier one")]
    Chains,
    /// It has no circuits, or no memory, for that form.
    #[error("this server makes no {wanted} proofs of {program}, only {offered}")]
    Kind {
        /// The statement.
        program: Program,
        /// What is wanted.
        wanted: ProofKind,
        /// The kinds that it makes.
        offered: String,
    },
    /// It takes no input of that size.
    #[error(transparent)]
    Size(#[from] InputTooLarge),
}

/// Whether a server says that it makes proofs of `program` in the form `kind`, by this build's program.
///
/// # Errors
/// [`NotOffered`] says what it does instead.
pub fn check_offer(info: &ServerInfo, program: Program, kind: ProofKind) -> Result<(), NotOffered> {
    let makes = || info.programs.iter().filter(|offer| !offer.kinds.is_empty());
    if makes().next().is_none() {
        // An entrypoint that knows of no prover yet may soon: it says so itself.
        return if info.ready { Err(NotOffered::NoProofs) } else { Ok(()) };
    }
    let Some(offer) = makes().find(|offer| offer.program == program.tag()) else {
        let names = makes().filter_map(|offer| Program::from_tag(offer.program));
        return Err(NotOffered::Program { wanted: program, offered: list(names) });
    };
    let pinned = pinned_vk_hash(program);
    if offer.vk_hash != pinned {
        return Err(NotOffered::OtherProgram { program, got: offer.vk_hash, pinned });
    }
    if !offer.kinds.contains(&kind) {
        return Err(NotOffered::Kind { program, wanted: kind, offered: list(&offer.kinds) });
    }
    Ok(())
}

fn list<T: ToString>(items: impl IntoIterator<Item = T>) -> String {
    items.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use sextant_protocol::{
        PROTOCOL_VERSION,
        request::{ProgramInfo, ServerLimits},
    };

    use super::*;

    fn server(programs: &[Program]) -> ServerInfo {
        let info = |program: &Program| ProgramInfo {
            program: program.tag(),
            vk_hash: pinned_vk_hash(*program),
            elf_sha256: [0; 32],
            queued: 0,
            queue_capacity: 16,
            running: 0,
            kinds: vec![ProofKind::Stark],
            ready: true,
        };
        ServerInfo {
            agent: "test".into(),
            circuit_version: "v".into(),
            programs: programs.iter().map(info).collect(),
            kinds: vec![ProofKind::Stark],
            ready: true,
            reason: String::new(),
            networks: Vec::new(),
            oldest_version: PROTOCOL_VERSION,
            newest_version: PROTOCOL_VERSION,
            limits: ServerLimits::default(),
            uptime_s: 0,
        }
    }

    #[test]
    fn what_is_not_offered_is_named() {
        let (change, inclusion) = (Program::CommitteeChange, Program::Inclusion);
        let wanted =
            |info: &ServerInfo, kind| check_offer(info, change, kind).map_err(|error| error.to_string());
        assert_eq!(wanted(&server(&Program::ALL), ProofKind::Stark), Ok(()));
        let said = wanted(&server(&[]), ProofKind::Stark).unwrap_err();
        assert!(said.contains("only verifies"), "{said}");
        let said = wanted(&server(&[inclusion]), ProofKind::Stark).unwrap_err();
        assert!(said.contains("no committee-change proofs, only inclusion"), "{said}");
        let said = wanted(&server(&[change]), ProofKind::Groth16).unwrap_err();
        assert!(said.contains("no groth16 proofs of committee-change, only stark"), "{said}");
        let waiting = ServerInfo { ready: false, ..server(&[]) };
        assert_eq!(wanted(&waiting, ProofKind::Stark), Ok(()), "it is not known yet");
        let mut other = server(&[change]);
        other.programs[0].vk_hash[0] ^= 1;
        assert!(wanted(&other, ProofKind::Stark).unwrap_err().contains("another program"));
    }
}
