//! Hostile clients of many names and addresses, all at once and all the while, and one that only wants its proofs: at a
//! prover, and at an entrypoint with provers behind it.
//!
//! Workers are scripted, so that no proving hides what the servers do. Provers take a part of a second, as if they were
//! a hundred times as fast as they are; everything else is real.

mod fleet;
mod honest;
mod hostile;

use std::{path::Path, sync::Arc, time::Duration};

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::{
    fleet::{Fleet, HONEST, token},
    hostile::{Deeds, Hostile},
};
use super::{Form, company::beside, outcome::Outcome};

/// How many are hostile. A quarter of them have tokens, the others an address each.
const HOSTILE: usize = 200;
/// For them to come before the honest one does.
const HEADSTART: Duration = Duration::from_secs(2);

/// What an honest client may have to put up with.
struct Bearable {
    ping: Duration,
    request: Duration,
}

/// At a prover.
pub(super) async fn of_a_prover(form: Form) -> Outcome {
    siege(form, Fleet::prover).await
}

/// At an entrypoint with two provers.
pub(super) async fn of_a_fleet(form: Form) -> Outcome {
    siege(form, Fleet::entrypoint).await
}

async fn siege(form: Form, fleet: fn(&Path) -> Fleet) -> Outcome {
    let folder = tempfile::tempdir().expect("a folder");
    let mut fleet = fleet(folder.path());
    fleet.is_ready().await;
    let address = fleet.address();
    let (deeds, over) = (Arc::<Deeds>::default(), CancellationToken::new());
    let mut crowd = JoinSet::new();
    for number in 0..HOSTILE {
        let hostile = Hostile::new(number, address.clone(), deeds.clone());
        let over = over.clone();
        crowd.spawn(async move { over.run_until_cancelled(hostile.go_on()).await.is_none() });
    }
    let honest = token(HONEST);
    let served = beside(&mut crowd, async {
        tokio::time::sleep(HEADSTART).await;
        honest::serve_me(&address, &honest, form.pick(8, 60)).await
    })
    .await;
    let alive = crowd.len();
    over.cancel();
    while let Some(hostile) = crowd.join_next().await {
        hostile.expect("a hostile client does not panic");
    }

    let bearable = Bearable { ping: Duration::from_secs(2), request: Duration::from_secs(30) };
    let mut outcome = Outcome::default();
    outcome.row("hostile clients, to the end", format!("{HOSTILE}, {alive}"));
    deeds.report(&mut outcome);
    served.report(&bearable, &mut outcome);
    fleet.end(&mut outcome).await;
    outcome
}
