//! What strangers may do to a server, done to real ones, in scenarios with names. Each starts its own servers and ends as
//! an [`Outcome`]: figures, and which of them are not good enough.

mod company;
mod connections;
mod frames;
mod given_up;
mod large;
mod outcome;
mod peer;
mod proving;
mod siege;
mod slow_reader;
mod statements;
mod tortured;
mod verifying;
mod websocket;

pub use outcome::Outcome;

/// How much of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Seconds, for every run of the tests.
    Short,
    /// Minutes, for figures.
    Long,
}

impl Form {
    fn pick<T>(self, short: T, long: T) -> T {
        match self {
            Self::Short => short,
            Self::Long => long,
        }
    }
}

/// One thing that may be done to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scenario {
    /// Broken messages.
    Messages,
    /// Broken frames of a WebSocket.
    WebSocket,
    /// Connections that say nothing.
    Silence,
    /// Messages that come a byte at a time.
    Drips,
    /// Proofs that are none.
    BadProofs,
    /// Kills of the verification worker.
    VerifierKills,
    /// A queue that is full.
    FullQueue,
    /// Checks that nobody waits for.
    GivenUp,
    /// Large proofs.
    Large,
    /// A client that reads slowly.
    SlowReader,
    /// Two hundred hostile clients and an honest one, at a prover.
    Siege,
    /// The same at an entrypoint.
    SiegeOfAFleet,
    /// Kills of a prover at work.
    ProverKills,
    /// Verification beside a proof.
    BesideAProof,
}

impl Scenario {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Messages,
        Self::WebSocket,
        Self::Silence,
        Self::Drips,
        Self::BadProofs,
        Self::VerifierKills,
        Self::FullQueue,
        Self::GivenUp,
        Self::Large,
        Self::SlowReader,
        Self::Siege,
        Self::SiegeOfAFleet,
        Self::ProverKills,
        Self::BesideAProof,
    ];

    /// What it is called on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::WebSocket => "websocket",
            Self::Silence => "silence",
            Self::Drips => "drips",
            Self::BadProofs => "bad-proofs",
            Self::VerifierKills => "verifier-kills",
            Self::FullQueue => "full-queue",
            Self::GivenUp => "given-up",
            Self::Large => "large",
            Self::SlowReader => "slow-reader",
            Self::Siege => "siege",
            Self::SiegeOfAFleet => "siege-of-a-fleet",
            Self::ProverKills => "prover-kills",
            Self::BesideAProof => "beside-a-proof",
        }
    }

    /// What happens in it.
    pub const fn what(self) -> &'static str {
        match self {
            Self::Messages => "broken messages, from the fuzz corpus and made up",
            Self::WebSocket => "broken frames over WebSocket, and broken messages in good ones",
            Self::Silence => "connections that say nothing, more than the server takes",
            Self::Drips => "messages that come a byte at a time",
            Self::BadProofs => "proofs with rubbish inside, as many as the server takes, and pings",
            Self::VerifierKills => "the verification worker is killed while clients wait for it",
            Self::FullQueue => "requests to a queue that is full",
            Self::GivenUp => "untrue statements that are given up while they are checked",
            Self::Large => "large proofs, all at once, and pings",
            Self::SlowReader => "two proofs for a client that reads slowly and steadily",
            Self::Siege => "200 hostile clients against an honest one, at a prover",
            Self::SiegeOfAFleet => "200 hostile clients against an honest one, at an entrypoint",
            Self::ProverKills => "real provers killed at every stage, and pings",
            Self::BesideAProof => "real proofs verified beside one that is being made",
        }
    }

    /// Whether real proofs are made in it: half a minute each, and gigabytes. It has no place in the short form, where a
    /// test of the whole system makes some.
    pub const fn proves(self) -> bool {
        matches!(self, Self::ProverKills | Self::BesideAProof)
    }

    /// The scenario of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// Does it.
    ///
    /// # Panics
    /// If a server does not behave at all: no answer where one is due.
    pub async fn run(self, form: Form) -> Outcome {
        match self {
            Self::Messages => frames::messages(form).await,
            Self::WebSocket => websocket::frames(form).await,
            Self::Silence => connections::silence(form).await,
            Self::Drips => connections::drips(form).await,
            Self::BadProofs => verifying::bad_proofs(form).await,
            Self::VerifierKills => verifying::kills(form).await,
            Self::FullQueue => proving::full_queue(form).await,
            Self::GivenUp => given_up::checks(form).await,
            Self::Large => large::proofs(form).await,
            Self::SlowReader => slow_reader::is_served(form).await,
            Self::Siege => siege::of_a_prover(form).await,
            Self::SiegeOfAFleet => siege::of_a_fleet(form).await,
            Self::ProverKills => proving::kills(form).await,
            Self::BesideAProof => proving::beside_a_proof(form).await,
        }
    }
}
