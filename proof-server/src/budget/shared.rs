//! Proofs of an hour that all servers of a fleet count together.

use std::{sync::Arc, time::Duration};

use sextant_fleet::{FleetError, Queue};
use sextant_protocol::{ErrorCode, ServerError};
use sha2::{Digest, Sha256};

use super::{busy, used_up};
use crate::access::Identity;

/// The largest limit of an hour that is counted together: an account is one message, each proof in it some 40 bytes, and a
/// broker takes a megabyte. Who may have more is counted by each server for itself.
pub(super) const MOST: u32 = 20_000;
/// When a fleet is asked again that did not answer.
const LATER: Duration = Duration::from_secs(2);

/// A proof in a client's account.
pub(super) struct Entry {
    queue: Arc<dyn Queue>,
    account: [u8; 32],
    id: u64,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Entry").field(&self.id).finish()
    }
}

impl Entry {
    pub(super) async fn reserve(
        queue: &Arc<dyn Queue>,
        identity: &Identity,
        limit: u32,
    ) -> Result<Self, ServerError> {
        // Names stay here: whoever can read the fleet's queue need not know who the clients are.
        let account = Sha256::digest(format!("sextant budget of {identity}")).into();
        let entry = Self { queue: queue.clone(), account, id: fastrand::u64(..) };
        match queue.reserve(account, entry.id, limit).await {
            Ok(Ok(())) => Ok(entry),
            Ok(Err(wait)) => Err(used_up(limit as usize, wait)),
            Err(error) => Err(refusal(&error)),
        }
    }

    /// Says what came of it, a moment later: nobody waits for that. Where it cannot be said, it counts for an hour.
    pub(super) fn settle(self, made: bool) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Err(error) = self.queue.settle(self.account, self.id, made).await {
                tracing::warn!(%error, made, "a budget that is not settled");
            }
        });
    }
}

/// What a client hears whose proof cannot be counted: asking again helps only against what passes.
fn refusal(error: &FleetError) -> ServerError {
    if error.passes() {
        busy(error.to_string(), LATER)
    } else {
        ServerError::new(ErrorCode::Internal, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_that_will_go_on_refusing_is_not_called_busy() {
        let silent = refusal(&FleetError::Unreachable("gone".into()));
        assert_eq!((silent.code, silent.retry_after_ms), (ErrorCode::Busy, 2_000));
        let lasting = refusal(&FleetError::Refused { what: "an account", reason: "no permission".into() });
        assert_eq!((lasting.code, lasting.retry_after_ms), (ErrorCode::Internal, 0));
        assert!(lasting.message.contains("no permission"), "{lasting}");
    }
}
