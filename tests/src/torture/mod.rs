//! What strangers may do to a server, done to a real one: broken messages, floods of connections, slow drips, bad
//! proofs, full queues, killed workers. A [`Plan`] says how much of each; the [`Report`] is figures, and
//! [`Report::verdict`] says which of them are not good enough.

mod connections;
mod frames;
mod peer;
mod proving;
mod verifying;

use std::time::Duration;

use crate::server::Server;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Broken messages.
    pub frames: usize,
    /// Connections that say nothing.
    pub idle_connections: usize,
    /// Connections that send a byte now and then.
    pub drips: usize,
    /// Pings measured under a flood of bad proofs.
    pub pings: usize,
    /// Requests to a queue that is full.
    pub busy: usize,
    /// Kills of the verification worker.
    pub kills: usize,
    /// Kills of a prover at work, at each stage in turn. A proof is made after them.
    pub prover_kills: usize,
}

impl Plan {
    /// Seconds. Provers are not killed: another test of the whole system does that.
    pub const SHORT: Self = Self {
        frames: 5_000,
        idle_connections: 600,
        drips: 10,
        pings: 300,
        busy: 50,
        kills: 3,
        prover_kills: 0,
    };
    /// Minutes.
    pub const LONG: Self = Self {
        frames: 1_000_000,
        idle_connections: 10_000,
        drips: 100,
        pings: 5_000,
        busy: 1_000,
        kills: 20,
        prover_kills: 20,
    };
}

/// Connections that the tortured server takes.
const CONNECTIONS: usize = 400;
/// What it gives a message to arrive.
const FRAME_TIMEOUT: Duration = Duration::from_secs(2);

/// What was measured.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Broken messages sent, and those that the server answered one by one.
    pub frames: (usize, usize),
    /// Connections that the server ended over them.
    pub ended: usize,
    /// Silent connections held, refused with `Busy`, and refused without a word.
    pub idle: (usize, usize, usize),
    /// Dripping connections that were cut, the first and the last of them after so long.
    pub drips: (usize, Duration, Duration),
    /// Pings under a flood of bad proofs: median and 99th percentile.
    pub pings: (Duration, Duration),
    /// Bad proofs refused meanwhile.
    pub bad_proofs: usize,
    /// A full queue's `Busy`: median and slowest.
    pub busy: (Duration, Duration),
    /// Kills of a worker, and requests that ended in a typed answer.
    pub kills: (usize, usize),
    /// Kills of a prover, and requests that ended in a proof or a typed error that says when to ask again.
    pub prover_kills: (usize, usize),
    /// The request after those was proven.
    pub proof_after_kills: bool,
    /// Pings while provers worked and died: median and 99th percentile.
    pub proving_pings: (Duration, Duration),
    /// Resident memory of the server before the first attack and after the last, bytes.
    pub memory: (u64, u64),
    /// Lines of the server's log that tell of a panic.
    pub panics: usize,
    /// Processes left when the server was killed.
    pub orphans: usize,
}

/// Starts a server, does all of it, and kills the server in the end.
///
/// # Panics
/// If the server does not behave at all: no answer where one is due.
pub async fn run(plan: Plan) -> Report {
    let log = tempfile::NamedTempFile::new().expect("a temporary file");
    let connections = CONNECTIONS.to_string();
    let server = Server::start_logged(
        &[
            "--warm=false",
            "--max-connections",
            &connections,
            "--max-connections-per-address",
            &connections,
            "--frame-timeout",
            &FRAME_TIMEOUT.as_secs().to_string(),
            "--client-requests",
            "100000",
        ],
        log.reopen().expect("the same file"),
    );
    let mut report = Report::default();
    // Everything that is started once and stays: the verification worker, pools, buffers.
    verifying::warm_up(server.address()).await;
    report.memory.0 = server.memory();
    frames::send(server.address(), plan.frames, &mut report).await;
    connections::idle(server.address(), plan.idle_connections, &mut report).await;
    connections::drips(server.address(), plan.drips, &mut report).await;
    verifying::bad_proofs(server.address(), plan.pings, &mut report).await;
    verifying::kills(&server, plan.kills, &mut report).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    report.memory.1 = server.memory();
    let workers = server.workers();
    server.signal(9);
    tokio::time::sleep(Duration::from_secs(2)).await;
    report.orphans = workers.iter().filter(|worker| crate::server::is_alive(**worker)).count();
    let log = std::fs::read_to_string(log.path()).expect("the log");
    report.panics = log.lines().filter(|line| line.contains("panicked at")).count();

    proving::full_queue(plan.busy, &mut report).await;
    proving::kills(plan.prover_kills, &mut report).await;
    report
}

impl Report {
    /// What is not good enough, in words; empty if everything is.
    pub fn verdict(&self, plan: &Plan) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut check = |good: bool, what: String| {
            if !good {
                wrong.push(what);
            }
        };
        let growth = self.memory.1.saturating_sub(self.memory.0) >> 20;
        check(self.frames.0 >= plan.frames, format!("only {} broken messages were sent", self.frames.0));
        check(self.panics == 0, format!("{} panics", self.panics));
        check(growth < 50, format!("memory grew by {growth} MiB"));
        let (held, busy, silent) = self.idle;
        check(held <= CONNECTIONS, format!("{held} silent connections were held"));
        check(held + busy + silent == plan.idle_connections, format!("silent connections: {:?}", self.idle));
        check(self.drips.0 == plan.drips, format!("{} of {} drips were cut", self.drips.0, plan.drips));
        let (_, first, last) = self.drips;
        check(first > FRAME_TIMEOUT * 9 / 10, format!("a drip was cut after {first:?}"));
        check(last < FRAME_TIMEOUT * 2, format!("a drip was cut after {last:?} only"));
        check(self.pings.1 < Duration::from_millis(50), format!("p99 of pings is {:?}", self.pings.1));
        check(self.bad_proofs > 0, "no bad proof was refused".into());
        check(self.busy.0 < Duration::from_millis(10), format!("Busy takes {:?}", self.busy.0));
        check(self.kills == (plan.kills, plan.kills), format!("kills and answers: {:?}", self.kills));
        let provers = self.prover_kills;
        check(provers == (plan.prover_kills, plan.prover_kills), format!("prover kills: {provers:?}"));
        check(self.proof_after_kills || plan.prover_kills == 0, "no proof after the kills".into());
        let pings = self.proving_pings.1;
        check(pings < Duration::from_millis(50), format!("p99 of pings while proving is {pings:?}"));
        check(self.orphans == 0, format!("{} orphans", self.orphans));
        wrong
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |duration: Duration| format!("{:.2} ms", duration.as_secs_f64() * 1e3);
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let mut row = |name: &str, value: String| writeln!(f, "{name:<34} {value}");
        row("broken messages sent", self.frames.0.to_string())?;
        row("  answered one by one", self.frames.1.to_string())?;
        row("  connections ended over them", self.ended.to_string())?;
        row("panics", self.panics.to_string())?;
        let (held, busy, silent) = self.idle;
        row("silent connections", format!("{held} held, {busy} told Busy, {silent} closed"))?;
        let (cut, first, last) = self.drips;
        row("slow drips cut", format!("{cut}, after {} to {}", ms(first), ms(last)))?;
        row("pings under bad proofs, p50 p99", format!("{}, {}", ms(self.pings.0), ms(self.pings.1)))?;
        row("  bad proofs refused meanwhile", self.bad_proofs.to_string())?;
        row("Busy of a full queue, p50 slowest", format!("{}, {}", ms(self.busy.0), ms(self.busy.1)))?;
        row("verifier killed, typed answers", format!("{}, {}", self.kills.0, self.kills.1))?;
        if self.prover_kills.0 > 0 {
            row("prover killed, typed answers", format!("{}, {}", self.prover_kills.0, self.prover_kills.1))?;
            row("  then a proof", if self.proof_after_kills { "yes" } else { "no" }.into())?;
            let (half, most) = self.proving_pings;
            row("pings while proving, p50 p99", format!("{}, {}", ms(half), ms(most)))?;
        }
        let (before, after) = self.memory;
        row("server memory before and after", format!("{:.1} MiB, {:.1} MiB", mib(before), mib(after)))?;
        row("orphans of a killed server", self.orphans.to_string())
    }
}

fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort();
    times[(times.len() * percent / 100).clamp(1, times.len()) - 1]
}
