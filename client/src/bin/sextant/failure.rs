//! How a command fails: a code that programs act on, an exit status, and one line for people.

use std::{fmt::Display, io, num::TryFromIntError, process::ExitCode, time::Duration};

use serde_json::{Value, json};
use sextant_client::{
    BundlingError, CheckError, ClientError, ServerError, TransportError, WrapError,
    follow::{FollowError, StateError},
    input::{InputError, QuestionError},
    security::SecurityError,
    sources::{LightClientError, PoolError, SourceError, prepare::PrepareError},
    verify::{ExpectationError, VerifyError},
};
use sextant_execution::statement::ExecutionError;
use sextant_protocol::ErrorCode;
use sextant_submit::{KeyError, PreflightError, SubmitError};

/// The kinds of failure. Names and numbers are part of the command's interface: see `docs/cli.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Something on this machine: a file, a folder, a fault of this program.
    Failed,
    /// Arguments that cannot be meant.
    Usage,
    /// The server does not do what was asked, or failed at it.
    Refused,
    /// No server, or a broken connection.
    Unreachable,
    /// What nodes or files say makes no true statement.
    InvalidStatement,
    /// A proof that is none, or of something else.
    InvalidProof,
    /// No node gave a usable answer.
    Node,
    /// The contract or its chain.
    Contract,
    /// The server has no place for it now.
    Busy,
    /// Not within the time given.
    Deadline,
    /// Interrupted.
    Cancelled,
}

impl Code {
    /// All of them, as documented.
    pub const ALL: [Self; 11] = [
        Self::Failed,
        Self::Usage,
        Self::Refused,
        Self::Unreachable,
        Self::InvalidStatement,
        Self::InvalidProof,
        Self::Node,
        Self::Contract,
        Self::Busy,
        Self::Deadline,
        Self::Cancelled,
    ];

    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::Refused => "refused",
            Self::Unreachable => "unreachable",
            Self::InvalidStatement => "invalid_statement",
            Self::InvalidProof => "invalid_proof",
            Self::Node => "node",
            Self::Contract => "contract",
            Self::Busy => "busy",
            Self::Deadline => "deadline",
            Self::Cancelled => "cancelled",
        }
    }

    /// The exit status. 130 is what shells say of a process that Ctrl-C ended.
    pub fn status(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Refused => 3,
            Self::Unreachable => 4,
            Self::InvalidStatement => 5,
            Self::InvalidProof => 6,
            Self::Node => 7,
            Self::Contract => 8,
            Self::Busy => 9,
            Self::Deadline => 10,
            Self::Cancelled => 130,
        }
    }
}

/// What ends a command before its time.
#[derive(Debug)]
pub struct Failure {
    code: Code,
    message: String,
    retry_after: Option<Duration>,
    passing: bool,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), retry_after: None, passing: false }
    }

    /// What the arguments are missing.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message)
    }

    /// This, as a part of something that has a name.
    #[must_use]
    pub fn of(self, what: impl Display) -> Self {
        Self { message: format!("{what}: {}", self.message), ..self }
    }

    /// The kind.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The line for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Whether time may heal it.
    pub fn is_passing(&self) -> bool {
        self.passing
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        let mut error = json!({
            "code": self.code.name(),
            "exit_status": self.code.status(),
            "message": self.message,
        });
        if let Some(after) = self.retry_after {
            error["retry_after_seconds"] = after.as_secs_f64().into();
        }
        json!({ "error": error })
    }
}

impl From<&Failure> for ExitCode {
    fn from(failure: &Failure) -> Self {
        failure.code.status().into()
    }
}

/// An error whose kind is known.
trait Kind: Display {
    fn code(&self) -> Code;

    fn retry_after(&self) -> Option<Duration> {
        None
    }

    fn is_passing(&self) -> bool {
        false
    }
}

impl<E: Kind> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            code: error.code(),
            message: error.to_string(),
            retry_after: error.retry_after(),
            passing: error.is_passing(),
        }
    }
}

/// Errors that are always of one kind.
macro_rules! kinds {
    ($($error:ty => $code:ident,)*) => {
        $(impl Kind for $error {
            fn code(&self) -> Code {
                Code::$code
            }
        })*
    };
}

kinds! {
    String => Failed,
    &str => Failed,
    io::Error => Failed,
    serde_json::Error => Failed,
    KeyError => Failed,
    StateError => Failed,
    SecurityError => Usage,
    PoolError => Usage,
    TryFromIntError => Usage,
    PreflightError => Contract,
    CheckError => InvalidStatement,
    ExecutionError => InvalidStatement,
    InputError => InvalidStatement,
    VerifyError => InvalidProof,
    WrapError => InvalidProof,
    BundlingError => InvalidProof,
    ExpectationError => InvalidProof,
    LightClientError => Node,
}

impl Kind for SourceError {
    fn code(&self) -> Code {
        Code::Node
    }

    fn is_passing(&self) -> bool {
        Self::is_passing(self)
    }
}

impl Kind for ClientError {
    fn code(&self) -> Code {
        match self {
            Self::Transport(TransportError::Refused(refusal)) | Self::Server(refusal) => refused(refusal),
            Self::Transport(TransportError::Connect { source, .. }) if is_about_security(source) => {
                Code::Usage
            }
            Self::Transport(TransportError::Version { .. }) | Self::NotOffered(_) => Code::Refused,
            Self::Transport(_) => Code::Unreachable,
            Self::Deadline(elapsed) if elapsed.what == "proof" => Code::Deadline,
            Self::Deadline(_) => Code::Unreachable,
            Self::Answer(_) | Self::Wrap(_) => Code::InvalidProof,
            Self::Cancelled { .. } => Code::Cancelled,
            Self::Check(_) => Code::InvalidStatement,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Transport(TransportError::Refused(refusal)) | Self::Server(refusal) => {
                Some(Duration::from_millis(refusal.retry_after_ms)).filter(|after| !after.is_zero())
            }
            _ => None,
        }
    }
}

fn refused(refusal: &ServerError) -> Code {
    match refusal.code {
        ErrorCode::Busy | ErrorCode::ShuttingDown => Code::Busy,
        ErrorCode::DeadlineExceeded => Code::Deadline,
        ErrorCode::InvalidStatement => Code::InvalidStatement,
        ErrorCode::InvalidProof => Code::InvalidProof,
        _ => Code::Refused,
    }
}

/// A connection that was not made because the options do not protect it.
fn is_about_security(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|error| error.is::<SecurityError>())
}

impl Kind for PrepareError {
    fn code(&self) -> Code {
        match self {
            Self::Source(_)
            | Self::LightClient(_)
            | Self::NotYet(_)
            | Self::NotFinal { .. }
            | Self::UnknownTransaction(_) => Code::Node,
            Self::Range { .. }
            | Self::BeforeCheckpoint { .. }
            | Self::TooFar { .. }
            | Self::NotAncestor { .. }
            | Self::TwoBlocks { .. } => Code::Usage,
            Self::Question(error) => error.code(),
            _ => Code::InvalidStatement,
        }
    }
}

impl Kind for QuestionError {
    fn code(&self) -> Code {
        match self {
            Self::NotInBlock { .. }
            | Self::NoLog { .. }
            | Self::NeedsReceipts { .. }
            | Self::Input(InputError::Missing { .. }) => Code::Usage,
            _ => Code::InvalidStatement,
        }
    }
}

impl Kind for SubmitError {
    fn code(&self) -> Code {
        match self {
            Self::Nodes(_) | Self::Answer { .. } => Code::Node,
            Self::Kind(_) => Code::Usage,
            Self::Place(_) => Code::InvalidProof,
            Self::Signer(_) | Self::Journal(_) => Code::Failed,
            _ => Code::Contract,
        }
    }

    fn is_passing(&self) -> bool {
        Self::is_passing(self)
    }
}

impl Kind for FollowError {
    fn code(&self) -> Code {
        match self {
            Self::Source(_) | Self::LightClient(_) => Code::Node,
            Self::Prepare(error) => error.code(),
            Self::Statement(_) => Code::InvalidStatement,
            Self::OtherStatement => Code::InvalidProof,
            Self::Prover(_) => Code::Refused,
            Self::Submit(error) => error.code(),
            Self::NoCheckpoint => Code::Usage,
            _ => Code::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc};

    use super::*;

    #[test]
    fn names_and_statuses_are_documented_and_distinct() {
        let page = include_str!("../../../../docs/cli.md");
        for code in Code::ALL {
            let row = format!("| {} | `{}` |", code.status(), code.name());
            assert!(page.contains(&row), "docs/cli.md has no row that begins with {row}");
        }
        let statuses: BTreeSet<_> = Code::ALL.map(Code::status).into();
        assert_eq!(statuses.len(), Code::ALL.len());
    }

    #[test]
    fn what_the_server_says_decides() {
        let busy = ServerError::retryable(ErrorCode::Busy, "full", 60_000);
        let failure = Failure::from(ClientError::from(busy.clone()));
        assert_eq!(failure.code, Code::Busy);
        assert_eq!(failure.to_json()["error"]["retry_after_seconds"], 60.0);
        let door = Failure::from(ClientError::from(TransportError::Refused(busy)));
        assert_eq!(door.code, Code::Busy, "said at the door or later is the same");
        let unsupported = ServerError::new(ErrorCode::Unsupported, "no");
        assert_eq!(Failure::from(ClientError::from(unsupported)).code, Code::Refused);
    }

    #[test]
    fn a_token_in_the_clear_is_a_mistake_in_the_arguments() {
        let bare = io::Error::new(io::ErrorKind::PermissionDenied, SecurityError::PlainToken);
        let error = TransportError::Connect { server: "a:1".into(), source: Arc::new(bare) };
        assert_eq!(Failure::from(ClientError::from(error)).code, Code::Usage);
    }
}
