//! The upstreams of one program: which are there, and which of them is asked.
//!
//! Names are looked up again and again, so that a name that stands for many servers (a headless service) follows them
//! as they come and go. Each server is asked for its `Info` every few seconds.

use std::{
    collections::{BTreeMap, HashSet},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sextant_consensus::Program;
use sextant_protocol::{ErrorCode, ProofKind, ServerError, ServerInfo};
use tokio::{sync::watch, time::timeout};

use super::{
    exchange::{self, Connector},
    failure::Failure,
    upstream::{Offer, Standing, Upstream},
};
use crate::{
    control::Control, metrics::Metrics, programs, readiness::WarmingGuard, verification::Verification,
};

/// How often servers are looked at.
const CHECK: Duration = Duration::from_secs(2);
/// How long one may take to answer.
const ANSWER: Duration = Duration::from_secs(5);
/// Every so many checks, names are looked up again.
const LOOK_UP_EVERY: u32 = 5;

/// The servers that make proofs of one program.
pub(crate) struct Upstreams {
    pub(crate) program: Program,
    /// `host:port`, as configured.
    pub(crate) names: Vec<String>,
    connector: watch::Receiver<Connector>,
    pub(crate) verification: Arc<Verification>,
    pub(crate) metrics: Arc<Metrics>,
    servers: Mutex<BTreeMap<SocketAddr, Arc<Upstream>>>,
}

impl Upstreams {
    /// None yet: [`Self::watch`] looks for them.
    pub(crate) fn new(
        program: Program,
        names: Vec<String>,
        connector: watch::Receiver<Connector>,
        verification: Arc<Verification>,
        metrics: Arc<Metrics>,
    ) -> Arc<Self> {
        Arc::new(Self { program, names, connector, verification, metrics, servers: Mutex::default() })
    }

    /// Watches the servers until the control says to stop.
    pub(crate) async fn watch(self: Arc<Self>, control: Control, warming: WarmingGuard) {
        let mut warming = Some(warming);
        let mut round = 0_u32;
        loop {
            if round.is_multiple_of(LOOK_UP_EVERY) {
                self.look_up().await;
            }
            round = round.wrapping_add(1);
            let checks: Vec<_> = self.all().into_iter().map(|server| self.clone().check(server)).collect();
            let mut checks: tokio::task::JoinSet<()> = checks.into_iter().collect();
            while checks.join_next().await.is_some() {}
            // The first look decides whether there is anybody to forward to.
            drop(warming.take());
            tokio::select! {
                () = tokio::time::sleep(CHECK) => {}
                () = control.stop.cancelled() => return,
            }
        }
    }

    async fn look_up(&self) {
        let mut found: BTreeMap<SocketAddr, String> = BTreeMap::new();
        for name in &self.names {
            let host = name.rsplit_once(':').map_or(name.as_str(), |(host, _)| host);
            match timeout(ANSWER, tokio::net::lookup_host(name)).await {
                Ok(Ok(addresses)) => found.extend(addresses.map(|address| (address, host.to_owned()))),
                Ok(Err(error)) => tracing::warn!(name = name.as_str(), %error, "upstream name"),
                Err(_) => tracing::warn!(name = name.as_str(), "upstream name: no answer"),
            }
        }
        if found.is_empty() {
            // Name service trouble is no reason to forget servers that answer.
            return;
        }
        let mut servers = self.servers();
        servers.retain(|address, _| found.contains_key(address));
        for (address, host) in found {
            servers.entry(address).or_insert_with(|| Arc::new(Upstream::new(address, host)));
        }
    }

    async fn check(self: Arc<Self>, server: Arc<Upstream>) {
        let checked = timeout(ANSWER, exchange::info(&self.connector(), &server)).await;
        let look = match checked {
            Ok(Ok(info)) => self.offer(info),
            // Full of others' connections, or of ours: busy, not down.
            Ok(Err(Failure::Refused(error))) if error.code == ErrorCode::Busy && server.usable() => return,
            Ok(Err(failure)) => Err(failure.to_string()),
            Err(_) => Err(format!("no answer within {} s", ANSWER.as_secs())),
        };
        if server.looked(look) {
            let (address, program) = (&server.address, programs::name(self.program));
            match server.reason() {
                None => tracing::info!(%address, program, "upstream up"),
                Some(reason) => tracing::warn!(%address, program, %reason, "upstream down"),
            }
        }
    }

    /// What a server's word about itself means for this program.
    fn offer(&self, info: ServerInfo) -> Result<Offer, String> {
        let pinned = programs::artifact(self.program).vk_hash;
        let ours = info.programs.iter().find(|program| {
            program.program == self.program.tag() && program.vk_hash == pinned && program.queue_capacity > 0
        });
        let program = ours.ok_or("it does not prove this build of the program")?;
        if !(info.ready && program.ready) {
            return Err(format!("it is not ready: {}", info.reason));
        }
        Ok(Offer {
            kinds: program.kinds.clone(),
            waiting: program.queued as usize,
            capacity: program.queue_capacity as usize,
            running: program.running as usize,
        })
    }

    /// A server to ask for a proof of `kind` that was not asked yet: one that is idle as far as is known, else of two the
    /// one with fewer jobs. Which ones is left to chance, so that entrypoints that know the same do not all choose the
    /// same.
    pub(super) fn choose(&self, kind: ProofKind, asked: &HashSet<SocketAddr>) -> Option<Arc<Upstream>> {
        let makes = |server: &Upstream| server.offer().is_some_and(|offer| offer.kinds.contains(&kind));
        let mut candidates = self.all();
        candidates.retain(|server| !asked.contains(&server.address) && makes(server));
        fastrand::shuffle(&mut candidates);
        let standing: Vec<Standing> = candidates.iter().map(|server| server.standing()).collect();
        [Standing::Good, Standing::Paused].into_iter().find_map(|wanted| {
            let these =
                || candidates.iter().zip(&standing).filter(|(_, s)| **s == wanted).map(|(server, _)| server);
            let idle = these().find(|server| server.load() == 0);
            idle.or_else(|| these().take(2).min_by_key(|server| server.load())).cloned()
        })
    }

    /// All servers that would be asked.
    pub(super) fn usable(&self) -> Vec<Arc<Upstream>> {
        self.all().into_iter().filter(|server| server.usable()).collect()
    }

    /// Kinds of proof that the servers make; `None` while none has said so.
    pub(crate) fn kinds(&self) -> Option<Vec<ProofKind>> {
        let all: Vec<_> = self.all().iter().filter_map(|server| server.kinds()).collect();
        (!all.is_empty()).then(|| {
            let mut kinds: Vec<ProofKind> = Vec::new();
            for kind in all.into_iter().flatten() {
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
            kinds
        })
    }

    /// Servers known, and servers that would be asked.
    pub(crate) fn count(&self) -> (usize, usize) {
        (self.all().len(), self.usable().len())
    }

    /// What all servers offer together.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let offers = self.usable().into_iter().filter_map(|server| server.offer());
        offers.fold((0, 0), |(waiting, capacity), offer| (waiting + offer.waiting, capacity + offer.capacity))
    }

    /// Jobs being worked on at all servers.
    pub(crate) fn running(&self) -> usize {
        let offers = self.usable().into_iter().filter_map(|server| server.offer());
        offers.map(|offer| offer.running).sum()
    }

    /// Whether there is anybody to ask.
    pub(crate) fn has_place(&self) -> Result<(), ServerError> {
        if self.count().1 == 0 { Err(self.nobody()) } else { Ok(()) }
    }

    /// What a client hears when there is nobody to ask.
    pub(super) fn nobody(&self) -> ServerError {
        let message = format!("no prover for {} is up", programs::name(self.program));
        ServerError::retryable(ErrorCode::Busy, message, 5_000)
    }

    /// How servers are reached now.
    pub(super) fn connector(&self) -> Connector {
        self.connector.borrow().clone()
    }

    fn all(&self) -> Vec<Arc<Upstream>> {
        self.servers().values().cloned().collect()
    }

    fn servers(&self) -> MutexGuard<'_, BTreeMap<SocketAddr, Arc<Upstream>>> {
        // Nothing panics while it holds the lock.
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{budget::Budgets, queue::QueueLimits};

    fn pool() -> Arc<Upstreams> {
        let budgets = Arc::new(Budgets::default());
        let verification =
            Verification::new(Verification::queues(QueueLimits::NONE, budgets.clone()), budgets);
        let connector = Connector { tls: None, token: Default::default(), allow_plain: false };
        let (_, connector) = watch::channel(connector);
        Upstreams::new(
            Program::Inclusion,
            Vec::new(),
            connector,
            Arc::new(verification),
            Arc::new(Metrics::new()),
        )
    }

    /// Adds a server that says this when it is looked at.
    fn add(pool: &Upstreams, port: u16, look: Result<Offer, String>) -> SocketAddr {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let server = Upstream::new(address, "localhost".into());
        server.looked(look);
        pool.servers().insert(address, Arc::new(server));
        address
    }

    /// Entrypoints that know the same do not all choose the same.
    #[test]
    fn among_equals_chance_decides() {
        let pool = pool();
        let offer = Offer { kinds: vec![ProofKind::Stark], ..Offer::default() };
        let addresses = [1, 2, 3].map(|port| add(&pool, port, Ok(offer.clone())));
        let none = HashSet::new();
        let chosen: HashSet<_> =
            (0..200).map(|_| pool.choose(ProofKind::Stark, &none).unwrap().address).collect();
        assert_eq!(chosen, addresses.into());
    }

    /// One that failed lately is asked once all others were.
    #[test]
    fn a_paused_server_comes_after_the_others() {
        let pool = pool();
        let offer = Offer { kinds: vec![ProofKind::Stark], ..Offer::default() };
        let [paused, other, third] = [1, 2, 3].map(|port| add(&pool, port, Ok(offer.clone())));
        pool.servers()[&paused].failed([1; 32]);
        let mut asked = HashSet::new();
        for _ in 0..2 {
            asked.insert(pool.choose(ProofKind::Stark, &asked).unwrap().address);
        }
        assert_eq!(asked, [other, third].into());
        assert_eq!(pool.choose(ProofKind::Stark, &asked).unwrap().address, paused, "better than nobody");
    }

    /// A server that is down offers nothing.
    #[test]
    fn what_servers_offer_is_added_up() {
        let pool = pool();
        assert_eq!((pool.depth(), pool.running(), pool.count()), ((0, 0), 0, (0, 0)));
        assert!(pool.has_place().is_err());
        let offer = |kind, waiting, running| Offer { kinds: vec![kind], waiting, capacity: 16, running };
        add(&pool, 1, Ok(offer(ProofKind::Stark, 2, 3)));
        add(&pool, 2, Ok(offer(ProofKind::Groth16, 5, 4)));
        let down = add(&pool, 3, Err("it is down".into()));
        assert_eq!((pool.depth(), pool.running(), pool.count()), ((7, 32), 7, (3, 2)));
        assert_eq!(pool.servers()[&down].reason().as_deref(), Some("it is down"));
        assert!(pool.has_place().is_ok());
        assert_eq!(pool.kinds(), Some(vec![ProofKind::Stark, ProofKind::Groth16]));
    }
}
