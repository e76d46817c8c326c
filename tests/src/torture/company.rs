//! Clients that go on beside what a scenario does, and whose failure is the scenario's: at once, and not when all else is done.

use std::pin::pin;

use tokio::task::JoinSet;

/// Does `work` while these clients go on, none of which ends by itself.
///
/// # Panics
/// If one of them does, with its reason.
pub(super) async fn beside<C: 'static, T>(clients: &mut JoinSet<C>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    tokio::select! {
        done = &mut work => done,
        Some(ended) = clients.join_next() => {
            ended.expect("a client goes on");
            panic!("a client has ended that was to go on");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, time::Duration};

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_client_that_panics_ends_the_scenario() {
        let scenario = tokio::spawn(async {
            let mut clients = JoinSet::new();
            clients.spawn(pending::<()>());
            clients.spawn(async { panic!("a pong was due") });
            beside(&mut clients, pending::<()>()).await;
        });
        let ended = timeout(Duration::from_secs(10), scenario).await.expect("it ends");
        let panic = ended.unwrap_err().into_panic();
        let said = panic.downcast_ref::<String>().expect("words");
        assert!(said.contains("a pong was due"), "{said}");
    }
}
