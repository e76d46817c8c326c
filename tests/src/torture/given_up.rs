//! Statements that are given up as soon as they were asked for: what the server goes on doing for nobody is bounded.

use std::time::{Duration, Instant};

use sextant_protocol::ClientMessage;

use super::{
    Form,
    outcome::{Millis, Outcome, Times},
    peer::{Peer, frame},
    statements::untruth,
    tortured::Tortured,
};

/// Between a question and its cancellation: the check has begun.
const PAUSE: Duration = Duration::from_millis(3);
/// A server that computes less than this in half a second has come to rest.
const REST: Duration = Duration::from_millis(50);

/// Questions about untrue statements, each cancelled at once, on one connection.
pub(super) async fn checks(form: Form) -> Outcome {
    let mut tortured = Tortured::start(&["--warm=false"]);
    let mut peer = Peer::connect(tortured.address()).await;
    let mut pinger = Peer::connect(tortured.address()).await;
    tortured.is_warm();
    let (server, count) = (&tortured.server, form.pick(150, 2_000));
    let (threads_before, began) = (server.threads(), server.processor_time());
    let (mut threads, mut pings) = (0, Times::default());
    for id in 0..count {
        peer.ask(id.into(), untruth(id)).await;
        tokio::time::sleep(PAUSE).await;
        peer.write(&frame(&ClientMessage::Cancel { id: id.into() })).await.expect("the server reads");
        if id % 10 == 0 {
            threads = threads.max(server.threads());
            pings.add(pinger.ping().await);
        }
    }
    let at_last = server.processor_time();
    let rested = Instant::now();
    let mut before = at_last;
    loop {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = server.processor_time();
        if now - before < REST || rested.elapsed() > Duration::from_secs(60) {
            break;
        }
        before = now;
    }
    let (all, after) = (server.processor_time() - began, server.processor_time() - at_last);
    let more = threads.saturating_sub(threads_before);
    let mut outcome = Outcome::default();
    outcome.row("questions given up", count);
    outcome.row("threads before and meanwhile", format!("{threads_before}, {threads}"));
    outcome.row("processor time, after the last of them", format!("{}, {}", Millis(all), Millis(after)));
    outcome.times("pings meanwhile", &pings);
    // Those that check, as many as there are cores, and those that look at what arrives.
    outcome.check(more <= 16, format!("{more} threads more"));
    outcome.check(after < Duration::from_secs(2), format!("{after:?} of work for nobody"));
    tortured.end("the server", 50, &mut outcome).await;
    outcome
}
