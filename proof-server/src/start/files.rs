//! What a server reads before it does anything, so that whatever can be wrong with files is said before anything runs.

use std::{io, os::unix::fs::PermissionsExt, path::Path, sync::Arc};

use sextant_protocol::ProofKind;
use tokio::sync::watch;

use super::StartError;
use crate::{
    cache::Cache,
    circuits::CircuitsError,
    config::{Config, Role},
    door::{self, Door},
    fleet,
    forward::{self, Connector},
    http::Page,
    kinds::Kinds,
    metrics::Metrics,
    reload::Reloaded,
    traces::{self, Collector},
    worker::{WorkerMode, kept::Kept, program::WorkerProgram},
};

/// Everything that was read, and how some of it is read again.
pub(super) struct Files {
    pub(super) door: watch::Receiver<Arc<Door>>,
    pub(super) cache: Arc<Cache>,
    pub(super) connector: watch::Receiver<Connector>,
    /// What stages have made, where there are several on the way to a proof.
    pub(super) kept: Option<Arc<Kept>>,
    pub(super) kinds: Kinds,
    /// Those that a prover of a fleet takes.
    pub(super) stages: Vec<WorkerMode>,
    /// A web page for those who come over HTTP.
    pub(super) page: Option<Page>,
    pub(super) worker: WorkerProgram,
    /// Who takes traces.
    pub(super) collector: Option<watch::Receiver<Collector>>,
    pub(super) reloaded: Vec<Reloaded>,
}

impl Files {
    pub(super) fn open(config: &Config, metrics: &Arc<Metrics>) -> Result<Self, StartError> {
        let (door, reload_door) = door::open(config)?;
        let (connector, reload_connector) = forward::connector(&config.upstreams)?;
        let collector = config.traces.as_ref().map(traces::collector).transpose()?;
        let (collector, reload_collector) = collector.unzip();
        let kinds = kinds(config)?;
        // What upstreams make is known later; until then the kind is not offered.
        if config.bundle_window.is_some() && (config.role.proves() || config.fleet.is_some()) {
            let missing =
                [ProofKind::Compressed, ProofKind::Groth16].into_iter().find(|kind| !kinds.offers(*kind));
            missing.map_or(Ok(()), |kind| Err(StartError::Window(kinds.refusal(kind).message)))?;
        }
        let named = config.stages.as_deref().map(fleet::chosen).transpose();
        let stages = named.map_err(StartError::StageNames)?.unwrap_or_else(|| fleet::those_of(&kinds));
        let own = config.role.proves() && config.role != Role::Prover;
        let in_stages = own && kinds.offers(ProofKind::Groth16) && config.cache.stages > 0;
        let cache = Arc::new(Cache::new(&config.cache, metrics).map_err(StartError::Cache)?);
        let kept = in_stages.then(|| Kept::new(&config.cache, cache.clone()).map(Arc::new)).transpose();
        Ok(Self {
            door,
            cache,
            connector,
            kept: kept.map_err(StartError::Stages)?,
            kinds,
            stages,
            page: config.http_files.as_deref().map(Page::read).transpose()?,
            worker: worker_program(config.worker_program.as_deref())?,
            collector,
            reloaded: [reload_door, reload_connector].into_iter().chain(reload_collector).collect(),
        })
    }
}

/// Whether a server could start with this configuration, as far as files tell: what a server reads is read.
///
/// # Errors
/// Names the setting and the file.
pub fn check(config: &Config) -> Result<(), StartError> {
    Files::open(config, &Arc::new(Metrics::new())).map(drop)
}

/// The kinds of proof that this server makes, or has made.
fn kinds(config: &Config) -> Result<Kinds, CircuitsError> {
    // Others make what an entrypoint offers, with circuits of their own.
    let elsewhere = config.role == Role::Entrypoint;
    // What is named is looked at, also by a build that makes no SNARKs.
    let circuits = config.circuits.open_whole()?.is_some();
    Ok(if cfg!(feature = "snark") && (circuits || elsewhere) {
        config.kinds.clone()
    } else {
        config.kinds.clone().without(ProofKind::Groth16)
    })
}

/// The program that is started as worker: a file that may be executed.
fn worker_program(chosen: Option<&Path>) -> Result<WorkerProgram, StartError> {
    let wrong = |program: &Path| {
        let program = program.to_owned();
        move |source| StartError::Worker { program, source }
    };
    let Some(chosen) = chosen else {
        return WorkerProgram::own().map_err(wrong(Path::new("this program's own file")));
    };
    let file = std::fs::metadata(chosen).map_err(wrong(chosen))?;
    if !file.is_file() || file.permissions().mode() & 0o111 == 0 {
        return Err(wrong(chosen)(io::Error::new(io::ErrorKind::PermissionDenied, "not a program")));
    }
    Ok(WorkerProgram::File(chosen.into()))
}
