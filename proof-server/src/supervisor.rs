//! What systemd is told, if it is what started the server: ready, ending, and every now and then that it is alive.

use std::time::Duration;

use sd_notify::NotifyState;

use crate::control::Control;

/// The server takes clients.
pub(crate) fn ready() {
    notify(&[NotifyState::Ready]);
}

/// The server takes no more clients.
pub(crate) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Says that the server is alive, twice as often as it has to, until it has stopped. A task among the others: if none of
/// them gets anywhere, neither does this.
pub(crate) async fn watchdog(control: Control) {
    let mut microseconds = 0;
    if !sd_notify::watchdog_enabled(false, &mut microseconds) {
        return;
    }
    let mut ticks = tokio::time::interval(Duration::from_micros(microseconds / 2));
    loop {
        tokio::select! {
            _ = ticks.tick() => notify(&[NotifyState::Watchdog]),
            () = control.stop.cancelled() => return,
        }
    }
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(false, states) {
        tracing::debug!(%error, "systemd");
    }
}
