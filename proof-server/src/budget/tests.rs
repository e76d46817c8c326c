use sextant_fleet::local::LocalQueue;

use super::*;
use crate::access::Budget;

fn caller(name: u8, requests: usize, proofs_per_hour: u32) -> Caller {
    Caller {
        identity: Identity::address([127, 0, 0, name].into()),
        budget: Budget { requests, proofs_per_hour },
        known: true,
        operator: false,
        hops: 0,
        within: None,
        gone: tokio_util::sync::CancellationToken::new(),
    }
}

#[test]
fn open_requests_are_counted_by_client() {
    let budgets = Arc::new(Budgets::default());
    let (one, other) = (caller(1, 2, 0), caller(2, 1, 0));
    let first = budgets.open(&one).unwrap();
    let _second = budgets.open(&one).unwrap();
    assert_eq!(budgets.open(&one).unwrap_err().code, ErrorCode::Busy);
    let _others = budgets.open(&other).unwrap();
    drop(first);
    assert!(budgets.open(&one).is_ok());
}

#[tokio::test]
async fn only_proofs_that_are_made_count() {
    let budgets = Arc::new(Budgets::default());
    let limited = caller(1, 1, 2);
    for _ in 0..10 {
        drop(budgets.reserve(&limited).await.unwrap());
    }
    budgets.reserve(&limited).await.unwrap().commit();
    let second = budgets.reserve(&limited).await.unwrap();
    // One made and one being made: no third, whatever becomes of the second.
    assert_eq!(budgets.reserve(&limited).await.unwrap_err().code, ErrorCode::Busy);
    drop(second);
    budgets.reserve(&limited).await.unwrap().commit();
    let error = budgets.reserve(&limited).await.unwrap_err();
    assert!((3_590_000..=3_600_000).contains(&error.retry_after_ms), "{error:?}");
    drop(budgets.reserve(&caller(2, 1, 1)).await.unwrap());
}

/// Whichever server of a fleet makes them.
#[tokio::test]
async fn the_proofs_of_an_hour_are_counted_by_a_fleet_together() {
    let queue: Arc<dyn Queue> = Arc::new(LocalQueue::in_memory(Default::default()));
    let servers = [(); 2].map(|()| Arc::new(Budgets::of_fleet(queue.clone())));
    let limited = caller(1, 1, 1);
    let held = servers[0].reserve(&limited).await.unwrap();
    let error = servers[1].reserve(&limited).await.unwrap_err();
    assert!(error.code == ErrorCode::Busy && error.message.contains("1 proofs"), "{error}");
    drop(held);
    // What was given back is free a moment later.
    for _ in 0..1000 {
        if servers[1].reserve(&limited).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("it is never given back");
}

/// In any sixty minutes, wherever they begin.
#[test]
fn an_hour_is_an_hour() {
    let (start, mut account) = (Instant::now(), Account::default());
    let mut made = Vec::new();
    // Asked for all the time, for three hours: a limit of 60 is 60.
    for minute in 0..180 {
        let now = start + Duration::from_secs(60 * minute);
        for _ in 0..5 {
            if account.reserve(60, now).is_ok() {
                account.reserved -= 1;
                account.made.push_back(now);
                made.push(now);
            }
        }
    }
    for first in &made {
        let hour = made.iter().filter(|at| *at >= first && at.duration_since(*first) < HOUR).count();
        assert!(hour <= 60, "{hour}");
    }
    assert_eq!(made.len(), 180);
}

#[test]
fn untrue_statements_cost_the_time_that_they_took() {
    let (start, mut account) = (Instant::now(), Account::default());
    for _ in 0..1_000_000 {
        account.check_failed(Duration::from_micros(10), start);
    }
    assert!(account.may_check(start).is_ok(), "what does not decode is cheap");
    for _ in 0..500 {
        account.check_failed(Duration::from_millis(200), start);
    }
    let error = account.may_check(start).unwrap_err();
    // 110 s of 60 are used: after the wait that is named, and not before, it goes on.
    let wait = Duration::from_millis(error.retry_after_ms);
    assert!(account.may_check(start + wait / 2).is_err());
    assert!(account.may_check(start + wait).is_ok());
}

/// What may be wasted is wasted when nothing of it is left, not only when there is more.
#[test]
fn an_allowance_that_is_used_up_is_used_up() {
    let start = Instant::now();
    let charged = |took| {
        let mut account = Account::default();
        account.check_failed(took, start);
        account
    };
    assert!(charged(FAILED_CHECKS).may_check(start).is_err());
    assert!(!charged(FORGIVEN).in_good_standing(start));
}

/// A mistake is forgiven at once, a flood after a while.
#[test]
fn who_wastes_time_is_in_bad_standing_for_a_while() {
    let (start, mut account) = (Instant::now(), Account::default());
    let good = |account: &mut Account, seconds| account.fade(start + Duration::from_secs(seconds)) < FORGIVEN;
    account.check_failed(Duration::from_millis(200), start);
    assert!(good(&mut account, 0));
    account.check_failed(Duration::from_secs(2), start);
    assert!(!good(&mut account, 1) && !good(&mut account, 60));
    assert!(good(&mut account, 75));
}

/// Whoever stops what is being proven now and then has changed their mind.
#[test]
fn who_gives_up_again_and_again_is_in_bad_standing_for_a_while() {
    let (start, mut account) = (Instant::now(), Account::default());
    let minutes = |minutes: u64| start + Duration::from_secs(60 * minutes);
    for _ in 0..6 {
        account.gave_up(minutes(0));
    }
    assert!(account.in_good_standing(minutes(0)));
    account.gave_up(minutes(0));
    assert!(!account.in_good_standing(minutes(9)));
    assert!(account.in_good_standing(minutes(10)));
    assert!(account.may_check(minutes(0)).is_ok(), "it may ask all the same");
}

#[tokio::test]
async fn accounts_without_a_trace_are_forgotten() {
    let budgets = Arc::new(Budgets::default());
    let held = (budgets.open(&caller(1, 1, 1)).unwrap(), budgets.reserve(&caller(4, 1, 1)).await.unwrap());
    budgets.check_failed(&caller(3, 1, 1).identity, 2 * FAILED_CHECKS);
    for network in 0..2 * ACCOUNTS {
        let mut stranger = caller(2, 1, 1);
        stranger.identity = Identity::address([10, 0, (network / 256) as u8, network as u8].into());
        drop(budgets.open(&stranger).unwrap());
    }
    assert!(budgets.accounts().len() <= ACCOUNTS);
    assert!(budgets.open(&caller(1, 1, 1)).is_err(), "an open request is not forgotten");
    assert!(budgets.reserve(&caller(4, 1, 1)).await.is_err(), "nor is a proof that is being made");
    assert!(budgets.may_check(&caller(3, 1, 1).identity).is_err(), "nor is time that was taken");
    drop(held);
}

/// However many were there at once, and had something open: they are forgotten when they have nothing any more.
#[test]
fn accounts_that_were_all_in_use_are_forgotten_when_they_are_not() {
    let budgets = Arc::new(Budgets::default());
    let caller = |network: usize| Caller {
        identity: Identity::address([10, 0, (network / 256) as u8, network as u8].into()),
        ..caller(1, 1, 1)
    };
    let held: Vec<_> = (0..=ACCOUNTS).map(|network| budgets.open(&caller(network)).unwrap()).collect();
    drop(held);
    drop(budgets.open(&caller(2 * ACCOUNTS)).unwrap());
    assert_eq!(budgets.accounts().len(), 1);
}
