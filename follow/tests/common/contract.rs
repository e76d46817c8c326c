//! Contracts that are none: one in a folder, which outlives those who submit to it, and one that fails.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::Mutex,
};

use sextant_consensus::{Program, public_values::Statement};
use sextant_follow::{Asked, Submission, Submit};
use sextant_protocol::ProofRecord;
use sextant_submit::{
    Address, B256, FixedBytes, Knowledge, Mined, OnSent, Outcome, Refusal, Rules, Sent, SubmitError, Trust,
    learned,
};

use super::{GENESIS, World};

/// A contract in a folder, which outlives a process: one file for each transaction that was mined, named by its hash, and
/// one list of all that were signed. It knows what the mined ones say, and the committee that it was begun with.
#[derive(Clone, Debug)]
pub struct FolderContract(PathBuf);

impl FolderContract {
    /// A contract that begins with the committee of a world's first period.
    pub fn begin(folder: &Path, world: &World) -> Self {
        Self::begin_with(folder, world.chain.statement_digest(), (0, world.chain.committee_root(0)))
    }

    /// A contract about the chain with this digest that begins with the committee of a period.
    pub fn begin_with(folder: &Path, digest: [u8; 32], (period, root): (u64, [u8; 32])) -> Self {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("digest"), hex::encode(digest)).unwrap();
        fs::write(folder.join("period"), period.to_string()).unwrap();
        fs::write(folder.join("committee"), hex::encode(root)).unwrap();
        Self(folder.into())
    }

    /// Sets its clock, which stands at the beginning of slot 0 otherwise.
    pub fn set_time(&self, time: u64) {
        fs::write(self.0.join("time"), time.to_string()).unwrap();
    }

    fn time(&self) -> u64 {
        fs::read_to_string(self.0.join("time")).map_or(GENESIS, |time| time.parse().unwrap())
    }

    /// From now on it takes no bundles.
    pub fn take_no_bundles(&self) {
        fs::write(self.0.join("no-bundles"), []).unwrap();
    }

    /// Whoever submits does so in order: each statement is signed by a committee that is known, or that one before it teaches.
    fn assert_signed(&self, records: &[ProofRecord]) {
        let mut taught = Vec::new();
        for record in records {
            let statement = Statement::abi_decode(record.program().unwrap(), &record.public_values).unwrap();
            let period = statement.head().unwrap().signer_period;
            assert!(taught.contains(&period) || self.knows(period).is_some(), "signed in period {period}");
            taught.extend(learned(&statement).iter().map(|learned| learned.period));
        }
    }

    /// Signs a transaction with these data, of these public values, and mines it.
    fn sign(&self, public_values: &[u8], raw: Vec<u8>, on_sent: OnSent<'_>) -> Result<Outcome, SubmitError> {
        let mut list = fs::File::options().append(true).create(true).open(self.0.join("signed")).unwrap();
        writeln!(list, "0x{}", hex::encode(public_values)).unwrap();
        let hash = B256::new(std::array::from_fn(|_| fastrand::u8(..)));
        let sent = Sent { hash, nonce: 0, raw: raw.into() };
        on_sent(&sent).map_err(SubmitError::Journal)?;
        Ok(self.mine(&sent))
    }

    /// Takes one mined transaction back, with nothing else.
    pub fn forget(&self, public_values: &str) {
        let digits = public_values.trim_start_matches("0x");
        let (name, _) = self.files().into_iter().find(|(_, mined)| hex::encode(mined) == digits).unwrap();
        fs::remove_file(self.0.join(name)).unwrap();
    }

    /// Whether these public values were mined.
    pub fn has(&self, public_values: &str) -> bool {
        let digits = public_values.trim_start_matches("0x");
        self.files().iter().any(|(_, mined)| hex::encode(mined) == digits)
    }

    /// One that was begun.
    pub fn open(folder: &Path) -> Self {
        Self(folder.into())
    }

    /// The public values in each signed transaction, in hex.
    pub fn signed(&self) -> Vec<String> {
        let list = fs::read_to_string(self.0.join("signed")).unwrap_or_default();
        list.lines().map(String::from).collect()
    }

    /// How many transactions were mined.
    pub fn mined(&self) -> usize {
        self.statements().len()
    }

    /// A block is reorganised away, with every transaction that was ever mined.
    pub fn reorganise(&self) {
        for (name, _) in self.files() {
            fs::remove_file(self.0.join(name)).unwrap();
        }
    }

    /// Mined transactions by hash.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let names =
            fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mined = names.filter(|name| name.starts_with("0x"));
        mined.map(|name| (name.clone(), fs::read(self.0.join(name)).unwrap())).collect()
    }

    fn statements(&self) -> Vec<Statement> {
        let decode = |(_, values): (String, Vec<u8>)| {
            let programs = [Program::CommitteeChange, Program::Inclusion];
            programs.into_iter().find_map(|program| Statement::abi_decode(program, &values).ok()).unwrap()
        };
        self.files().into_iter().map(decode).collect()
    }

    fn root(&self, name: &str) -> [u8; 32] {
        hex::decode(fs::read_to_string(self.0.join(name)).unwrap()).unwrap().try_into().unwrap()
    }

    pub fn knows(&self, period: u64) -> Option<[u8; 32]> {
        if fs::read_to_string(self.0.join("period")).unwrap() == period.to_string() {
            return Some(self.root("committee"));
        }
        self.statements().iter().find_map(|statement| {
            let learned = learned(statement).iter().find(|learned| learned.period == period);
            learned.map(|learned| learned.committee_root)
        })
    }

    /// The data of a transaction are the public values that it submits, of a bundle those of each statement in a line.
    fn mine(&self, sent: &Sent) -> Outcome {
        match sent.raw.strip_prefix(BUNDLE) {
            None => fs::write(self.0.join(sent.hash.to_string()), &sent.raw).unwrap(),
            Some(lines) => {
                for (index, line) in std::str::from_utf8(lines).unwrap().lines().enumerate() {
                    let values = hex::decode(line).unwrap();
                    if !self.files().iter().any(|(_, mined)| *mined == values) {
                        fs::write(self.0.join(format!("{}-{index}", sent.hash)), values).unwrap();
                    }
                }
            }
        }
        Outcome::Accepted(Mined {
            hash: sent.hash,
            block: 1,
            gas_used: 21_000,
            gas_price: Some(1),
            contract: None,
        })
    }
}

impl Submit for FolderContract {
    fn target(&self) -> String {
        "a folder".into()
    }

    fn knowledge(&self, first_period: u64, count: u64) -> Asked<'_, Knowledge> {
        Box::pin(async move {
            let slots =
                self.statements().into_iter().map(|statement| statement.head().unwrap().finalized_slot);
            let periods = first_period..first_period + count;
            let known = periods.filter_map(|period| Some((period, B256::from(self.knows(period)?))));
            Ok(Knowledge {
                trust: Trust {
                    verifier: Address::ZERO,
                    selector: FixedBytes::ZERO,
                    committee_change_key: B256::ZERO,
                    inclusion_key: B256::ZERO,
                    bundle_key: (!self.0.join("no-bundles").exists()).then_some(B256::ZERO),
                    chain_digest: self.root("digest").into(),
                    next_fork: None,
                },
                rules: Rules {
                    genesis_time: GENESIS,
                    seconds_per_slot: 1,
                    max_age: 1_000_000,
                    min_participation: 22,
                },
                guardian: None,
                delay: 0,
                time: self.time(),
                head_slot: slots.max().unwrap_or_default(),
                committees: known.collect(),
            })
        })
    }

    fn proven_at<'a>(&'a self, public_values: &'a [u8]) -> Asked<'a, Option<u64>> {
        Box::pin(async move {
            Ok(self.files().iter().any(|(_, mined)| mined == public_values).then_some(GENESIS))
        })
    }

    fn submit<'a>(
        &'a self,
        record: &'a ProofRecord,
        earlier: &'a [Sent],
        on_sent: OnSent<'a>,
    ) -> Submission<'a> {
        Box::pin(async move {
            if let Some(last) = earlier.last() {
                return Ok(self.mine(last));
            }
            self.assert_signed(std::slice::from_ref(record));
            self.sign(&record.public_values, record.public_values.clone(), on_sent)
        })
    }

    fn submit_bundle<'a>(
        &'a self,
        bundle: &'a ProofRecord,
        statements: &'a [ProofRecord],
        earlier: &'a [Sent],
        on_sent: OnSent<'a>,
    ) -> Submission<'a> {
        Box::pin(async move {
            if let Some(last) = earlier.last() {
                return Ok(self.mine(last));
            }
            self.assert_signed(statements);
            let lines: Vec<_> = statements.iter().map(|it| hex::encode(&it.public_values)).collect();
            self.sign(&bundle.public_values, [BUNDLE, lines.join("\n").as_bytes()].concat(), on_sent)
        })
    }
}

/// How a transaction with a bundle begins.
const BUNDLE: &[u8] = b"bundle\n";

/// A contract in a folder to which proofs of one program do not get through as it was told, one attempt after the other, and
/// then each.
#[derive(Debug)]
pub struct Failing {
    pub contract: FolderContract,
    pub program: Program,
    pub errors: Mutex<Vec<SubmitError>>,
}

impl Submit for Failing {
    fn target(&self) -> String {
        self.contract.target()
    }

    fn knowledge(&self, first_period: u64, count: u64) -> Asked<'_, Knowledge> {
        self.contract.knowledge(first_period, count)
    }

    fn proven_at<'a>(&'a self, public_values: &'a [u8]) -> Asked<'a, Option<u64>> {
        self.contract.proven_at(public_values)
    }

    fn submit<'a>(
        &'a self,
        record: &'a ProofRecord,
        earlier: &'a [Sent],
        on_sent: OnSent<'a>,
    ) -> Submission<'a> {
        let mut errors = self.errors.lock().unwrap();
        if errors.is_empty() || record.program() != Some(self.program) {
            return self.contract.submit(record, earlier, on_sent);
        }
        let error = errors.remove(0);
        Box::pin(async move { Err(error) })
    }

    fn submit_bundle<'a>(
        &'a self,
        bundle: &'a ProofRecord,
        statements: &'a [ProofRecord],
        earlier: &'a [Sent],
        on_sent: OnSent<'a>,
    ) -> Submission<'a> {
        let mut errors = self.errors.lock().unwrap();
        if errors.is_empty() || self.program != Program::Bundle {
            return self.contract.submit_bundle(bundle, statements, earlier, on_sent);
        }
        let error = errors.remove(0);
        Box::pin(async move { Err(error) })
    }
}

/// What a contract says that was reverted without a reason.
pub fn reverted() -> Refusal {
    Refusal::decode(&[])
}
