//! Objects are whole, are what their reference says, and stay as long as they may be needed.

mod common;

use bytes::Bytes;
use common::*;
use sextant_fleet::{Bucket, FleetError, ObjectName, ObjectRef, StoreLimits};

on_each_fleet!(
    what_is_put_is_found_read_and_removed,
    what_is_there_stands,
    a_reference_is_to_these_very_bytes,
    a_full_bucket_of_parts_refuses,
    finished_proofs_make_room_for_newer_ones,
    what_was_damaged_on_disk_is_not_there,
);

async fn what_is_put_is_found_read_and_removed<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let store = &fleet.store;
    for bytes in [Bytes::new(), Bytes::from_static(b"small"), Bytes::from(vec![7; 3_000_000])] {
        let names =
            [ObjectName::input(&bytes), ObjectName::part(&part(1, "c-1")), ObjectName::proof(&job(1))];
        for name in names {
            assert_eq!(store.find(&name).await.unwrap(), None);
            assert_eq!(store.read(&name).await.unwrap(), None);
            let object = store.put(&name, bytes.clone()).await.unwrap();
            assert_eq!(object, ObjectRef::to(name.clone(), &bytes));
            assert_eq!(store.find(&name).await.unwrap(), Some(object.clone()));
            assert_eq!(store.get(&object).await.unwrap(), Some(bytes.clone()));
            store.remove(&name).await.unwrap();
            store.remove(&name).await.unwrap();
            assert_eq!(store.read(&name).await.unwrap(), None);
        }
    }
}

async fn what_is_there_stands<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let name = ObjectName::part(&part(1, "c-1"));
    let first = fleet.store.put(&name, Bytes::from_static(b"first")).await.unwrap();
    assert_eq!(fleet.store.put(&name, Bytes::from_static(b"second")).await.unwrap(), first);
    assert_eq!(fleet.store.get(&first).await.unwrap().unwrap(), "first");
}

async fn a_reference_is_to_these_very_bytes<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let name = ObjectName::proof(&job(1));
    let object = fleet.store.put(&name, Bytes::from_static(b"this")).await.unwrap();
    let other = ObjectRef { sha256: [1; 32], ..object.clone() };
    assert_eq!(fleet.store.get(&other).await.unwrap(), None);
    assert_eq!(fleet.store.get(&object).await.unwrap().unwrap(), "this");
}

fn small(bytes: u64) -> Limits {
    // A broker counts what surrounds an object too.
    Limits { store: StoreLimits::of(bytes), ..Limits::default() }
}

async fn a_full_bucket_of_parts_refuses<F: Future<Output = Option<Fleet>>>(start: impl Fn(Limits) -> F) {
    let limits = small(8 << 20);
    assert_eq!(limits.store.bucket(Bucket::Parts).bytes, 3 << 20);
    let Some(fleet) = start(limits).await else { return };
    let name = |number: u8| ObjectName::part(&part(number, "c-1"));
    let bytes = Bytes::from(vec![1; 1_300_000]);
    let kept = [
        fleet.store.put(&name(1), bytes.clone()).await.unwrap(),
        fleet.store.put(&name(2), bytes.clone()).await.unwrap(),
    ];
    let error = fleet.store.put(&name(3), bytes.clone()).await.unwrap_err();
    assert!(matches!(error, FleetError::Full(_)), "{error}");
    assert_eq!(fleet.store.read(&name(3)).await.unwrap(), None, "nothing is there by half");
    for object in &kept {
        assert_eq!(fleet.store.get(object).await.unwrap().unwrap(), bytes, "what is there may be needed");
    }
    fleet.store.remove(&name(1)).await.unwrap();
    fleet.store.put(&name(3), bytes).await.unwrap();
}

async fn finished_proofs_make_room_for_newer_ones<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(small(8 << 20)).await else { return };
    let name = |number: u8| ObjectName::proof(&job(number));
    for number in 1..=4 {
        fleet.store.put(&name(number), Bytes::from(vec![number; 1_600_000])).await.unwrap();
        // Objects are told apart by their times.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(fleet.store.read(&name(1)).await.unwrap(), None);
    assert_eq!(fleet.store.read(&name(4)).await.unwrap().unwrap().len(), 1_600_000);
    let error = fleet.store.put(&name(5), Bytes::from(vec![5; 5 << 20])).await.unwrap_err();
    assert!(matches!(error, FleetError::Full(_)), "more than a bucket holds: {error}");
}

async fn what_was_damaged_on_disk_is_not_there<F: Future<Output = Option<Fleet>>>(
    start: impl Fn(Limits) -> F,
) {
    let Some(fleet) = start(Limits::default()).await else { return };
    let Some(folder) = fleet.folder().map(|folder| folder.join("store/proofs")) else { return };
    let name = ObjectName::proof(&job(1));
    let whole = fleet.store.put(&name, Bytes::from(vec![1; 1000])).await.unwrap();
    let path = folder.join(name.key());
    let bytes = std::fs::read(&path).unwrap();
    for at in [0, 8, 20, 40, bytes.len() - 1] {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        for content in [damaged, bytes[..at].to_vec()] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(fleet.store.get(&whole).await.unwrap(), None, "byte {at}");
            assert!(!path.exists(), "it is removed");
            // What is put then is kept.
            fleet.store.put(&name, Bytes::from(vec![1; 1000])).await.unwrap();
            assert!(fleet.store.get(&whole).await.unwrap().is_some());
        }
    }
}
