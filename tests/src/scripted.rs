//! A worker that proves nothing and takes the time that it is told: what a server does around its workers shows without
//! them. It answers each job as a real one would, with the public values that the statement has; its proofs are taken
//! for true by itself alone.

use std::{
    io::{self, Read, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

use proof_server::worker::{ProveJob, Proved, WorkerEvent, WorkerRequest};
use sextant_artifacts::{BUNDLE, CHAIN, CIRCUIT_VERSION, COMMITTEE_CHANGE, INCLUSION};
use sextant_consensus::{
    Program,
    bls::{AggregateVerifier, BlsError},
    check_statement,
};
use sextant_protocol::{
    ErrorCode, Progress, ProofKind, ProofRecord, ServerError,
    proof::{Circuits, ProofView},
    wire,
};

use crate::server::binary;

/// What a proof of it begins with; its statement's public values follow.
const MARK: &[u8] = b"made by a script";

/// How it behaves.
#[derive(Clone, Copy, Debug)]
pub struct Script {
    /// Time that a proof takes.
    pub prove: Duration,
    /// Time that verifying takes.
    pub verify: Duration,
    /// Bytes of a proof.
    pub bytes: usize,
}

impl Script {
    /// A program in `folder` for the setting `worker-program`.
    ///
    /// # Panics
    /// If nothing can be written there.
    pub fn install(self, folder: &Path) -> PathBuf {
        let path = folder.join("worker");
        let program = binary("scripted-worker");
        let (prove, verify) = (self.prove.as_millis(), self.verify.as_millis());
        let text = format!("#!/bin/sh\nexec {} {prove} {verify} {}\n", program.display(), self.bytes);
        std::fs::write(&path, text).expect("a script");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("a program");
        path
    }

    /// As [`Self::install`] has passed it on.
    pub fn from_arguments(arguments: impl Iterator<Item = String>) -> Option<Self> {
        let numbers: Option<Vec<u64>> = arguments.map(|number| number.parse().ok()).collect();
        let [prove, verify, bytes] = numbers?[..] else { return None };
        let [prove, verify] = [prove, verify].map(Duration::from_millis);
        Some(Self { prove, verify, bytes: usize::try_from(bytes).ok()? })
    }

    /// Works until its server is gone.
    ///
    /// # Errors
    /// If the pipes break, or something else than a server is at the other end.
    pub fn run(self) -> io::Result<()> {
        let (sender, jobs) = mpsc::channel();
        // At the end of its server it ends, whatever it is at.
        std::thread::spawn(move || {
            let mut pipe = io::stdin().lock();
            while let Ok(Some(request)) = hear(&mut pipe) {
                let _ = sender.send(request);
            }
            std::process::exit(0)
        });
        let mut events = io::stdout().lock();
        say(&mut events, &WorkerEvent::Ready)?;
        for request in jobs {
            let event = match request {
                WorkerRequest::Prove(job) => {
                    say(&mut events, &WorkerEvent::Progress { step: Progress::Executing { cycles: 1 } })?;
                    std::thread::sleep(self.prove);
                    WorkerEvent::Proved(Box::new(self.proved(&job)?))
                }
                WorkerRequest::Verify { record } => {
                    std::thread::sleep(self.verify);
                    judged(&record)
                }
                other => return Err(io::Error::other(format!("{other:?}"))),
            };
            say(&mut events, &event)?;
        }
        Ok(())
    }

    fn proved(self, job: &ProveJob) -> io::Result<Proved> {
        let program = Program::from_tag(job.program).ok_or_else(|| io::Error::other("no such program"))?;
        // The server has checked it, signatures included.
        let statement = check_statement(program, &job.input, &mut Believer).map_err(io::Error::other)?;
        let public_values = statement.abi_encode();
        let mut proof = [MARK, &public_values].concat();
        proof.resize(self.bytes.max(proof.len()), 0);
        let artifact = match program {
            Program::CommitteeChange => COMMITTEE_CHANGE,
            Program::Inclusion => INCLUSION,
            Program::Bundle => BUNDLE,
            Program::Chain => CHAIN,
        };
        let proof = ProofRecord {
            program: job.program,
            kind: job.kind,
            circuits: Circuits::Release,
            circuit_version: CIRCUIT_VERSION.into(),
            vk_hash: artifact.vk_hash,
            public_values,
            proof,
        };
        Ok(Proved { proof, cycles: 1, proving_ms: self.prove.as_millis() as u64, peak_memory: 1 })
    }
}

/// Whether a proof is one that a scripted worker has made.
pub fn is_scripted(proof: &ProofView<'_>) -> bool {
    proof.kind == ProofKind::Stark && proof.proof.starts_with(&[MARK, proof.public_values].concat())
}

fn judged(record: &[u8]) -> WorkerEvent {
    match ProofView::of(record) {
        Ok(proof) if is_scripted(&proof) => WorkerEvent::Verified,
        _ => WorkerEvent::Failed(ServerError::new(ErrorCode::InvalidProof, "no script has made it")),
    }
}

fn say(events: &mut impl Write, event: &WorkerEvent) -> io::Result<()> {
    let body = wire::to_bytes(event);
    events.write_all(&[&(body.len() as u32).to_be_bytes(), &body[..]].concat())?;
    events.flush()
}

fn hear(jobs: &mut impl Read) -> io::Result<Option<WorkerRequest>> {
    let mut length = [0; 4];
    match jobs.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut body = vec![0; u32::from_be_bytes(length) as usize];
    jobs.read_exact(&mut body)?;
    let limit = body.len();
    wire::from_bytes("worker request", body.into(), limit).map(Some).map_err(io::Error::other)
}

/// Takes every signature for good.
struct Believer;

impl AggregateVerifier for Believer {
    fn verify(&mut self, _: &[u8; 48], _: &[[u8; 48]], _: &[u8; 32], _: &[u8; 96]) -> Result<(), BlsError> {
        Ok(())
    }
}
