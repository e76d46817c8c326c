//! A development node, and the contracts of the recorded proofs on it. Node and compiler come from npm, once.

// Each test file uses its own part.
#![allow(dead_code)]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use alloy_sol_types::SolCall;
use sextant_consensus::{Program, hash::keccak256, public_values::Inclusion};
use sextant_protocol::{ProofKind, ProofRecord, proof::Circuits};
use sextant_sources::{ExecutionNodes, SourceConfig};
use sextant_submit::{
    Address, B256, Deployment, Fees, FixedBytes, Key, Patience, Rules, Sender, Trust,
    contract::Verifiers::verifyProofCall,
};

/// Time of mainnet's slot 0, Unix time in seconds.
pub const GENESIS: u64 = 1_606_824_023;
/// Accounts of every development node, with 10,000 ether each.
pub const KEYS: [&str; 2] = [
    "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
    "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
];

/// Of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A proof recorded in `tests/data/recorded-snarks`.
pub fn recorded(name: &str) -> ProofRecord {
    let file = root().join("tests/data/recorded-snarks").join(name);
    ProofRecord::from_file_bytes(&fs::read(file).unwrap()).unwrap()
}

/// Code of the verifier contract for the circuits of the recorded proofs.
pub fn verifier_code() -> Vec<u8> {
    static CODE: OnceLock<Vec<u8>> = OnceLock::new();
    let compile = || {
        run(&mut Command::new(root().join("scripts/contracts.sh")));
        let contracts = root().join("contracts");
        let out = tempfile::tempdir().unwrap();
        run(Command::new(contracts.join("node_modules/.bin/forge"))
            .args(["build", "--out"])
            .arg(out.path())
            .arg("--cache-path")
            .arg(out.path().join("cache"))
            .arg("test/recorded/groth16/SP1VerifierGroth16.sol")
            .current_dir(&contracts));
        let artifact = fs::read(out.path().join("SP1VerifierGroth16.sol/SP1Verifier.json")).unwrap();
        let artifact: serde_json::Value = serde_json::from_slice(&artifact).unwrap();
        let code = artifact["bytecode"]["object"].as_str().unwrap();
        hex::decode(code.strip_prefix("0x").unwrap()).unwrap()
    };
    CODE.get_or_init(compile).clone()
}

/// A node of its own on a free port, which ends with it.
pub struct Anvil {
    child: Child,
    /// Its JSON-RPC.
    pub url: String,
}

impl Anvil {
    /// Starts a chain at this time.
    pub fn start(time: u64, arguments: &[&str]) -> Self {
        run(&mut Command::new(root().join("scripts/contracts.sh")));
        let mut child = Command::new(root().join("contracts/node_modules/.bin/anvil"))
            .args(["--port", "0", "--hardfork", "cancun", "--timestamp", &time.to_string()])
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines
            .by_ref()
            .find_map(|line| line.unwrap().strip_prefix("Listening on ").map(String::from))
            .expect("anvil says where it listens");
        // Whatever it says later must have somewhere to go.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, url: format!("http://{address}") }
    }

    /// Its nodes, as a client has them.
    pub fn nodes(&self) -> ExecutionNodes {
        ExecutionNodes::new(vec![self.url.parse().unwrap()], SourceConfig::default()).unwrap()
    }

    /// Someone who signs, with little patience.
    pub async fn sender(&self, key: usize) -> Sender {
        self.sender_with(key, Fees::default(), patience()).await
    }

    /// Someone who signs.
    pub async fn sender_with(&self, key: usize, fees: Fees, patience: Patience) -> Sender {
        let key = Key::from_hex("test", KEYS[key]).unwrap();
        Sender::new(self.nodes(), key, Some(31337), fees, patience).await.unwrap()
    }

    /// Deploys a contract whose whole code is this, in hex.
    pub async fn code(&self, runtime: &str) -> Address {
        let size = runtime.len() / 2;
        let init = hex::decode(format!("61{size:04x}600e60003961{size:04x}6000f3{runtime}")).unwrap();
        let sender = self.sender(0).await;
        let gas = sender.dry_run(None, &init).await.unwrap();
        sender.send(None, &init, gas, &mut |_| Ok(())).await.unwrap().contract.unwrap()
    }

    /// Deploys the verifier.
    pub async fn verifier(&self) -> Address {
        let (sender, code) = (self.sender(0).await, verifier_code());
        let gas = sender.dry_run(None, &code).await.unwrap();
        sender.send(None, &code, gas, &mut |_| Ok(())).await.unwrap().contract.unwrap()
    }
}

impl Drop for Anvil {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A test does not wait long.
pub fn patience() -> Patience {
    Patience {
        poll: Duration::from_millis(50),
        replace_after: Duration::from_secs(1),
        total: Duration::from_secs(20),
        confirmations: 0,
    }
}

/// A light client that begins shortly before a recorded statement, with the committee that signed it.
pub fn deployment(verifier: Address, record: &ProofRecord) -> Deployment {
    use sextant_consensus::public_values::Statement;
    let program = record.program().unwrap();
    let head = *Statement::abi_decode(program, &record.public_values).unwrap().head().unwrap();
    Deployment {
        trust: Trust {
            verifier,
            selector: FixedBytes::from_slice(&record.proof[..4]),
            committee_change_key: sextant_artifacts::COMMITTEE_CHANGE.vk_hash.into(),
            inclusion_key: sextant_artifacts::INCLUSION.vk_hash.into(),
            bundle_key: Some(sextant_artifacts::BUNDLE.vk_hash.into()),
            chain_digest: head.chain_digest.into(),
            next_fork: None,
        },
        rules: Rules {
            genesis_time: GENESIS,
            seconds_per_slot: 12,
            max_age: 100 * 24 * 60 * 60,
            min_participation: 342,
        },
        slot: head.finalized_slot - u64::from(matches!(program, Program::CommitteeChange)) * 9000 - 64,
        root: B256::repeat_byte(1),
        period: head.signer_period,
        committee_root: head.signer_committee_root.into(),
        guardian: Address::ZERO,
        delay: 0,
    }
}

/// A statement of the contracts' tests, and a record of it with a proof that is none: for [`accepts_only`].
pub fn catch_up() -> (ProofRecord, Inclusion) {
    const NAME: &str = "mainnet-block-handover-slot-log-and-no-log-60-blocks-back";
    let file = fs::read(root().join("contracts/test/fixtures/statements.json")).unwrap();
    let recorded: serde_json::Value = serde_json::from_slice(&file).unwrap();
    let mut statements = recorded["statements"].as_array().unwrap().iter();
    let values = statements.find(|statement| statement["name"] == NAME).expect(NAME)["publicValues"].as_str();
    let public_values = hex::decode(values.unwrap().strip_prefix("0x").unwrap()).unwrap();
    let statement = Inclusion::abi_decode(&public_values).unwrap();
    let record = ProofRecord {
        program: Program::Inclusion.tag(),
        kind: ProofKind::Groth16,
        circuits: Circuits::Release,
        circuit_version: String::new(),
        vk_hash: sextant_artifacts::INCLUSION.vk_hash,
        public_values,
        proof: vec![1; 4],
    };
    (record, statement)
}

/// Deploys a double of a verifier, which checks no proof: it accepts these records, byte for byte as a light client asks
/// about them, and reverts whatever else it is asked.
pub async fn accepts_only(anvil: &Anvil, records: &[&ProofRecord]) -> Address {
    // The call's data to memory, and their hash on the stack.
    let mut runtime = String::from("365f5f37365f20");
    for record in records {
        let call = verifyProofCall {
            programVKey: record.vk_hash.into(),
            publicValues: record.public_values.clone().into(),
            proofBytes: record.proof.clone().into(),
        };
        // DUP1, PUSH32, EQ, ISZERO, PUSH2, JUMPI, STOP, and the JUMPDEST where it goes on unless they are equal.
        let hash = hex::encode(keccak256(&call.abi_encode()));
        let next = runtime.len() / 2 + 41;
        runtime += &format!("807f{hash}141561{next:04x}57005b");
    }
    anvil.code(&(runtime + "5f5ffd")).await
}
