//! What an operator may ask.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::OperateError;
use crate::config::{FleetConfig, Settings, check_broker};

/// See and steer a fleet.
#[derive(Debug, Args)]
pub struct FleetArgs {
    #[command(subcommand)]
    pub(super) act: Act,
    /// Where the fleet is: its broker, as `serve` takes it, or the folder of one on this machine that no process works with
    #[arg(long, global = true, env = "SEXTANT_FLEET", value_name = "URL|FOLDER")]
    fleet: Option<String>,
    /// File with the user and the password that the broker wants, with a colon between them
    #[arg(long, global = true, env = "SEXTANT_FLEET_CREDENTIALS", value_name = "FILE")]
    fleet_credentials: Option<PathBuf>,
    /// Authorities that certify the broker, PEM, for tls://
    #[arg(long, global = true, env = "SEXTANT_FLEET_CA", value_name = "FILE")]
    fleet_ca: Option<PathBuf>,
    /// Send user and password without TLS to another machine, for whoever listens on the way to read
    #[arg(long, global = true, env = "SEXTANT_ALLOW_PLAIN_SECRETS", num_args = 0..=1, default_missing_value = "true", value_name = "BOOL")]
    allow_plain_secrets: Option<bool>,
    /// TOML file of a server, whose settings of these names are taken where they are not given here
    #[arg(long, global = true, env = "SEXTANT_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON, one value a line; errors too
    #[arg(long, global = true)]
    pub(super) json: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Act {
    /// What waits and runs, by release, stage and class of machine; what is paused; how many are dead
    Status,
    /// The jobs that are in the queue, or dead
    Jobs {
        /// Only those that are in this state
        #[arg(long)]
        state: Option<JobState>,
        /// Messages that are looked at, at most
        #[arg(long, value_name = "N", default_value_t = 1000)]
        most: usize,
    },
    /// All that is known of a job: its messages, what was made, by whom, its outcome
    Job {
        /// Its digits, or the first of them
        job: String,
    },
    /// End a job: who works on it stops, and who waits for it is told
    Cancel {
        /// Its digits, or the first of them
        job: String,
        /// What those are told who wait for it
        #[arg(long, default_value = "an operator has ended it")]
        reason: String,
    },
    /// Put the dead letters of a job back into the queue; they are done even if nobody waits any more
    Retry {
        /// Its digits, or the first of them
        job: String,
    },
    /// The messages that nobody could do, with the last reason
    Dead {
        /// Only those of a stage
        #[arg(long)]
        stage: Option<String>,
    },
    /// Put dead letters back into the queue, those of a stage or all; they are done even if nobody waits any more
    Requeue {
        /// Those of this stage
        #[arg(long, conflicts_with = "all")]
        stage: Option<String>,
        /// All of them
        #[arg(long)]
        all: bool,
    },
    /// The provers that are there, what they take and what they are at
    Workers,
    /// Have nothing taken of a stage, or by a worker; what is in hand is finished
    Pause {
        /// The stage
        #[arg(conflicts_with = "worker")]
        stage: Option<String>,
        /// A worker instead, as `fleet workers` calls it
        #[arg(long, value_name = "NAME")]
        worker: Option<String>,
        /// For so long; otherwise until it is ended
        #[arg(long, value_name = "MINUTES")]
        minutes: Option<u64>,
    },
    /// End a pause
    Resume {
        /// The stage
        #[arg(conflicts_with = "worker")]
        stage: Option<String>,
        /// A worker instead
        #[arg(long, value_name = "NAME")]
        worker: Option<String>,
    },
    /// What each release has to do, and who does it
    Releases,
    /// Take away inputs and parts that no job in the queue needs; finished proofs stay
    Gc {
        /// Only what has lain there for so long
        #[arg(long, value_name = "MINUTES", default_value_t = 60)]
        minutes: u64,
        /// Only tell
        #[arg(long)]
        dry_run: bool,
    },
    /// Status and workers, again and again; once where the output is no terminal
    Top {
        /// Seconds from one look to the next
        #[arg(long, value_name = "SECONDS", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..))]
        every: u64,
    },
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(super) enum JobState {
    /// In a worker's hands.
    Running,
    /// Had by a worker, and waiting for another one; or its worker does not say that it is there.
    PutOff,
    /// Not taken yet.
    Waiting,
    /// A dead letter.
    Dead,
    /// Proven.
    Done,
    /// Ended without a proof.
    Failed,
}

impl JobState {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::PutOff => "put-off",
            Self::Waiting => "waiting",
            Self::Dead => "dead",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }
}

impl FleetArgs {
    /// Where the fleet is.
    pub(super) fn place(&self) -> Result<FleetConfig, OperateError> {
        let file = self.config.as_deref().map(Settings::from_file).transpose()?.unwrap_or_default();
        let servers = self.fleet.clone().or(file.fleet).filter(|place| !place.is_empty());
        let place = FleetConfig {
            servers: servers.ok_or(OperateError::NoFleet)?,
            // Nothing is made from here.
            replicas: 1,
            credentials: self.fleet_credentials.clone().or(file.fleet_credentials),
            authorities: self.fleet_ca.clone().or(file.fleet_ca),
            allow_plain: self.allow_plain_secrets.or(file.allow_plain_secrets).unwrap_or(false),
        };
        if place.is_broker() {
            check_broker(&place)?;
        }
        Ok(place)
    }
}
