//! What the store of one machine does beyond what every store does.

use std::time::Duration;

use bytes::Bytes;
use sextant_fleet::{ObjectName, Store, StoreLimits, local::LocalStore};
use sextant_protocol::JobKey;

#[tokio::test]
async fn a_proof_that_was_used_lately_stays() {
    let folder = tempfile::tempdir().unwrap();
    // Half of it is for proofs: two of these.
    let limits = StoreLimits::of(8 << 20);
    for store in [LocalStore::in_memory(limits), LocalStore::open(folder.path(), limits).unwrap()] {
        let name = |number: u8| ObjectName::proof(&JobKey([number; 32]));
        for number in 1..=3 {
            store.put(&name(number), Bytes::from(vec![number; 1_600_000])).await.unwrap();
            // Objects are told apart by their times.
            tokio::time::sleep(Duration::from_millis(20)).await;
            assert!(store.read(&name(1)).await.unwrap().is_some(), "with {number}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(store.read(&name(2)).await.unwrap(), None);
        assert!(store.read(&name(3)).await.unwrap().is_some());
    }
}
