//! Whether a planned proof can be made here at all: said before its first shard, with how much would fit.

use sextant_consensus::public_values::Statement;
use sextant_engine::Estimate;
use sextant_protocol::{ErrorCode, ServerError, proof::MAX_RECORD};

/// What one proof may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Resident memory of the worker, bytes.
    pub(super) memory: u64,
    /// Seconds.
    pub(super) seconds: u64,
}

/// Refuses what takes more than `limits` allow or than a proof may be long.
pub(super) fn check(statement: &Statement, estimate: &Estimate, limits: Limits) -> Result<(), ServerError> {
    let (count, things) = size(statement);
    let refused = |needs: String, allowed: String, fitting: Option<usize>| {
        let hint = match fitting {
            Some(0) | None => String::new(),
            Some(fitting) => format!("; about {fitting} would do"),
        };
        let message =
            format!("a proof of {count} {things} needs about {needs} here, allowed are {allowed}{hint}");
        Err(ServerError::new(ErrorCode::TooLarge, message))
    };
    let fitting = |needed: f64, allowed: f64| Some((count as f64 * allowed / needed) as usize);

    let (needed, allowed) = (estimate.memory, limits.memory);
    if needed > allowed {
        // Memory follows the size of a shard, not the number of shards: fewer things need as much.
        return refused(mib(needed), mib(allowed), None);
    }
    let (needed, allowed) = (estimate.seconds, limits.seconds as f64);
    if needed > allowed {
        return refused(format!("{needed:.0} s"), format!("{allowed:.0} s"), fitting(needed, allowed));
    }
    let (needed, allowed) = (estimate.bytes, MAX_RECORD as u64);
    if needed > allowed {
        return refused(mib(needed), mib(allowed), fitting(needed as f64, allowed as f64));
    }
    Ok(())
}

/// What makes a statement large, and how it is called.
fn size(statement: &Statement) -> (usize, &'static str) {
    match statement {
        Statement::CommitteeChange(change) => (change.learned.len(), "handovers"),
        Statement::Inclusion(inclusion) => {
            let slots = inclusion.accounts.iter().map(|account| account.slots.len()).sum::<usize>();
            let events = inclusion.transactions.len() + inclusion.logs.len() + inclusion.no_logs.len();
            (inclusion.accounts.len() + slots + events, "accounts, slots, transactions and logs")
        }
        Statement::Bundle(bundle) => (bundle.parts.len(), "statements"),
        // Whatever its length.
        Statement::Chain(_) => (1, "chain of committees"),
    }
}

fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}

#[cfg(test)]
mod tests {
    use sextant_consensus::{
        Program, codec, committee_change,
        public_values::{CommitteeChange, Head, Learned},
    };
    use sextant_engine::{EngineSettings, Pace};
    use sextant_protocol::ProofKind;

    use super::*;
    use crate::kinds::Kinds;

    const LIMITS: Limits = Limits { memory: 10 << 30, seconds: 1000 };

    fn handovers(count: usize) -> Statement {
        let learned = vec![Learned { period: 1, committee_root: [0; 32] }; count];
        let head = Head {
            program: Program::CommitteeChange,
            chain_digest: [1; 32],
            signer_period: 1,
            signer_committee_root: [2; 32],
            participation: 512,
            finalized_slot: 3,
            finalized_root: [4; 32],
            block_number: 5,
            block_hash: [6; 32],
            state_root: [7; 32],
        };
        Statement::CommitteeChange(CommitteeChange { head, learned })
    }

    /// On a machine of any size.
    #[test]
    fn what_is_offered_is_not_refused_for_its_memory() {
        let input = codec::encode::<committee_change::Input>(&sextant_fixtures::catch_up::handovers(1));
        let (_, hints) = sextant_consensus::check_with_hints(Program::CommitteeChange, &input).unwrap();
        let (elf, inputs) = (sextant_artifacts::COMMITTEE_CHANGE.elf, [input, hints]);
        // One shard, whatever the settings.
        let settings = EngineSettings::for_machine(8 << 30, ProofKind::Stark);
        let plan = sextant_engine::plan(elf, &inputs, &settings).unwrap();
        let mut offered = 0;
        for gib_quarters in 8..128_u64 {
            let memory = gib_quarters << 28;
            for &kind in Kinds::that_fit(memory).offered() {
                let settings = EngineSettings::for_machine(memory, kind);
                let estimate = plan.estimate(kind, &settings, &Pace::guess(2));
                let limits = Limits { memory, seconds: u64::MAX };
                assert_eq!(check(&handovers(1), &estimate, limits), Ok(()), "{kind} in {memory} bytes");
                offered += 1;
            }
        }
        assert!(offered > 120, "{offered}");
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        let fits = Estimate { seconds: 1000.0, memory: 10 << 30, bytes: MAX_RECORD as u64 };
        assert_eq!(check(&handovers(46), &fits, LIMITS), Ok(()));
        for (estimate, said) in [
            (
                Estimate { seconds: 2000.0, ..fits },
                "a proof of 46 handovers needs about 2000 s here, allowed are 1000 s; about 23 would do",
            ),
            (
                Estimate { memory: 11 << 30, ..fits },
                "a proof of 46 handovers needs about 11264 MiB here, allowed are 10240 MiB",
            ),
        ] {
            let error = check(&handovers(46), &estimate, LIMITS).unwrap_err();
            assert_eq!((error.code, error.message.as_str()), (ErrorCode::TooLarge, said));
            assert_eq!(error.retry_after_ms, 0, "asking again changes nothing");
        }
        let long = Estimate { bytes: 2 * MAX_RECORD as u64, ..fits };
        let error = check(&handovers(46), &long, LIMITS).unwrap_err();
        assert!(error.message.ends_with("about 23 would do"), "{}", error.message);
    }
}
