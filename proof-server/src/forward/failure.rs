//! Why an upstream was of no use, and whose fault that is.
//!
//! Requests come from strangers, so what a request brings about must not be held against a server: else a few requests
//! take every server of a fleet out. A server is at fault where nothing of the request had reached it, where its answer
//! is false, or where another one then did what it could not.

use sextant_protocol::{ErrorCode, ServerError};

/// What came instead of a proof.
#[derive(Debug)]
pub(super) enum Failure {
    /// No connection.
    Unreachable(String),
    /// A connection that broke or fell silent with the request open.
    Broken(String),
    /// It said so itself.
    Refused(ServerError),
    /// It answered with something that is not the proof asked for.
    Lied(String),
    /// Nothing the upstream can be blamed for, and nothing that another one would do better.
    Own(ServerError),
}

/// Whose fault it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The request's, the load's, or nobody's.
    Nobodys,
    /// The server's, if another one does what it did not.
    Suspected,
    /// The server's.
    Servers,
    /// The server's, on purpose for all we know.
    Lie,
}

impl Failure {
    /// Whose fault it was.
    pub(super) fn fault(&self) -> Fault {
        match self {
            Self::Unreachable(_) => Fault::Servers,
            Self::Broken(_) => Fault::Suspected,
            Self::Lied(_) => Fault::Lie,
            Self::Own(_) => Fault::Nobodys,
            Self::Refused(error) => match error.code {
                // It cannot make this proof, however often it is asked: a larger one may.
                ErrorCode::ProverFailed if error.retry_after_ms == 0 => Fault::Nobodys,
                ErrorCode::ProverFailed | ErrorCode::Internal => Fault::Suspected,
                // It said so before its connections closed: nothing a request brings about.
                ErrorCode::ShuttingDown => Fault::Servers,
                _ => Fault::Nobodys,
            },
        }
    }

    /// Its name in metrics.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Self::Unreachable(_) | Self::Broken(_) => "failed",
            Self::Refused(_) => "refused",
            Self::Lied(_) => "lied",
            Self::Own(_) => "unverified",
        }
    }

    /// What the client hears if nobody does better.
    pub(super) fn answer(self) -> ServerError {
        let failed = |message: String, ms| ServerError::retryable(ErrorCode::ProverFailed, message, ms);
        match self {
            Self::Own(error) => error,
            Self::Unreachable(reason) | Self::Broken(reason) => {
                failed(format!("the prover behind this server failed: {reason}"), 1_000)
            }
            Self::Lied(_) => failed("the prover behind this server answered falsely".into(), 1_000),
            Self::Refused(error) => match error.code {
                ErrorCode::ProverFailed if error.retry_after_ms == 0 => error,
                ErrorCode::Busy | ErrorCode::ShuttingDown | ErrorCode::ProverFailed => {
                    ServerError { retry_after_ms: error.retry_after_ms.max(1_000), ..error }
                }
                // Limits of the server, which asking again does not change.
                ErrorCode::Unsupported | ErrorCode::TooLarge => error,
                // The statement was checked here: that somebody else finds fault with it is not the client's.
                _ => failed(format!("the prover behind this server refuses: {error}"), 10_000),
            },
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(reason) => write!(f, "unreachable: {reason}"),
            Self::Broken(reason) => write!(f, "broken: {reason}"),
            Self::Refused(error) => write!(f, "refused: {error}"),
            Self::Lied(reason) => write!(f, "answered falsely: {reason}"),
            Self::Own(error) => write!(f, "not verified: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a server may say about a request, in the greeting or later, is nothing to take it out for.
    #[test]
    fn what_a_request_brings_about_is_not_the_servers_fault() {
        for code in [
            ErrorCode::Version,
            ErrorCode::Malformed,
            ErrorCode::TooLarge,
            ErrorCode::Unsupported,
            ErrorCode::InvalidStatement,
            ErrorCode::InvalidProof,
            ErrorCode::Busy,
            ErrorCode::DeadlineExceeded,
            ErrorCode::Cancelled,
            ErrorCode::DuplicateRequest,
            ErrorCode::Unauthorized,
        ] {
            let refused = Failure::Refused(ServerError::new(code, "no"));
            assert_eq!(refused.fault(), Fault::Nobodys, "{code:?}");
        }
        for code in [ErrorCode::ProverFailed, ErrorCode::Internal] {
            let refused = Failure::Refused(ServerError::retryable(code, "no", 1));
            assert_eq!(refused.fault(), Fault::Suspected, "{code:?}: only if another one does it");
        }
        // A worker that was killed over memory or time, say: requests that only a larger server can do.
        let hopeless = Failure::Refused(ServerError::new(ErrorCode::ProverFailed, "no"));
        assert_eq!(hopeless.fault(), Fault::Nobodys);
        assert_eq!(hopeless.answer().retry_after_ms, 0, "asking again changes nothing");
        assert_eq!(Failure::Broken("it closed".into()).fault(), Fault::Suspected);
        let leaving = Failure::Refused(ServerError::new(ErrorCode::ShuttingDown, "no"));
        assert_eq!(leaving.fault(), Fault::Servers, "no request ends a server");
    }

    /// In the log.
    #[test]
    fn each_failure_is_told_apart() {
        let error = || ServerError::new(ErrorCode::Busy, "why");
        for (failure, said) in [
            (Failure::Unreachable("why".into()), "unreachable: why".to_owned()),
            (Failure::Broken("why".into()), "broken: why".to_owned()),
            (Failure::Refused(error()), format!("refused: {}", error())),
            (Failure::Lied("why".into()), "answered falsely: why".to_owned()),
            (Failure::Own(error()), format!("not verified: {}", error())),
        ] {
            assert_eq!(failure.to_string(), said);
        }
    }

    /// What may pass is asked again after a second at the soonest; what lasts is not asked again.
    #[test]
    fn what_may_pass_is_not_asked_again_at_once() {
        let answer = |error| Failure::Refused(error).answer();
        for code in [ErrorCode::Busy, ErrorCode::ShuttingDown, ErrorCode::ProverFailed] {
            assert_eq!(answer(ServerError::retryable(code, "no", 5)).retry_after_ms, 1_000, "{code:?}");
            assert_eq!(answer(ServerError::retryable(code, "no", 5_000)).retry_after_ms, 5_000, "{code:?}");
        }
        for code in [ErrorCode::ProverFailed, ErrorCode::Unsupported, ErrorCode::TooLarge] {
            assert_eq!(answer(ServerError::new(code, "no")).retry_after_ms, 0, "{code:?}");
        }
    }
}
