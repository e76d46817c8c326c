//! Native checks: every statement is checked as the guest will check it, before anything else is spent on it.
//!
//! They run beside the runtime, a few at once, clients in turn. Whoever brings the same input while it is checked waits for that check,
//! and an input that was found true is known for a while: a request that is made again costs none. A check of which
//! nothing comes, because the statement is not true or nobody waits any more, is charged to its client by its time.

use std::{
    num::NonZero,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Instant,
};

use lru::LruCache;
use sextant_consensus::{Program, public_values::Statement};
use sextant_protocol::{ErrorCode, ProveRequest, ServerError};
use sha2::{Digest, Sha256};
use tokio::sync::{OnceCell, oneshot};

use crate::{
    access::{Caller, Identity},
    budget::Budgets,
    memory::Held,
    metrics::Metrics,
    networks::Networks,
    turns::{Turn, Turns},
    witness::{self, Checked},
};

/// Inputs that are known to be true, some hundred bytes each.
const KNOWN: NonZero<usize> = NonZero::new(4096).unwrap();

/// SHA-256 over program and input, [`sextant_protocol::StatementInput::digest`].
type InputDigest = [u8; 32];

/// Checks statements.
pub(crate) struct Checks {
    turns: Arc<Turns>,
    networks: Arc<Networks>,
    known: Mutex<LruCache<InputDigest, Arc<OnceCell<Known>>>>,
    budgets: Arc<Budgets>,
    metrics: Arc<Metrics>,
}

/// A prove request, and the memory that is reserved for its bytes.
pub(crate) struct Asked {
    pub(crate) program: Program,
    pub(crate) request: ProveRequest,
    pub(crate) digest: InputDigest,
    pub(crate) held: Held,
}

/// A true statement.
#[derive(Clone, Debug)]
pub(crate) struct True {
    /// SHA-256 of the public values.
    pub(crate) statement: [u8; 32],
    pub(crate) checked: Arc<Checked>,
}

/// What is remembered of a true statement: what its check came to only as long as somebody has a use for it.
struct Known {
    statement: [u8; 32],
    checked: Weak<Checked>,
}

impl Checks {
    /// At most `at_once` run at a time.
    pub(crate) fn new(
        at_once: usize,
        networks: Networks,
        budgets: Arc<Budgets>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            turns: Turns::new(at_once, budgets.clone()),
            networks: Arc::new(networks),
            known: Mutex::new(LruCache::new(KNOWN)),
            budgets,
            metrics,
        }
    }

    /// What the input with this digest states, if it is known.
    pub(crate) fn recall(&self, input: &InputDigest) -> Option<[u8; 32]> {
        let cell = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(input).cloned()?;
        cell.get().map(|known| known.statement)
    }

    /// Whether statements are proven about the chain that these public values name.
    ///
    /// # Errors
    /// The network, or that they are no public values of `program`.
    pub(crate) fn network(&self, program: Program, public_values: &[u8]) -> Result<(), ServerError> {
        let statement = Statement::abi_decode(program, public_values)
            .map_err(|error| ServerError::new(ErrorCode::InvalidProof, error.to_string()))?;
        self.networks.check_digest(statement.chain_digest())
    }

    /// Checks what `caller` has asked for, unless that was done or is being done; `before` has a say where it is not.
    /// Safe to drop half-way.
    ///
    /// # Errors
    /// That of `before`; the network or the rule that is broken; or that this client has brought too much that is not
    /// true.
    pub(crate) async fn check(
        &self,
        asked: Asked,
        caller: &Caller,
        before: impl Fn() -> Result<(), ServerError>,
    ) -> Result<(Asked, True), ServerError> {
        let digest = asked.digest;
        let mut asked = Some(asked);
        loop {
            let cell = self.cell(digest);
            // Everybody waits for their own turn: that of another who brings the same may be late.
            let mut turn = None;
            if !cell.initialized() {
                before()?;
                self.budgets.may_check(&caller.identity)?;
                turn = Some(self.turns.wait(&caller.identity).await);
            }
            let mut fresh = None;
            let known = cell.get_or_try_init(async || {
                // Others of its own may have come meanwhile.
                before()?;
                self.budgets.may_check(&caller.identity)?;
                let (Some(own), Some(turn)) = (asked.take(), turn.take()) else {
                    return Err(internal("the request is lost"));
                };
                let (back, result) = self.run(own, &caller.identity, turn).await?;
                asked = Some(back);
                let checked = Arc::new(result?);
                let statement = Sha256::digest(&checked.public_values).into();
                let known = Known { statement, checked: Arc::downgrade(&checked) };
                fresh = Some(checked);
                Ok(known)
            });
            let known = known.await?;
            match (fresh.or_else(|| known.checked.upgrade()), asked.take()) {
                (Some(checked), Some(asked)) => {
                    return Ok((asked, True { statement: known.statement, checked }));
                }
                (None, again) => {
                    // True, but nobody has its hints any more: once again.
                    asked = again;
                    self.forget(digest, &cell);
                }
                (Some(_), None) => return Err(internal("the request is lost")),
            }
        }
    }

    async fn run(
        &self,
        asked: Asked,
        identity: &Identity,
        turn: Turn,
    ) -> Result<(Asked, Result<Checked, ServerError>), ServerError> {
        let (networks, budgets, metrics) =
            (self.networks.clone(), self.budgets.clone(), self.metrics.clone());
        let identity = identity.clone();
        let (reply, outcome) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            // Held as long as the work goes on, which nobody's leaving ends.
            let _turn = turn;
            let started = Instant::now();
            let result = witness::check(asked.program, &asked.request.input.bytes, &networks);
            let took = started.elapsed();
            metrics.stage("check", took);
            let failed = result.is_err();
            if failed {
                budgets.check_failed(&identity, took);
            }
            if reply.send((asked, result)).is_err() && !failed {
                budgets.check_failed(&identity, took);
            }
        });
        // Dropped unsent by a panic only.
        outcome.await.map_err(|_| internal("the native check failed"))
    }

    fn cell(&self, input: InputDigest) -> Arc<OnceCell<Known>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get_or_insert(input, Arc::default).clone()
    }

    fn forget(&self, input: InputDigest, cell: &Arc<OnceCell<Known>>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.peek(&input).is_some_and(|current| Arc::ptr_eq(current, cell)) {
            known.pop(&input);
        }
    }
}

fn internal(message: &str) -> ServerError {
    ServerError::new(ErrorCode::Internal, message)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sextant_protocol::{ProofKind, StatementInput};
    use tokio::time::timeout;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{access::Budget, memory::Memory};

    fn checks(at_once: usize) -> (Checks, Arc<Budgets>) {
        let budgets = Arc::new(Budgets::default());
        (Checks::new(at_once, Networks::Any, budgets.clone(), Arc::new(Metrics::new())), budgets)
    }

    fn caller() -> Caller {
        Caller {
            identity: Identity::address([127, 0, 0, 1].into()),
            budget: Budget { requests: 1, proofs_per_hour: 0 },
            known: true,
            operator: false,
            hops: 0,
            within: None,
            gone: CancellationToken::new(),
        }
    }

    /// Requests about true statements, each another.
    fn asked() -> Vec<Asked> {
        let statements = sextant_fixtures::statements();
        statements.into_iter().map(|(_, program, bytes)| ask(program, bytes)).collect()
    }

    fn ask(program: Program, bytes: Vec<u8>) -> Asked {
        let input = StatementInput::new(program, bytes);
        let digest = input.digest();
        let request = ProveRequest::new(input, ProofKind::Stark);
        Asked { program, request, digest, held: Memory::new(0).hold(&caller().identity) }
    }

    fn again(asked: &Asked) -> Asked {
        ask(asked.program, asked.request.input.bytes.clone())
    }

    /// What goes on although nobody waits for it is still one of those that run at once.
    #[tokio::test]
    async fn checks_that_nobody_waits_for_are_no_more_than_others() {
        let (checks, budgets) = checks(2);
        let asked = asked();
        let caller = caller();
        for asked in &asked[..2] {
            let check = checks.check(again(asked), &caller, || Ok(()));
            assert!(timeout(Duration::from_micros(500), check).await.is_err());
        }
        assert_eq!(checks.turns.free(), 0, "both go on");
        // And given up is charged like untrue: enough of it, and no more is begun.
        budgets.check_failed(&caller.identity, Duration::from_secs(120));
        let refused = checks.check(again(&asked[0]), &caller, || Ok(())).await.err().unwrap();
        assert_eq!(refused.code, ErrorCode::Busy, "{refused}");
    }

    #[tokio::test]
    async fn a_check_that_is_given_up_is_charged() {
        let (checks, budgets) = checks(1);
        let (asked, caller) = (asked(), caller());
        let check = checks.check(again(&asked[0]), &caller, || Ok(()));
        assert!(timeout(Duration::from_millis(1), check).await.is_err());
        // It is the turn of the next check when the first has ended.
        checks.check(again(&asked[2]), &caller, || Ok(())).await.ok().unwrap();
        let charged = budgets.failed(&caller.identity);
        assert!(charged > Duration::from_millis(1), "{charged:?}");
        // A true statement that is waited for costs nothing.
        checks.check(again(&asked[1]), &caller, || Ok(())).await.ok().unwrap();
        assert!(budgets.failed(&caller.identity) <= charged);
    }

    #[tokio::test]
    async fn the_same_input_is_checked_once_for_all_who_bring_it() {
        let (checks, _) = checks(4);
        let count = |checks: &Checks| {
            let text = checks.metrics.encode(crate::metrics::TextFormat::OpenMetrics);
            let line = text.lines().find(|line| line.contains("stage_seconds_count{stage=\"check\""));
            line.map_or(0, |line| line.rsplit_once(' ').unwrap().1.parse::<usize>().unwrap())
        };
        let (caller, asked) = (caller(), asked().swap_remove(0));
        let check = || checks.check(again(&asked), &caller, || Ok(()));
        let (one, two, three) = tokio::join!(check(), check(), check());
        let held = [one, two, three].map(|outcome| outcome.ok().unwrap().1);
        assert_eq!(count(&checks), 1);
        assert_eq!(checks.recall(&asked.digest), Some(held[0].statement));
        check().await.ok().unwrap();
        assert_eq!(count(&checks), 1, "somebody has its hints still");
        drop(held);
        check().await.ok().unwrap();
        assert_eq!(count(&checks), 2);
    }

    /// Who is let wait for having wasted time lets nobody else wait who brings the same.
    #[tokio::test]
    async fn nobody_waits_for_the_turn_of_another() {
        let (checks, budgets) = checks(1);
        let asked = asked();
        let named = |name| Caller { identity: Identity::address([127, 0, 0, name].into()), ..caller() };
        let (late, honest, other) = (named(2), named(3), named(4));
        budgets.check_failed(&late.identity, Duration::from_secs(10));
        let first = checks.turns.wait(&named(9).identity).await;
        let order = Mutex::new(Vec::new());
        let check = async |name, input: &Asked, caller: &Caller| {
            checks.check(again(input), caller, || Ok(())).await.ok().unwrap();
            order.lock().unwrap().push(name);
        };
        tokio::join!(
            check("late", &asked[0], &late),
            check("honest", &asked[0], &honest),
            check("other", &asked[1], &other),
            async { drop(first) },
        );
        let place = |name| order.lock().unwrap().iter().position(|other| *other == name);
        assert!(place("honest") < place("other"), "{:?}", order.lock().unwrap());
    }
}
