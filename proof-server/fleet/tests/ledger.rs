//! What clients have had made is counted once, whichever server made it.

mod common;

use common::*;

on_each_fleet!(
    a_limit_holds_however_many_reserve_at_once,
    what_came_to_nothing_is_free_again_and_what_is_made_is_not,
);

async fn a_limit_holds_however_many_reserve_at_once<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let mut all = tokio::task::JoinSet::new();
    for id in 0..20 {
        let queue = fleet.queue.clone();
        all.spawn(async move { queue.reserve([7; 32], id, 5).await.unwrap().is_ok() });
    }
    let reserved = all.join_all().await.into_iter().filter(|reserved| *reserved).count();
    assert_eq!(reserved, 5);
    assert!(fleet.queue.reserve([8; 32], 0, 5).await.unwrap().is_ok(), "another's account");
}

async fn what_came_to_nothing_is_free_again_and_what_is_made_is_not<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let (account, queue) = ([7; 32], &fleet.queue);
    queue.reserve(account, 1, 1).await.unwrap().unwrap();
    assert!(queue.reserve(account, 2, 1).await.unwrap().unwrap_err().as_secs() <= 1, "it may fail soon");
    queue.settle(account, 1, false).await.unwrap();
    queue.reserve(account, 2, 1).await.unwrap().unwrap();
    queue.settle(account, 2, true).await.unwrap();
    let wait = queue.reserve(account, 3, 1).await.unwrap().unwrap_err();
    assert!((3_590..=3_600).contains(&wait.as_secs()), "{wait:?}");
}
