//! Why an operator's command came to nothing, and what to do about it.

use sextant_fleet::FleetError;

use crate::config::ConfigError;

/// Why an operator's command came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum OperateError {
    /// Nobody says where the fleet is.
    #[error(
        "no fleet is named: give --fleet (or SEXTANT_FLEET, or `fleet` in the file of --config) its broker, \
         nats://HOST:PORT, or the folder of a fleet on this machine"
    )]
    NoFleet,
    /// The configuration file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The fleet has not answered, or refuses.
    #[error("{error}{}", advice(.error))]
    Fleet {
        /// What it said.
        error: FleetError,
    },
    /// That names no job.
    #[error(
        "{0:?} is no job: give its 64 hexadecimal digits, or at least 8 of the first, as `fleet jobs` shows them"
    )]
    NotAJob(String),
    /// No job of the fleet begins so.
    #[error(
        "the fleet knows no job {0}: it was never here, or is forgotten; `fleet jobs` lists those that it has"
    )]
    NoJob(String),
    /// Several jobs begin so.
    #[error("{0} is the beginning of {1} jobs: give more digits")]
    Ambiguous(String, usize),
    /// There is nothing to cancel.
    #[error("job {0} has its outcome already: `fleet job` shows it")]
    Over(String),
    /// There is no dead letter to put back.
    #[error(
        "job {0} has no dead letter to put back{1}; whoever wants it asks a server again, which tries it anew"
    )]
    NothingDead(String, &'static str),
    /// It is not said what to put back, or to pause.
    #[error("{0}")]
    Unsaid(&'static str),
    /// Neither stage nor worker.
    #[error("{0}")]
    Name(String),
    /// Nothing is paused by that name.
    #[error("{0} is not paused: `fleet status` shows what is")]
    NotPaused(String),
    /// The terminal.
    #[error("standard output: {0}")]
    Output(#[from] std::io::Error),
}

impl From<FleetError> for OperateError {
    fn from(error: FleetError) -> Self {
        Self::Fleet { error }
    }
}

impl OperateError {
    /// Its name in JSON.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoFleet => "no-fleet",
            Self::Config(_) => "configuration",
            Self::Fleet { error: FleetError::Full(_) } => "full",
            Self::Fleet { error: FleetError::Unreachable(_) } => "unreachable",
            Self::Fleet { error: FleetError::Version { .. } } => "version",
            Self::Fleet { .. } => "refused",
            Self::NotAJob(_) => "not-a-job",
            Self::NoJob(_) => "no-job",
            Self::Ambiguous(..) => "ambiguous",
            Self::Over(_) => "over",
            Self::NothingDead(..) => "nothing-dead",
            Self::Unsaid(_) => "unsaid",
            Self::Name(_) => "name",
            Self::NotPaused(_) => "not-paused",
            Self::Output(_) => "output",
        }
    }
}

/// What to do.
fn advice(error: &FleetError) -> &'static str {
    match error {
        FleetError::Unreachable(_) => "; is the broker there, and does this machine reach it?",
        FleetError::Full(_) => "; `fleet gc` takes away what no job needs any more",
        FleetError::Refused { reason, .. } if reason.contains("another process has") => {
            "; a fleet in a folder belongs to the process that works with it: end that, or use a broker"
        }
        FleetError::Version { .. } => "; docs/fleet.md says how a newer one is set up",
        _ => "",
    }
}
