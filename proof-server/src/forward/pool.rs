//! The upstreams of one program: which are there, and how busy they are.
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
use sextant_protocol::{ErrorCode, ServerError};
use tokio::time::timeout;

use super::{
    exchange::{self, Connector},
    upstream::{State, Upstream},
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
    pub(crate) servers: Mutex<BTreeMap<SocketAddr, Arc<Upstream>>>,
    pub(crate) connector: Connector,
    pub(crate) verification: Arc<Verification>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Upstreams {
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
        let checked = timeout(ANSWER, exchange::info(&self.connector, &server)).await;
        let pinned = programs::artifact(self.program).vk_hash;
        let state = match checked {
            Ok(Ok(info)) => {
                let ours = |program: &&sextant_protocol::request::ProgramInfo| {
                    program.program == self.program.tag()
                        && program.vk_hash == pinned
                        && program.queue_capacity > 0
                };
                match info.programs.iter().find(ours) {
                    Some(program) => Ok((program.queued as usize, program.queue_capacity as usize)),
                    None => Err("it does not prove this build of the program".to_owned()),
                }
            }
            Ok(Err(error)) => Err(error),
            Err(_) => Err(format!("no answer within {} s", ANSWER.as_secs())),
        };
        let mut current = server.state();
        match state {
            Ok((queued, capacity)) => {
                if !current.up {
                    tracing::info!(address = %server.address, program = programs::name(self.program), "upstream up");
                }
                *current = State { up: true, queued, capacity, ..*current };
            }
            Err(reason) => {
                if current.up || current.capacity == 0 {
                    tracing::warn!(address = %server.address, %reason, "upstream down");
                }
                // Capacity 1: known to be down, said once.
                *current = State { up: false, queued: 0, capacity: 1, ..*current };
            }
        }
    }

    /// The healthy server with the fewest jobs that was not asked yet.
    pub(super) fn least_busy(&self, asked: &HashSet<SocketAddr>) -> Option<Arc<Upstream>> {
        self.all()
            .into_iter()
            .filter(|server| !asked.contains(&server.address) && server.usable())
            .min_by_key(|server| server.load())
    }

    /// Servers known, and servers that would be asked.
    pub(crate) fn count(&self) -> (usize, usize) {
        let servers = self.all();
        (servers.len(), servers.iter().filter(|server| server.usable()).count())
    }

    /// Jobs waiting at all servers, and how many may.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let states = self.all().into_iter().filter(|server| server.usable()).map(|server| *server.state());
        states.fold((0, 0), |(queued, capacity), state| (queued + state.queued, capacity + state.capacity))
    }

    /// Whether there is anybody to ask.
    pub(crate) fn has_place(&self) -> Result<(), ServerError> {
        if self.count().1 == 0 { Err(self.nobody()) } else { Ok(()) }
    }

    pub(super) fn nobody(&self) -> ServerError {
        let message = format!("no prover for {} is up", programs::name(self.program));
        ServerError::retryable(ErrorCode::Busy, message, 5_000)
    }

    fn all(&self) -> Vec<Arc<Upstream>> {
        self.servers().values().cloned().collect()
    }

    fn servers(&self) -> MutexGuard<'_, BTreeMap<SocketAddr, Arc<Upstream>>> {
        // Nothing panics while it holds the lock.
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
