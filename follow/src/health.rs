//! How a follower is doing, for whoever watches it: whether it is behind, whether the contract is in step, and what went
//! wrong last.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::{ContractStatus, status::unix_now};

/// What a follower knows, as far as it is of interest to whoever watches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Slot of the finalized head.
    pub finalized_slot: u64,
    /// Unix time of that slot, seconds.
    pub finalized_time: u64,
    /// Its period.
    pub period: u64,
    /// Last period whose committee is known.
    pub known_period: u64,
    /// Period up to which committees are proven.
    pub proven_period: u64,
    /// Period that the chain of committees leads to, where one is kept and was begun.
    pub chain_period: Option<u64>,
    /// How many proofs were recorded.
    pub proofs: u64,
    /// How many submissions the contract accepted.
    pub submitted: u64,
    /// Whether it submits.
    pub submits: bool,
    /// What the contract knew when it was last looked at.
    pub contract: Option<ContractStatus>,
    /// Unix time, seconds, at which the first fork begins that the program is not prepared for.
    pub fork_ahead: Option<u64>,
}

/// How a follower is doing.
#[derive(Debug, Default)]
pub struct Health(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    report: Option<Report>,
    succeeded: u64,
    failures: u64,
    troubles: u64,
    last_trouble: Option<(u64, String)>,
    /// What a prover or a contract refuses until somebody changes it.
    standing: Option<String>,
}

/// Whether all is well, and what is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// Whether it is.
    pub ready: bool,
    /// What is not; empty if all is.
    pub reasons: Vec<String>,
    /// Slot of the finalized head.
    pub finalized_slot: u64,
    /// How long ago that slot began, seconds.
    pub behind_seconds: u64,
    /// What the contract knew, if there is one.
    pub contract: Option<ContractStatus>,
    /// What went wrong last.
    pub last_trouble: Option<String>,
    /// How long ago that was, seconds.
    pub last_trouble_seconds: Option<u64>,
    /// Looks in a row that failed.
    pub failures: u64,
}

impl Health {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes note of what is known.
    pub(crate) fn report(&self, report: Report) {
        self.inner().report = Some(report);
    }

    /// A look went well.
    pub(crate) fn succeeded(&self) {
        let mut inner = self.inner();
        (inner.succeeded, inner.failures, inner.standing) = (unix_now(), 0, None);
    }

    /// Something failed, and is tried again.
    pub fn trouble(&self, message: &str) {
        let mut inner = self.inner();
        inner.failures += 1;
        inner.troubles += 1;
        inner.last_trouble = Some((unix_now(), message.into()));
    }

    /// Nothing is proven, or submitted, until somebody changes what this says: so it is until a look goes well.
    pub(crate) fn stands(&self, message: &str) {
        self.inner().standing = Some(message.into());
    }

    /// Whether the head is younger than `max_behind` seconds, the contract, where there is one, in step with it, and nobody
    /// refuses for good what has to be done.
    pub fn readiness(&self, max_behind: u64) -> Readiness {
        let inner = self.inner();
        let now = unix_now();
        let report = inner.report.clone().unwrap_or_default();
        let behind_seconds = now.saturating_sub(report.finalized_time);
        let mut reasons = Vec::new();
        if inner.report.is_none() {
            reasons.push("not started: no node has answered yet".into());
        } else {
            if max_behind > 0 && behind_seconds > max_behind {
                reasons.push(format!("behind: the finalized head is {behind_seconds} s old"));
            }
            match &report.contract {
                None if report.submits => reasons.push("the contract was not looked at yet".into()),
                Some(contract) if contract.known_period < report.period => reasons.push(format!(
                    "the contract knows committees to period {}, the finalized head is in period {}",
                    contract.known_period, report.period
                )),
                _ => {}
            }
        }
        reasons.extend(inner.standing.clone());
        Readiness {
            ready: reasons.is_empty(),
            reasons,
            finalized_slot: report.finalized_slot,
            behind_seconds,
            contract: report.contract,
            last_trouble: inner.last_trouble.as_ref().map(|(_, message)| message.clone()),
            last_trouble_seconds: inner.last_trouble.as_ref().map(|(time, _)| now.saturating_sub(*time)),
            failures: inner.failures,
        }
    }

    /// Everything in numbers, as Prometheus reads it.
    pub fn metrics(&self, max_behind: u64) -> String {
        let ready = self.readiness(max_behind);
        let inner = self.inner();
        let report = inner.report.clone().unwrap_or_default();
        let mut text = String::new();
        let mut metric = |name: &str, kind: &str, help: &str, value: u64| {
            text += &format!(
                "# HELP sextant_follow_{name} {help}\n# TYPE sextant_follow_{name} {kind}\nsextant_follow_{name} {value}\n"
            );
        };
        metric("ready", "gauge", "Whether head and contract are up to date.", ready.ready.into());
        metric("finalized_slot", "gauge", "Slot of the finalized head.", report.finalized_slot);
        metric("behind_seconds", "gauge", "Age of the finalized head.", ready.behind_seconds);
        metric("period", "gauge", "Sync committee period of the finalized head.", report.period);
        metric("known_period", "gauge", "Last period whose committee is known.", report.known_period);
        metric("proven_period", "gauge", "Period up to which committees are proven.", report.proven_period);
        metric("proofs_total", "counter", "Proofs recorded.", report.proofs);
        metric("submissions_total", "counter", "Submissions that the contract accepted.", report.submitted);
        metric("troubles_total", "counter", "Looks that failed and were repeated.", inner.troubles);
        metric("failures", "gauge", "Looks in a row that failed.", inner.failures);
        metric(
            "last_success_time_seconds",
            "gauge",
            "Unix time of the last look that went well.",
            inner.succeeded,
        );
        if let Some(period) = report.chain_period {
            metric("chain_period", "gauge", "Period that the chain of committees leads to.", period);
        }
        if let Some(contract) = &report.contract {
            let (known, slot) = (contract.known_period, contract.head_slot);
            metric(
                "contract_known_period",
                "gauge",
                "Last period whose committee the contract knows.",
                known,
            );
            metric("contract_head_slot", "gauge", "Highest finalized slot that the contract knows.", slot);
            let seen = contract.looked_at;
            metric(
                "contract_look_time_seconds",
                "gauge",
                "Unix time of the last look at the contract.",
                seen,
            );
        }
        if let Some(time) = report.fork_ahead {
            let help = "Unix time at which a fork begins that this version is not prepared for.";
            metric("fork_ahead_time_seconds", "gauge", help, time);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        Report {
            finalized_slot: 7,
            finalized_time: unix_now() - 100,
            period: 3,
            known_period: 4,
            ..Report::default()
        }
    }

    #[test]
    fn it_is_ready_when_head_and_contract_are_up_to_date() {
        let health = Health::default();
        assert!(!health.readiness(600).ready, "nothing is known yet");
        health.report(report());
        assert!(health.readiness(600).ready);
        let behind = health.readiness(60);
        assert!(!behind.ready && behind.reasons[0].contains("behind"), "{behind:?}");
        assert!(health.readiness(0).ready, "no limit");

        health.report(Report { submits: true, ..report() });
        assert!(!health.readiness(600).ready, "the contract was not looked at");
        let contract = |known_period| {
            let target = "contract".into();
            Some(ContractStatus {
                target,
                known_period,
                head_slot: 6,
                in_step: known_period >= 3,
                looked_at: 1,
            })
        };
        health.report(Report { submits: true, contract: contract(3), ..report() });
        assert!(health.readiness(600).ready);
        health.report(Report { submits: true, contract: contract(2), ..report() });
        let late = health.readiness(600);
        assert!(!late.ready && late.reasons[0].contains("to period 2"), "{late:?}");
    }

    /// Asking again does not change it, and neither does other trouble meanwhile.
    #[test]
    fn what_stands_is_told_until_a_look_goes_well() {
        let health = Health::default();
        health.report(report());
        health.stands("this server makes no groth16 proofs");
        health.trouble("no node");
        let ready = health.readiness(600);
        assert!(!ready.ready && ready.reasons == ["this server makes no groth16 proofs"], "{ready:?}");
        health.succeeded();
        assert!(health.readiness(600).ready);
    }

    #[test]
    fn troubles_are_counted_and_the_last_is_told() {
        let health = Health::default();
        health.report(Report { fork_ahead: Some(9), ..report() });
        health.trouble("no node");
        health.trouble("no contract");
        let ready = health.readiness(600);
        assert_eq!((ready.failures, ready.last_trouble.as_deref()), (2, Some("no contract")));
        health.succeeded();
        let text = health.metrics(600);
        for line in ["sextant_follow_failures 0", "sextant_follow_troubles_total 2", "sextant_follow_ready 1"]
        {
            assert!(text.lines().any(|found| found == line), "{line}: {text}");
        }
        assert!(text.contains("sextant_follow_fork_ahead_time_seconds 9"));
        assert!(!text.contains("contract_known_period"), "there is none");
    }
}
