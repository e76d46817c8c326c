//! One upstream server, as an entrypoint knows it: what it says of itself, and how it has served.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use sextant_protocol::ProofKind;

/// Pause of a server after a fault: doubled with each further one, up to the last.
const PAUSES: std::ops::RangeInclusive<Duration> = Duration::from_secs(2)..=Duration::from_secs(120);
/// How long a server that lied is not asked.
const LIED: Duration = Duration::from_secs(600);

/// One server.
pub(super) struct Upstream {
    pub(super) address: SocketAddr,
    /// The host under which it was configured: what its certificate must be for.
    pub(super) host: String,
    /// Requests of ours that are open there.
    open: Arc<AtomicUsize>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What it said last, if it may be asked; else why not. `None` before it was looked at.
    look: Option<Result<Offer, String>>,
    /// The kinds that it offered when it last offered anything.
    kinds: Option<Vec<ProofKind>>,
    /// Jobs there that were not ours when it was looked at.
    others: usize,
    lied_until: Option<Instant>,
    record: Record,
}

/// Faults in a row.
#[derive(Default)]
struct Record {
    faults: u32,
    /// The request that failed last: one that fails again and again is one fault.
    last: Option<[u8; 32]>,
    paused_until: Option<Instant>,
}

/// What a server offers for one program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Offer {
    /// Kinds of proof that it makes.
    pub(super) kinds: Vec<ProofKind>,
    /// Jobs in its queue.
    pub(super) waiting: usize,
    /// How many may wait.
    pub(super) capacity: usize,
    /// Jobs being worked on.
    pub(super) running: usize,
}

/// Whether a server is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Yes.
    Good,
    /// Only if no other one is left.
    Paused,
    /// No.
    Out,
}

/// A request that is open at an upstream, until dropped.
pub(super) struct OpenThere(Arc<AtomicUsize>);

impl Drop for OpenThere {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Upstream {
    pub(super) fn new(address: SocketAddr, host: String) -> Self {
        Self { address, host, open: Arc::default(), state: Mutex::default() }
    }

    /// Counts a request as open here.
    pub(super) fn open(&self) -> OpenThere {
        self.open.fetch_add(1, Ordering::Relaxed);
        OpenThere(self.open.clone())
    }

    /// Takes in what a look at it has shown; true if that is news.
    pub(super) fn looked(&self, look: Result<Offer, String>) -> bool {
        let mut state = self.state();
        if let Ok(offer) = &look {
            state.kinds = Some(offer.kinds.clone());
            state.others = (offer.waiting + offer.running).saturating_sub(self.ours());
        }
        let up = |look: &Option<Result<Offer, String>>| look.as_ref().map(Result::is_ok);
        let before = up(&state.look);
        state.look = Some(look);
        before != up(&state.look)
    }

    /// It has served a request.
    pub(super) fn served(&self) {
        self.state().record = Record::default();
    }

    /// It was at fault when `request` failed: not asked for a while, longer each time, unless nobody else is left. The
    /// first request after the pause shows whether it is well again.
    pub(super) fn failed(&self, request: [u8; 32]) {
        let mut state = self.state();
        let record = &mut state.record;
        if record.last == Some(request) {
            return;
        }
        record.last = Some(request);
        let pause = PAUSES.start().saturating_mul(1 << record.faults.min(16)).min(*PAUSES.end());
        record.faults = record.faults.saturating_add(1);
        record.paused_until = Some(Instant::now() + pause);
    }

    /// It answered falsely: not asked for long, whoever else there is.
    pub(super) fn lied(&self) {
        self.state().lied_until = Some(Instant::now() + LIED);
    }

    /// Whether it is asked.
    pub(super) fn standing(&self) -> Standing {
        let state = self.state();
        let over = |until: Option<Instant>| until.is_none_or(|until| until <= Instant::now());
        if !matches!(state.look, Some(Ok(_))) || !over(state.lied_until) {
            return Standing::Out;
        }
        // One request at a time until one was served.
        let probed = state.record.faults > 0 && self.ours() > 0;
        if probed || !over(state.record.paused_until) { Standing::Paused } else { Standing::Good }
    }

    /// Whether it is asked at all.
    pub(super) fn usable(&self) -> bool {
        self.standing() != Standing::Out
    }

    /// What it offered at the last look, if it may be asked.
    pub(super) fn offer(&self) -> Option<Offer> {
        self.state().look.clone()?.ok()
    }

    /// Why the last look found nobody to ask.
    pub(super) fn reason(&self) -> Option<String> {
        self.state().look.clone()?.err()
    }

    /// Kinds of proof that it makes, as far as it ever said.
    pub(super) fn kinds(&self) -> Option<Vec<ProofKind>> {
        self.state().kinds.clone()
    }

    /// Jobs there: ours, which are known exactly, and those that others had there at the last look.
    pub(super) fn load(&self) -> usize {
        self.state().others + self.ours()
    }

    fn ours(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream() -> Upstream {
        let upstream = Upstream::new(([127, 0, 0, 1], 1).into(), "localhost".into());
        upstream.looked(Ok(Offer { capacity: 1, ..Offer::default() }));
        upstream
    }

    fn pause(upstream: &Upstream) -> u64 {
        let until = upstream.state().record.paused_until.unwrap();
        until.saturating_duration_since(Instant::now()).as_secs_f64().round() as u64
    }

    #[test]
    fn pauses_grow_with_different_requests_and_end_with_one_served() {
        let upstream = upstream();
        for (request, seconds) in [(1, 2), (1, 2), (2, 4), (3, 8), (3, 8), (4, 16)] {
            upstream.failed([request; 32]);
            assert_eq!(pause(&upstream), seconds, "request {request}");
            assert_eq!(upstream.standing(), Standing::Paused, "never out: it may be the only one");
        }
        for request in 5..100 {
            upstream.failed([request; 32]);
        }
        assert_eq!(pause(&upstream), PAUSES.end().as_secs());
        upstream.served();
        assert_eq!(upstream.standing(), Standing::Good);
    }

    #[test]
    fn after_a_pause_one_request_is_let_through() {
        let upstream = upstream();
        upstream.failed([1; 32]);
        upstream.state().record.paused_until = Some(Instant::now());
        assert_eq!(upstream.standing(), Standing::Good);
        let probe = upstream.open();
        assert_eq!(upstream.standing(), Standing::Paused);
        drop(probe);
        assert_eq!(upstream.standing(), Standing::Good);
    }

    /// What is said in the log once, however often it is looked at.
    #[test]
    fn only_a_change_is_news() {
        let upstream = Upstream::new(([127, 0, 0, 1], 1).into(), "localhost".into());
        for (up, news) in [(true, true), (true, false), (false, true), (false, false), (true, true)] {
            let look = if up { Ok(Offer::default()) } else { Err("it is down".into()) };
            assert_eq!(upstream.looked(look), news);
        }
    }

    #[test]
    fn the_load_is_that_of_all_who_ask_there() {
        let upstream = upstream();
        let _first = upstream.open();
        upstream.looked(Ok(Offer { waiting: 2, running: 1, capacity: 9, ..Offer::default() }));
        assert_eq!(upstream.load(), 3, "one of them is ours");
        let _second = upstream.open();
        assert_eq!(upstream.load(), 4, "known at once");
        assert_eq!(upstream.standing(), Standing::Good, "one that has not failed has any number");
    }
}
