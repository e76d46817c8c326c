//! The proof server: checks statements, queues them, proves them in worker processes, and answers over TCP.
//!
//! A request flows one way: `listener` accepts, `connection` reads frames and starts requests, `services` picks the
//! `sub_server` of the program, which has what was brought checked (`evidence`): a statement natively (`checks`, `witness`), a
//! proof that is to be wrapped by `verification`. It looks for the proof that is wanted among the `jobs` that run and the proofs that are kept. If there is none it has it made: `local`, by way of the `queue`
//! and a `lane` of [`worker`] that takes it to a worker process, where `sextant-engine` proves it; by another server
//! (`forward`), or by the provers of a `fleet`, which take it stage by stage. Progress and the proof come back the same way. `verification` has a lane of its own. Statements that share the proof of a bundle meet in a `window`. Over HTTP (`http`) the same requests
//! come by another door: from `services` on, nothing knows the difference.
//!
//! Around it: `door`, `access`, `budget` and `tls` know who asks, `memory` what their requests take, `turns` and `queue` who is next; `metrics` and `readiness` are told by every part how it
//! goes, `operations` tells the operator, and `traces` a collector what each request has passed; [`config`] holds every knob.
//! [`run`] is the whole server; the binary only reads its arguments and calls it.

mod access;
mod account;
mod audience;
mod blocking;
mod budget;
mod cache;
pub mod causes;
mod checked;
mod checks;
pub mod circuits;
pub mod config;
mod connection;
mod control;
#[cfg(feature = "snark")]
pub mod dev_circuits;
mod door;
mod errors;
mod evidence;
mod fleet;
mod forward;
pub mod health;
mod history;
mod http;
mod jobs;
mod kinds;
mod listener;
mod local;
pub mod logging;
mod machine;
mod made;
mod memory;
mod metrics;
mod networks;
mod operations;
mod origins;
mod outbox;
mod pace;
mod places;
mod process;
mod programs;
mod proxy;
mod queue;
mod readiness;
mod reload;
mod scratch;
mod services;
mod start;
mod sub_server;
mod submissions;
mod supervisor;
mod system;
mod time;
mod tls;
mod toml_file;
mod traces;
mod turns;
mod verification;
mod visitor;
mod window;
mod witness;
pub mod worker;

pub use access::{Budget, TokenFileError, check_name};
pub use circuits::{CircuitsConfig, CircuitsError};
pub use config::{CacheConfig, Config, FleetConfig, LogFormat, Role, Settings, TracesConfig, UpstreamConfig};
pub use control::Control;
pub use door::DoorError;
pub use fleet::{
    Fleet,
    operate::{FleetArgs, OperateError, run as operate},
};
pub use forward::ForwardError;
pub use http::PageError;
pub use kinds::Kinds;
pub use networks::Networks;
pub use origins::Origins;
pub use proxy::{Network, NotANetwork};
pub use start::{Listeners, StartError, check, run, run_in};
pub use system::allow_large_pages;
pub use tls::{NamedFile, TlsError, TlsFiles};
pub use toml_file::TomlFileError;
pub use traces::TracesError;
