//! The way of one request from upstream to upstream: how long it goes on, and what the client hears at its end.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use sextant_protocol::{ErrorCode, ServerError};

use super::{
    failure::{Failure, Fault},
    upstream::Upstream,
};

/// Time for answers that come at once and are none: so long others are asked. A server that cannot be reached costs
/// seconds, one that refuses next to nothing, so that no number of such servers hides one that works.
const REFUSALS: Duration = Duration::from_secs(60);
/// A failure after this long has cost a prover's work.
const QUICK: Duration = Duration::from_secs(5);
/// Servers that may lose work over one request: it may be the request that kills them.
const WORKED: u32 = 4;

/// A request that looks for a server.
pub(super) struct Search {
    asked: HashSet<SocketAddr>,
    suspects: Vec<Arc<Upstream>>,
    since: Instant,
    refusals: Duration,
    worked: u32,
    best: Option<ServerError>,
}

impl Search {
    pub(super) fn new() -> Self {
        Self {
            asked: HashSet::new(),
            suspects: Vec::new(),
            since: Instant::now(),
            refusals: Duration::ZERO,
            worked: 0,
            best: None,
        }
    }

    /// The next server to ask, out of those that were not asked yet.
    pub(super) fn next(
        &mut self,
        choose: impl FnOnce(&HashSet<SocketAddr>) -> Option<Arc<Upstream>>,
    ) -> Option<Arc<Upstream>> {
        if self.worked >= WORKED || self.refusals >= REFUSALS {
            return None;
        }
        let chosen = choose(&self.asked)?;
        self.asked.insert(chosen.address);
        self.since = Instant::now();
        Some(chosen)
    }

    /// The server that was asked last was of no use.
    pub(super) fn note(&mut self, upstream: Arc<Upstream>, failure: Failure) {
        self.took(self.since.elapsed());
        if failure.fault() == Fault::Suspected {
            self.suspects.push(upstream);
        }
        self.best = Some(better(self.best.take(), failure.answer()));
    }

    fn took(&mut self, time: Duration) {
        if time < QUICK { self.refusals += time } else { self.worked += 1 }
    }

    /// Servers that are at fault if another one does what they did not.
    pub(super) fn suspects(&self) -> &[Arc<Upstream>] {
        &self.suspects
    }

    /// The most hopeful of the answers, if anybody was asked.
    pub(super) fn conclusion(self) -> Option<ServerError> {
        self.best
    }
}

/// Of two answers the more hopeful one, and of two that are alike the later one.
pub(super) fn better(before: Option<ServerError>, now: ServerError) -> ServerError {
    before.filter(|before| hope(before) > hope(&now)).unwrap_or(now)
}

/// How much sense asking again makes: most where somebody is only busy, none where it is no question of time. Of two
/// failures, one that may pass counts more: whom chance had asked first must not decide what the client hears.
fn hope(error: &ServerError) -> (u8, bool) {
    let kind = match error.code {
        ErrorCode::Busy => 3,
        ErrorCode::ShuttingDown => 2,
        ErrorCode::ProverFailed => 1,
        _ => 0,
    };
    (kind, error.retry_after_ms > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(port: u16) -> Arc<Upstream> {
        Arc::new(Upstream::new(([127, 0, 0, 1], port).into(), "localhost".into()))
    }

    /// Any number of servers that refuse at once is passed by; four that fail after work are enough.
    #[test]
    fn the_search_is_bounded_by_time_and_lost_work() {
        let mut search = Search::new();
        for port in 1..200 {
            let next = search.next(|asked| (asked.len() < 1000).then(|| server(port))).unwrap();
            let failed = ServerError::retryable(ErrorCode::ProverFailed, "no", 1_000);
            search.note(next, Failure::Refused(failed));
        }
        assert_eq!(search.suspects().len(), 199);
        search.took(REFUSALS.mul_f32(0.04));
        for _ in 0..WORKED {
            assert!(search.next(|_| Some(server(1000))).is_some());
            search.took(QUICK);
        }
        assert!(search.next(|_| Some(server(1001))).is_none());

        let mut search = Search::new();
        (0..30).for_each(|_| search.took(Duration::from_secs(2)));
        assert!(search.next(|_| Some(server(1))).is_none());
    }

    #[test]
    fn the_client_hears_the_most_hopeful_answer() {
        let mut search = Search::new();
        for code in [ErrorCode::Unsupported, ErrorCode::Busy, ErrorCode::ProverFailed, ErrorCode::TooLarge] {
            search.note(server(1), Failure::Refused(ServerError::new(code, "no")));
        }
        assert_eq!(search.conclusion().unwrap().code, ErrorCode::Busy);
        let mut search = Search::new();
        search.note(server(1), Failure::Refused(ServerError::new(ErrorCode::Unsupported, "no")));
        assert_eq!(search.conclusion().unwrap().code, ErrorCode::Unsupported, "final, and said as such");
    }

    /// Where somebody is busy, there is more to hope for than where somebody ends, or has failed, or cannot.
    #[test]
    fn hope_has_its_order() {
        use ErrorCode::{Busy, ProverFailed, ShuttingDown, TooLarge, Unsupported};
        let error = |code| ServerError::new(code, "no");
        for (more, less) in [(Busy, ShuttingDown), (ShuttingDown, ProverFailed), (ProverFailed, Unsupported)]
        {
            assert_eq!(better(Some(error(more)), error(less)).code, more);
            assert_eq!(better(Some(error(less)), error(more)).code, more);
        }
        assert_eq!(better(Some(error(TooLarge)), error(Unsupported)).code, Unsupported);
        assert_eq!(better(None, error(TooLarge)).code, TooLarge);
        let passing = ServerError::retryable(ProverFailed, "no", 1_000);
        for (first, second) in [(&passing, &error(ProverFailed)), (&error(ProverFailed), &passing)] {
            assert_eq!(better(Some(first.clone()), second.clone()), passing, "whoever was asked first");
        }
    }
}
