//! The one who only wants its proofs: it asks for one after the other, comes back when it is told to, and pings all the
//! while.

use std::time::{Duration, Instant};

use sextant_protocol::{ErrorCode, Request, Response, ServerError, proof::ProofView};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::{
    super::{
        company::beside,
        outcome::{Outcome, Times},
        peer::{End, Peer, Who},
        statements::truth,
    },
    Bearable,
};
use crate::scripted::is_scripted;

/// When it gives up on a request.
const PATIENCE: Duration = Duration::from_secs(120);
/// Numbers of its statements: nobody else asks for the same.
const OWN: u32 = 0x4000_0000;

/// How it was served.
#[derive(Default)]
pub(super) struct Served {
    pings: Times,
    proofs: Times,
    verified: Times,
    /// Requests that were not served in time, with what was said last.
    failed: Vec<String>,
    /// How often it was told to come back later.
    busy: usize,
    /// How its connections ended.
    lost: Vec<String>,
}

/// Asks for so many proofs, each of another statement, and has each of them verified. Once one of them was not served in
/// time it has seen enough: else a server that serves nobody would be asked for hours.
pub(super) async fn serve_me(address: &str, token: &str, count: u32) -> Served {
    let who = Who { token: token.to_owned(), ..Who::default() };
    let over = CancellationToken::new();
    let mut pinging = JoinSet::new();
    pinging.spawn(ping(address.to_owned(), who.clone(), over.clone()));
    let client = Honest { address, who: &who, peer: None, served: Served::default() };
    let mut served = beside(&mut pinging, client.ask_for(count)).await;
    over.cancel();
    let (pings, lost) = pinging.join_next().await.expect("a pinger").expect("the pinger ends");
    served.lost.extend(lost);
    Served { pings, ..served }
}

struct Honest<'a> {
    address: &'a str,
    who: &'a Who,
    peer: Option<Peer>,
    served: Served,
}

impl Honest<'_> {
    /// So many proofs, one after the other.
    async fn ask_for(mut self, count: u32) -> Served {
        for number in 0..count {
            if !self.served.failed.is_empty() {
                break;
            }
            let start = Instant::now();
            let Some(Ok(record)) = self.insist(truth(OWN + number)).await else { continue };
            self.served.proofs.add(start.elapsed());
            let start = Instant::now();
            if self.insist(Request::Verify { record, more: 0 }).await.is_some() {
                self.served.verified.add(start.elapsed());
            }
        }
        self.served
    }

    /// Asks until it is served: the proof that was asked for, or `Err` for what has none. `None` if it never was.
    async fn insist(&mut self, request: Request) -> Option<Result<Vec<u8>, ()>> {
        let (start, mut last) = (Instant::now(), String::from("nothing"));
        while start.elapsed() < PATIENCE {
            match self.ask(&request).await {
                Ok(Ok(served)) => return Some(served),
                Ok(Err(error)) if error.retry_after_ms > 0 => {
                    self.served.busy += usize::from(error.code == ErrorCode::Busy);
                    last = error.to_string();
                    tokio::time::sleep(Duration::from_millis(error.retry_after_ms)).await;
                }
                Ok(Err(error)) => {
                    last = error.to_string();
                    break;
                }
                Err(end) => {
                    (self.peer, last) = (None, format!("{end:?}"));
                    self.served.lost.push(last.clone());
                    tokio::time::sleep(Duration::from_millis(500)).await;
                }
            }
        }
        self.served.failed.push(last);
        None
    }

    async fn ask(&mut self, request: &Request) -> Result<Result<Result<Vec<u8>, ()>, ServerError>, End> {
        let peer = match &mut self.peer {
            Some(peer) => peer,
            none => none.insert(Peer::introduced(self.address, self.who).await?),
        };
        peer.try_ask(1, request.clone()).await?;
        if let Request::Verify { .. } = request {
            return Ok(match peer.answer_within(PATIENCE).await? {
                Ok(Response::Verified) => Ok(Err(())),
                Ok(other) => panic!("{other:?}"),
                Err(error) => Err(error),
            });
        }
        Ok(peer.record(1, PATIENCE).await?.map(|record| {
            let proof = ProofView::of(&record).expect("a proof");
            assert!(is_scripted(&proof), "it was made for this");
            Ok(record)
        }))
    }
}

/// Pings until it is over: the times, and how it was kept from it.
async fn ping(address: String, who: Who, over: CancellationToken) -> (Times, Vec<String>) {
    let (mut times, mut lost, mut peer) = (Times::default(), Vec::new(), None);
    while !over.is_cancelled() {
        let connection = match &mut peer {
            Some(peer) => peer,
            none => match Peer::introduced(&address, &who).await {
                Ok(peer) => none.insert(peer),
                Err(end) => {
                    lost.push(format!("{end:?}"));
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
        };
        match connection.try_ping().await {
            Ok(time) => times.add(time),
            Err(end) => {
                lost.push(format!("{end:?}"));
                peer = None;
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (times, lost)
}

impl Served {
    /// Figures, and what is not bearable.
    pub(super) fn report(&self, bearable: &Bearable, outcome: &mut Outcome) {
        outcome.times("the honest client: pings", &self.pings);
        outcome.times("  proofs", &self.proofs);
        outcome.times("  verifications", &self.verified);
        outcome.row("  told Busy, connections lost", format!("{}, {}", self.busy, self.lost.len()));
        outcome.check(self.failed.is_empty(), format!("not served: {:?}", self.failed));
        outcome.check(self.lost.is_empty(), format!("connections lost: {:?}", self.lost));
        outcome.check(self.pings.count() > 0, "no ping was answered");
        for (what, times, limit) in [
            ("a ping", &self.pings, bearable.ping),
            ("a proof", &self.proofs, bearable.request),
            ("a verification", &self.verified, bearable.request),
        ] {
            let worst = times.worst();
            outcome.check(worst < limit, format!("{what} took {worst:?}"));
        }
    }
}
