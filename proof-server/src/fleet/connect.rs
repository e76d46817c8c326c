//! The way to a fleet's broker.

use std::{path::Path, sync::Arc};

use sextant_fleet::{
    FleetError,
    nats::{NatsConfig, NatsFleet},
};

use super::Fleet;
use crate::config::FleetConfig;

/// Connects to the fleet's broker; `sets_up` also has it keep what a fleet needs, as entrypoints do.
///
/// # Errors
/// If there is no such broker, or it does not let us in.
pub(crate) async fn connect(config: &FleetConfig, sets_up: bool) -> Result<Fleet, FleetError> {
    let user = config.credentials.as_deref().map(credentials).transpose()?;
    let (authorities, replicas, allow_plain) =
        (config.authorities.clone(), config.replicas, config.allow_plain);
    let nats =
        NatsConfig { user, allow_plain, authorities, replicas, ..NatsConfig::new(config.servers.clone()) };
    let fleet = NatsFleet::connect(nats).await?;
    tracing::info!(servers = %config.servers, version = fleet.version(), "the fleet's broker");
    if sets_up {
        fleet.set_up().await?;
    }
    Ok(Fleet { queue: Arc::new(fleet.queue().clone()), store: Arc::new(fleet.store().clone()) })
}

/// User and password in a file.
fn credentials(path: &Path) -> Result<(String, String), FleetError> {
    let wrong = |reason: String| FleetError::Refused {
        what: "fleet-credentials",
        reason: format!("{}: {reason}", path.display()),
    };
    let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
    let pair =
        text.trim().split_once(':').ok_or_else(|| wrong("no colon between user and password".into()))?;
    Ok((pair.0.into(), pair.1.into()))
}
