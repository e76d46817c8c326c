//! Workers that are shell scripts. They speak the worker's protocol by printing frames that a test has written to
//! files, so that a test decides what a worker does, and when.

use std::{os::unix::fs::PermissionsExt, path::PathBuf};

use proof_server::worker::{MadePart, Planned, Proved, WorkerEvent};
use sextant_artifacts::{BUNDLE, CHAIN, CIRCUIT_VERSION, COMMITTEE_CHANGE, INCLUSION};
use sextant_consensus::{
    Program,
    bls::Plain,
    bundle::{self, Input},
    check_statement,
    codec::Blob,
    committee_chain,
};
use sextant_protocol::{
    BundleRequest, ErrorCode, Progress, ProofKind, ProofRecord, Request, ServerError,
    proof::{Circuits, ProofView},
    wire,
};
use tempfile::TempDir;

/// A worker's script and the files it leaves.
pub struct Script {
    folder: TempDir,
}

impl Script {
    /// A worker that runs `script`, in which `$D` is its folder. Its process id is in the file `pids`.
    pub fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("worker.sh");
        let text = format!("#!/bin/sh\nD={}\necho $$ >> $D/pids\n{script}\n", folder.path().display());
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    /// A worker that gets ready and does `job` for each request; `$D/executing`, `$D/proved` and `$D/verified` are
    /// events to print. `proved` is what a worker says that has proven `request`; the proof in it is none.
    pub fn for_jobs(request: &Request, job: &str) -> Self {
        let script = Self::new(&format!(
            "cat $D/ready\n\
             while true; do\n\
               n=$(head -c 4 | od -An -tu4 --endian=big)\n\
               [ -z \"$n\" ] && exit 0\n\
               kind=$(head -c 2 | od -An -tu2 --endian=little | tr -d ' ')\n\
               head -c $((n - 2)) > $D/request\n\
               echo job >> $D/jobs\n\
               {job}\n\
             done"
        ));
        for (name, event) in [
            ("ready", WorkerEvent::Ready),
            ("executing", WorkerEvent::Progress { step: Progress::Executing { cycles: 7 } }),
            ("proved", WorkerEvent::Proved(Box::new(proved(request)))),
            ("verified", WorkerEvent::Verified),
        ] {
            script.write(name, &event);
        }
        script
    }

    /// Workers for every stage of `request`'s statement. In the worker of mode `$3` a job is noted in the file `stages`;
    /// then it does `job`, and prints what such a worker makes, `$D/made-$3`. Asked for a plan, a part or a fold it notes, and
    /// prints, that; `$S` is what it noted.
    pub fn for_stages(request: &Request, job: &str) -> Self {
        let script = Self::for_jobs(
            request,
            &format!(
                "case $kind in\n\
                   3) S=$3-plan;;\n\
                   4) S=$3-shard;;\n\
                   5) S=$3-fold;;\n\
                   *) S=$3;;\n\
                 esac\n\
                 echo $S >> $D/stages\n\
                 {job}\n\
                 case $S in\n\
                   *-plan) cat $D/planned;;\n\
                   *-shard) cat $D/shard;;\n\
                   compressed-fold) grep -q a-fold $D/request && cat $D/made-$3 || cat $D/fold;;\n\
                   *) cat $D/made-$3;;\n\
                 esac"
            ),
        );
        let parts = ["p-KECCAK_PERMUTE-1", "c-1", "c-2", "m-1"].map(String::from).into();
        script.write("planned", &WorkerEvent::Planned(Planned { plan: "a plan".into(), parts }));
        for part in ["shard", "fold"] {
            let made = MadePart { part: format!("a-{part}").into(), proving_ms: 1000, peak_memory: 1 };
            script.write(part, &WorkerEvent::Part(made.into()));
        }
        for (mode, kind) in [
            ("stark", ProofKind::Stark),
            ("compressed", ProofKind::Compressed),
            ("wrap", ProofKind::Compressed),
            ("groth16", ProofKind::Groth16),
        ] {
            let mut made = proved(request);
            (made.proof.kind, made.proof.proof) = (kind, mode.as_bytes().repeat(100));
            script.write(&format!("made-{mode}"), &WorkerEvent::Proved(Box::new(made)));
        }
        script.write("made-verify", &WorkerEvent::Verified);
        let refused = ServerError::new(ErrorCode::InvalidProof, "not a valid proof");
        script.write("refused", &WorkerEvent::Failed(refused));
        let large = ServerError::new(ErrorCode::TooLarge, "it takes more memory than there is");
        script.write("too-large", &WorkerEvent::Failed(large));
        script
    }

    /// As [`Self::for_stages`], where the worker that compresses tells programs apart, `$P` being the tag of the one asked for:
    /// `statements` have one each, and `bundle` has another. What the stages note of that one is `compressed-$P`.
    pub fn by_program(bundle: &Request, statements: &[Request], job: &str) -> Self {
        // The tag stands behind that of the request, and behind tag and length of its field.
        let script = Self::for_stages(
            bundle,
            &format!(
                "if [ $S = compressed ]; then\n\
                   P=$(head -c 7 $D/request | tail -c 1 | od -An -tu1 | tr -d ' ')\n\
                   echo compressed-$P >> $D/programs\n\
                   {job}\n\
                   cat $D/made-compressed-$P\n\
                   continue\n\
                 fi"
            ),
        );
        statements.iter().fold(script.making(bundle), Self::making)
    }

    /// Writes the compressed proof of a request to `made-compressed-TAG`, by the tag of its program.
    pub fn making(self, request: &Request) -> Self {
        let mut made = proved(request);
        (made.proof.kind, made.proof.proof) = (ProofKind::Compressed, b"compressed".repeat(100));
        let name = format!("made-compressed-{}", made.proof.program);
        self.write(&name, &WorkerEvent::Proved(Box::new(made)));
        self
    }

    /// The stages that workers have begun so far; verification is left out, which has a lane of its own.
    pub fn stages(&self) -> Vec<String> {
        self.lines("stages").into_iter().filter(|mode| mode != "verify").collect()
    }

    /// Has the proof in `$D/proved` be of so many bytes.
    pub fn proving(self, request: &Request, bytes: usize) -> Self {
        let mut proved = proved(request);
        proved.proof.proof = vec![0; bytes];
        self.write("proved", &WorkerEvent::Proved(Box::new(proved)));
        self
    }

    /// What [`Self::touch`] has done is undone.
    pub fn clear(&self, name: &str) {
        std::fs::remove_file(self.folder.path().join(name)).unwrap();
    }

    fn write(&self, name: &str, event: &WorkerEvent) {
        let body = wire::to_bytes(event);
        let frame = [&(body.len() as u32).to_be_bytes(), &body[..]].concat();
        std::fs::write(self.folder.path().join(name), frame).unwrap();
    }

    pub fn path(&self) -> PathBuf {
        self.folder.path().join("worker.sh")
    }

    /// Lets a job go on that waits for the file `name` (`while [ ! -e $D/NAME ]; do sleep 0.02; done`).
    pub fn touch(&self, name: &str) {
        std::fs::write(self.folder.path().join(name), "").unwrap();
    }

    /// Jobs begun so far.
    pub fn jobs(&self) -> usize {
        self.lines("jobs").len()
    }

    /// Processes started so far.
    pub fn pids(&self) -> Vec<i32> {
        self.lines("pids").iter().map(|pid| pid.parse().unwrap()).collect()
    }

    /// Lines of a file that the script has written.
    pub fn lines(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }
}

/// Whether a process is there and no zombie.
pub fn is_alive(pid: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

fn proved(request: &Request) -> Proved {
    let (program, kind, public_values) = match request {
        Request::Prove(request) => {
            let program = request.input.program().unwrap();
            let statement = check_statement(program, &request.input.bytes, &mut Plain).unwrap();
            (program, request.kind, statement.abi_encode())
        }
        Request::Bundle(request) => {
            let records = BundleRequest::split_records(&request.records.clone().into()).unwrap();
            let proofs = records.iter().map(|record| ProofView::of(record).unwrap());
            let said = proofs.map(|proof| (proof.program().unwrap(), proof.public_values.to_vec()));
            let program = Program::from_tag(request.program).unwrap();
            let public_values = if program == Program::Chain {
                let input = committee_chain::Input::of(CHAIN.vk_hash, said).unwrap();
                committee_chain::check(&input).unwrap().abi_encode()
            } else {
                let input = Input { statements: said.map(|(_, values)| Blob(values)).collect() };
                bundle::check(&input).unwrap().abi_encode()
            };
            (program, request.kind, public_values)
        }
        other => panic!("no request for a proof: {other:?}"),
    };
    let vk_hash = match program {
        Program::Bundle => BUNDLE.vk_hash,
        Program::Chain => CHAIN.vk_hash,
        Program::Inclusion => INCLUSION.vk_hash,
        Program::CommitteeChange => COMMITTEE_CHANGE.vk_hash,
    };
    let proof = ProofRecord {
        program: program.tag(),
        kind,
        circuits: Circuits::Release,
        circuit_version: CIRCUIT_VERSION.into(),
        vk_hash,
        public_values,
        proof: vec![0; 100_000],
    };
    Proved { proof, cycles: 7, proving_ms: 100, peak_memory: 1 }
}
