//! Why an upstream was of no use.

use sextant_protocol::ServerError;

/// What came instead of a proof.
pub(super) enum Failure {
    /// No connection, or one that broke or fell silent.
    Transport(String),
    /// It said so itself.
    Refused(ServerError),
    /// It answered with something that is not the proof asked for.
    Lied(String),
    /// Nothing the upstream can be blamed for.
    Own(ServerError),
}
