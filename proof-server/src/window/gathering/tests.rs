use std::sync::atomic::{AtomicUsize, Ordering};

use sextant_consensus::bundle::MAX_STATEMENTS;
use tokio::{
    task::JoinHandle,
    time::{advance, sleep, timeout},
};

use super::*;

const WINDOW: Duration = Duration::from_secs(20);
const SECOND: Duration = Duration::from_secs(1);

type Windows = Gatherings<&'static str, u32, String>;

/// To the nearest: timers go by the millisecond.
fn seconds(time: Duration) -> u64 {
    time.as_secs_f64().round() as u64
}

fn windows() -> Windows {
    Gatherings::new(WINDOW)
}

/// One whose part takes so long to be made: its place and the parts of its bundle.
fn made_after(seat: Seat<u32, String>, part: u32, time: Duration) -> JoinHandle<(u32, Vec<u32>)> {
    tokio::spawn(async move {
        sleep(time).await;
        let (index, parts) = seat.gather(part, |_, _| {}).await;
        (index, parts.to_vec())
    })
}

/// The window is counted from the first; who comes after it has another bundle.
#[tokio::test(start_paused = true)]
async fn those_who_come_within_the_window_are_one_bundle_in_their_order() {
    let (windows, begun) = (windows(), Instant::now());
    let first = made_after(windows.enter("chain"), 1, SECOND);
    advance(WINDOW - SECOND).await;
    let second = made_after(windows.enter("chain"), 2, Duration::ZERO);
    advance(SECOND).await;
    let third = made_after(windows.enter("chain"), 3, Duration::ZERO);
    assert_eq!(first.await.unwrap(), (0, vec![1, 2]));
    assert_eq!(second.await.unwrap(), (1, vec![1, 2]));
    assert_eq!(seconds(begun.elapsed()), 20, "nobody is waited for");
    assert_eq!(third.await.unwrap(), (0, vec![3]));
    assert_eq!(seconds(begun.elapsed()), 40);
}

#[tokio::test(start_paused = true)]
async fn what_has_nothing_in_common_is_in_different_bundles() {
    let windows = windows();
    let (one, other) = (windows.enter("chain"), windows.enter("another"));
    let (one, other) = (made_after(one, 1, SECOND), made_after(other, 2, SECOND));
    assert_eq!(one.await.unwrap(), (0, vec![1]));
    assert_eq!(other.await.unwrap(), (0, vec![2]));
}

#[tokio::test(start_paused = true)]
async fn the_slowest_part_is_waited_for() {
    let (windows, begun) = (windows(), Instant::now());
    let slow = made_after(windows.enter("chain"), 1, 10 * WINDOW);
    let quick = made_after(windows.enter("chain"), 2, SECOND);
    assert_eq!(quick.await.unwrap(), (1, vec![1, 2]));
    assert_eq!(slow.await.unwrap(), (0, vec![1, 2]));
    assert_eq!(seconds(begun.elapsed()), 200);
}

/// Its seat is dropped, be it that its part failed or that nobody wants it.
#[tokio::test(start_paused = true)]
async fn who_fails_or_leaves_holds_up_nobody() {
    let (windows, begun) = (windows(), Instant::now());
    let failing = windows.enter("chain");
    let quick = made_after(windows.enter("chain"), 2, SECOND);
    let leaving = made_after(windows.enter("chain"), 3, SECOND);
    let last = made_after(windows.enter("chain"), 4, SECOND);
    sleep(2 * SECOND).await;
    leaving.abort();
    sleep(2 * WINDOW).await;
    assert!(!quick.is_finished(), "one is waited for still");
    drop(failing);
    assert_eq!(quick.await.unwrap(), (0, vec![2, 4]));
    assert_eq!(last.await.unwrap(), (1, vec![2, 4]));
    assert_eq!(seconds(begun.elapsed()), 42);
}

#[tokio::test(start_paused = true)]
async fn a_full_bundle_goes_ahead_and_the_next_one_opens_another() {
    let (windows, begun) = (windows(), Instant::now());
    let all: Vec<_> =
        (0..MAX_STATEMENTS as u32).map(|part| made_after(windows.enter("chain"), part, SECOND)).collect();
    let over = made_after(windows.enter("chain"), 99, SECOND);
    for (part, one) in all.into_iter().enumerate() {
        let (index, parts) = one.await.unwrap();
        assert_eq!((index as usize, parts.len()), (part, MAX_STATEMENTS));
    }
    assert_eq!(seconds(begun.elapsed()), 1, "long before the window ends");
    assert_eq!(over.await.unwrap(), (0, vec![99]));
    assert_eq!(seconds(begun.elapsed()), 20);
}

/// A window whose statements are all gone is over: who comes then has the whole time.
#[tokio::test(start_paused = true)]
async fn with_the_last_one_the_bundle_ends() {
    let windows = windows();
    let (first, second) = (windows.enter("chain"), windows.enter("chain"));
    drop((first, second));
    advance(WINDOW - SECOND).await;
    let begun = Instant::now();
    let next = made_after(windows.enter("chain"), 5, SECOND);
    assert_eq!(next.await.unwrap(), (0, vec![5]));
    assert_eq!(seconds(begun.elapsed()), 20);
}

/// Once, however many wait for it; whoever is at it may leave, and what holds the whole goes with the last.
#[tokio::test(start_paused = true)]
async fn the_whole_is_made_once_and_given_up_with_the_last() {
    let windows = Gatherings::<_, u32, Arc<u32>>::new(WINDOW);
    let seats = [0, 1, 2].map(|_| windows.enter("chain"));
    let made = Arc::new(AtomicUsize::new(0));
    let make = |held: &Arc<u32>| {
        let (made, held) = (made.clone(), held.clone());
        async move {
            made.fetch_add(1, Ordering::Relaxed);
            sleep(SECOND).await;
            held
        }
    };
    let held = Arc::new(7);
    let [first, second, third] = seats;
    assert!(timeout(SECOND / 2, first.whole(|| make(&held))).await.is_err(), "it leaves half-way");
    drop(first);
    assert_eq!(**second.whole(|| make(&held)).await, 7);
    assert_eq!(**third.whole(|| make(&held)).await, 7);
    assert_eq!(made.load(Ordering::Relaxed), 2, "the third finds it made");
    drop(second);
    assert_eq!(Arc::strong_count(&held), 2);
    drop(third);
    assert_eq!(Arc::strong_count(&held), 1);
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_is_told_how_far_the_others_are() {
    let windows = windows();
    let told = Arc::new(Mutex::new(Vec::new()));
    let first = windows.enter("chain");
    let second = made_after(windows.enter("chain"), 2, WINDOW + SECOND);
    let hear = told.clone();
    let hears = move |standing: Standing, left: Duration| {
        hear.lock().unwrap().push((standing.made, standing.total, seconds(left)));
    };
    let waiting = tokio::spawn(async move { first.gather(1, hears).await.0 });
    sleep(SECOND).await;
    let third = windows.enter("chain");
    sleep(SECOND).await;
    drop(third);
    assert_eq!((waiting.await.unwrap(), second.await.unwrap().0), (0, 1));
    assert_eq!(*told.lock().unwrap(), [(1, 2, 20), (1, 3, 19), (1, 2, 18), (1, 2, 0)]);
}
