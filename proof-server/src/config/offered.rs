//! What is offered to clients: kinds of proof, by what circuits, and bundles of statements that share one.

use std::time::Duration;

use sextant_protocol::ProofKind;

use super::{ConfigError, Role, Settings, UpstreamConfig, resolve::seconds};
use crate::{circuits::CircuitsConfig, kinds::Kinds};

/// What SNARKs are made with.
pub(super) fn circuits(settings: &mut Settings) -> CircuitsConfig {
    CircuitsConfig {
        folder: settings.circuits.take().or_else(CircuitsConfig::standard_folder),
        allow_development: settings.allow_dev_circuits.unwrap_or(false),
    }
}

/// The kinds of proof: those that are named, or those that can be made with `worker_memory` bytes.
pub(super) fn kinds(
    settings: &Settings,
    role: Role,
    by_fleet: bool,
    worker_memory: u64,
    circuits: &CircuitsConfig,
) -> Result<Kinds, ConfigError> {
    let kinds = match &settings.kinds {
        Some(names) => Kinds::named(names, worker_memory)
            .map_err(|reason| ConfigError::List { setting: "kinds", reason })?,
        None if role.proves() => Kinds::that_fit(worker_memory),
        // Whether its provers have circuits is not known here.
        None if by_fleet => Kinds::that_fit(u64::MAX).without(ProofKind::Groth16),
        // Made elsewhere, and refused there if they are not.
        None => Kinds::that_fit(u64::MAX),
    };
    let snarks = cfg!(feature = "snark") && circuits.folder.is_some();
    if role.proves() && settings.kinds.is_some() && !snarks && kinds.offers(ProofKind::Groth16) {
        return Err(ConfigError::Needs(
            "kinds groth16",
            "circuits, and a program built with the feature `snark`",
        ));
    }
    if role.proves() && kinds.offered().is_empty() {
        return Err(ConfigError::Memory(worker_memory >> 20));
    }
    Ok(kinds)
}

/// How long statements are gathered that become one bundle, where this server can have both proven.
pub(super) fn bundle_window(
    settings: &Settings,
    role: Role,
    upstreams: &UpstreamConfig,
    by_fleet: bool,
    max_deadline: Duration,
) -> Result<Option<Duration>, ConfigError> {
    let Some(length) = settings.bundle_window else { return Ok(None) };
    let window = seconds("bundle-window", length)?;
    let statements = !upstreams.committee_change.is_empty() || !upstreams.inclusion.is_empty();
    let needs = |what| Err(ConfigError::Needs("bundle-window", what));
    match role {
        Role::All => {}
        Role::Entrypoint if by_fleet => {}
        Role::Entrypoint if statements && !upstreams.bundle.is_empty() => {}
        Role::Entrypoint => return needs("bundle-upstreams, and upstreams for the statements"),
        _ => return needs("role all or entrypoint: statements and bundles are proven there"),
    }
    if window >= max_deadline {
        return needs("a longer max-deadline: no request may take as long");
    }
    Ok(Some(window))
}
