//! The door: who is let in, and how. It is replaced as a whole when its files are read again.

use std::sync::Arc;

use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::{
    access::{Access, TokenFileError},
    config::Config,
    control::Control,
    tls::{self, TlsError},
};

/// What newcomers have to pass.
pub(crate) struct Door {
    pub(crate) access: Arc<Access>,
    pub(crate) tls: Option<TlsAcceptor>,
}

/// Why there is no door.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// The token file.
    #[error(transparent)]
    Tokens(#[from] TokenFileError),
    /// The certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A door made of the files as they are now. Whoever watches it sees the ones that replace it.
pub(crate) fn open(config: &Config) -> Result<watch::Sender<Arc<Door>>, DoorError> {
    Ok(watch::Sender::new(Arc::new(read(config)?)))
}

fn read(config: &Config) -> Result<Door, DoorError> {
    let access = Access::new(config.token_file.as_deref(), config.anonymous, config.budget, config.max_hops)?;
    // Who has no certificate may still have a token.
    let optional = config.token_file.is_some() || config.anonymous;
    let tls = config.tls.as_ref().map(|files| tls::server_config(files, optional)).transpose()?;
    Ok(Door { access: Arc::new(access), tls: tls.map(|tls| TlsAcceptor::from(Arc::new(tls))) })
}

/// Takes the files as they are now whenever it is told to. Connections that are open stay as they are.
pub(crate) async fn reload(door: watch::Sender<Arc<Door>>, config: Config, control: Control) {
    loop {
        tokio::select! {
            () = control.reload.notified() => {}
            () = control.stop.cancelled() => return,
        }
        match read(&config) {
            Ok(new) => {
                door.send_replace(Arc::new(new));
                tracing::info!("token file and certificates read again");
            }
            Err(error) => tracing::error!(%error, "the old token file and certificates stay"),
        }
    }
}
