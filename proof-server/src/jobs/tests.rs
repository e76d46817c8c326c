use sextant_protocol::ProofKind;

use super::*;
use crate::{
    access::{Budget, Identity},
    budget::Budgets,
    config::CacheConfig,
    metrics::Metrics,
};

const KEY: ProofKey = ProofKey { vk_hash: [1; 32], statement: [2; 32], kind: ProofKind::Stark };

fn jobs() -> Arc<Jobs> {
    let cache = Cache::new(&CacheConfig::default(), &Arc::new(Metrics::new())).unwrap();
    Jobs::new(Arc::new(cache), Duration::ZERO)
}

/// Asks for the proof in the name of a client for whom there is `place`; `work` is the job, should it begin.
async fn enter<F>(
    (jobs, budgets): (&Arc<Jobs>, &Arc<Budgets>),
    client: u8,
    place: bool,
    work: impl FnOnce(Arc<Audience>) -> F,
) -> Result<Found, ServerError>
where
    F: Future<Output = JobOutcome> + Send + 'static,
{
    let caller = Caller {
        identity: Identity::address([10, 0, 0, client].into()),
        budget: Budget { requests: 8, proofs_per_hour: 0 },
        known: true,
        operator: false,
        hops: 0,
        within: None,
        gone: CancellationToken::new(),
    };
    let entrant = Entrant {
        caller: &caller,
        progress: ProgressSender::nobody(),
        held: Some((budgets.open(&caller).unwrap(), budgets.reserve(&caller).await.unwrap())),
        trace: Trace::default(),
    };
    let full = || ServerError::new(ErrorCode::Busy, "no place");
    let may_join = || if place { Ok(()) } else { Err(full()) };
    jobs.find_or_start(JobId { proof: KEY, hops: 0 }, entrant, may_join, |audience| Ok(work(audience)))
}

/// Whoever waits for a job already has their place among those who do.
#[tokio::test]
async fn only_who_comes_new_to_a_job_needs_a_place_there() {
    let (jobs, budgets) = (jobs(), Arc::default());
    let endless = |_| std::future::pending();
    let enter = |client, place| enter((&jobs, &budgets), client, place, endless);
    let Ok(Found::Started(_first)) = enter(1, false).await else { panic!("nothing is joined") };
    let Ok(Found::Shared(_again)) = enter(1, false).await else { panic!("it is in already") };
    assert!(enter(2, false).await.is_err());
    let Ok(Found::Shared(_second)) = enter(2, true).await else { panic!("there is a place") };
    let open: Vec<_> = jobs.open().iter().map(|job| (job.key, job.clients)).collect();
    assert_eq!(open, [(KEY, 3)]);
}

/// What has failed is not what the next one hears who asks, though those who heard it are still there.
#[tokio::test]
async fn a_job_that_is_over_is_joined_by_nobody() {
    let (jobs, budgets) = (jobs(), Arc::default());
    let fails = |_| async { Err(ServerError::retryable(ErrorCode::ProverFailed, "no", 1_000)) };
    let Ok(Found::Started(first)) = enter((&jobs, &budgets), 1, true, fails).await else { panic!("a job") };
    first.outcome().await.unwrap_err();
    assert!(jobs.open().is_empty());
    let failed: Vec<_> = jobs.history().failures().into_iter().map(|failure| failure.key).collect();
    assert_eq!(failed, [KEY]);
    let found = enter((&jobs, &budgets), 2, true, fails).await;
    assert!(matches!(found, Ok(Found::Started(_))), "it is begun anew");
}

/// Only what a prover is at is lost when it is given up: not what waits, nor what is done.
#[tokio::test]
async fn only_who_gives_up_what_is_being_proven_has_wasted_it() {
    let (begins, ends) =
        (Progress::Executing { cycles: 0 }, || Err(ServerError::new(ErrorCode::Internal, "no")));
    for (begun, over) in [(false, false), (true, true), (true, false)] {
        let (jobs, budgets) = (jobs(), Arc::default());
        for _ in 0..7 {
            let work = |audience: Arc<Audience>| {
                if begun {
                    audience.send(begins);
                }
                async move { if over { ends() } else { std::future::pending().await } }
            };
            let Ok(Found::Started(waiter)) = enter((&jobs, &budgets), 1, true, work).await else {
                panic!("a job")
            };
            if over {
                waiter.outcome().await.unwrap_err();
            }
        }
        let wasted = !budgets.in_good_standing(&Identity::address([10, 0, 0, 1].into()));
        assert_eq!(wasted, begun && !over, "begun {begun}, over {over}");
    }
}

/// A machine changes, and a limit: after a while it is tried again.
#[test]
fn what_failed_for_its_own_sake_is_refused_for_a_while() {
    let (jobs, key) = (jobs(), KEY);
    let error = ServerError::new(ErrorCode::ProverFailed, "too large");
    for (until, refused) in [(HOPELESS.1, true), (Duration::ZERO, false)] {
        jobs.hopeless().put(key, (error.clone(), Instant::now() + until));
        assert_eq!(jobs.hope_for(&key).is_err(), refused, "{until:?}");
    }
}
