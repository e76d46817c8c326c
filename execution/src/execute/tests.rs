use super::*;
use alloc::{format, vec};
use alloy_consensus::{SignableTransaction, TxEip1559, TxEip4844, TxEip7702, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_eips::eip4788::BEACON_ROOTS_ADDRESS;
use alloy_eips::eip4895::Withdrawal;
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_hardforks::EthereumHardfork::{self, Cancun, Osaka, Prague};
use alloy_primitives::{B256, Bytes, Signature, TxKind, U256, hex};

use crate::block::tests::block_rlp;
use crate::world::{Account, Owned, World, witness};

const SENDER: Address = Address::repeat_byte(0xaa);
const RECEIVER: Address = Address::repeat_byte(0xbb);
const CHAIN: u64 = 1;

/// PUSH0 PUSH0 REVERT.
const REVERTING: [u8; 3] = hex!("5f5ffd");
/// Whatever it is called with: RETURN of 76 zeros.
const ASKING: [u8; 4] = hex!("604c5ff3");

fn contract(code: &[u8]) -> Account {
    Account { nonce: 1, code: Bytes::copy_from_slice(code), ..Account::default() }
}

/// A rich sender, and system contracts that ask for nothing.
fn world() -> World {
    let rich = Account { nonce: 5, balance: U256::MAX >> 8, ..Account::default() };
    let idle = || contract(&[0]);
    World::from([
        (SENDER, rich),
        (WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, idle()),
        (CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, idle()),
    ])
}

fn eip1559() -> TxEip1559 {
    TxEip1559 {
        chain_id: CHAIN,
        nonce: 5,
        gas_limit: 100_000,
        max_fee_per_gas: 10,
        to: TxKind::Call(RECEIVER),
        value: U256::from(1),
        ..TxEip1559::default()
    }
}

fn eip4844(blobs: usize) -> TxEip4844 {
    let mut hash = B256::repeat_byte(7);
    hash.0[0] = 1;
    TxEip4844 {
        chain_id: CHAIN,
        nonce: 5,
        gas_limit: 100_000,
        max_fee_per_gas: 10,
        max_fee_per_blob_gas: 10,
        to: RECEIVER,
        blob_versioned_hashes: vec![hash; blobs],
        ..TxEip4844::default()
    }
}

fn eip7702() -> TxEip7702 {
    let authorization = Authorization { chain_id: U256::from(CHAIN), address: RECEIVER, nonce: 0 };
    TxEip7702 {
        chain_id: CHAIN,
        nonce: 5,
        gas_limit: 100_000,
        max_fee_per_gas: 10,
        to: RECEIVER,
        authorization_list: vec![SignedAuthorization::new_unchecked(
            authorization,
            0,
            U256::from(1),
            U256::from(1),
        )],
        ..TxEip7702::default()
    }
}

fn signed<T: SignableTransaction<Signature>>(transaction: T) -> Vec<u8>
where
    BlockTransaction: From<alloy_consensus::Signed<T>>,
{
    BlockTransaction::from(transaction.into_signed(Signature::test_signature())).encoded_2718()
}

/// Executes a block of these transactions, all of them by SENDER.
fn run(world: &World, hardfork: EthereumHardfork, transactions: &[Vec<u8>]) -> Result<Outcome, ExecuteError> {
    run_by(world, hardfork, transactions, &vec![SENDER; transactions.len()])
}

fn run_by(
    world: &World,
    hardfork: EthereumHardfork,
    transactions: &[Vec<u8>],
    senders: &[Address],
) -> Result<Outcome, ExecuteError> {
    let (_, owned) = witness(world);
    let withdrawal = Withdrawal { address: RECEIVER, amount: 3, ..Withdrawal::default() };
    let rlp = block_rlp(transactions, &[withdrawal]);
    let mut block = Block::from_rlp(&rlp).unwrap();
    block.header.parent_hash = owned.parent_hash();
    block.header.number = 8;
    block.header.gas_limit = 30_000_000;
    let mut db = WitnessDb::new(&owned.as_witness(), owned.parent_hash()).unwrap();
    execute(&block, senders, &mut db, &Rules::of(CHAIN, hardfork).unwrap())
}

/// What is said of the first transaction of a block.
fn refusal(hardfork: EthereumHardfork, transaction: Vec<u8>) -> alloc::string::String {
    match run(&world(), hardfork, &[transaction]) {
        Err(ExecuteError::Transaction { index: 0, error }) => format!("{error}"),
        other => panic!("{hardfork:?}: {other:?}"),
    }
}

#[test]
fn transactions_of_every_type_leave_receipts_of_theirs() {
    let legacy = TxLegacy {
        nonce: 6,
        gas_price: 10,
        gas_limit: 21_000,
        to: TxKind::Call(RECEIVER),
        ..TxLegacy::default()
    };
    let transactions = [
        signed(eip1559()),
        signed(legacy),
        signed(TxEip4844 { nonce: 7, ..eip4844(2) }),
        signed(TxEip7702 { nonce: 8, ..eip7702() }),
    ];
    let outcome = run(&world(), Prague, &transactions).unwrap();
    let types: Vec<TxType> = outcome.receipts.iter().map(|receipt| receipt.tx_type()).collect();
    assert_eq!(types, [TxType::Eip1559, TxType::Legacy, TxType::Eip4844, TxType::Eip7702]);
    assert!(outcome.receipts.iter().all(|receipt| receipt.status()));
    assert_eq!(outcome.receipts.last().unwrap().cumulative_gas_used(), outcome.gas_used);
    assert_eq!(outcome.blob_gas_used, 2 * 131_072);
    // One wei by transaction, three gwei by withdrawal.
    let receiver = outcome.changes.account(&RECEIVER).and_then(|account| account.info.as_ref()).unwrap();
    assert_eq!(receiver.balance, U256::from(3_000_000_001u64));
}

#[test]
fn every_transaction_has_a_sender() {
    for got in [0, 2] {
        let error = run_by(&world(), Prague, &[signed(eip1559())], &vec![SENDER; got]).unwrap_err();
        assert!(matches!(error, ExecuteError::Senders { got: g, expected: 1 } if g == got), "{error}");
    }
}

/// What the executor is told of chain, fork and block decides on transactions.
#[test]
fn transactions_are_of_this_chain_fork_and_block() {
    let chain = signed(TxEip1559 { chain_id: 2, ..eip1559() });
    assert!(refusal(Prague, chain).contains("chain"));
    let set_code = refusal(Cancun, signed(eip7702()));
    assert!(set_code.contains("7702"), "{set_code}");
    assert!(run(&world(), Prague, &[signed(eip7702())]).is_ok());

    let price = refusal(Prague, signed(TxEip1559 { max_fee_per_gas: 6, ..eip1559() }));
    assert!(price.contains("basefee"), "{price}");
    let blob_price = refusal(Prague, signed(TxEip4844 { max_fee_per_blob_gas: 0, ..eip4844(1) }));
    assert!(blob_price.contains("blob"), "{blob_price}");

    let more = refusal(Prague, signed(TxEip1559 { gas_limit: 30_000_001, ..eip1559() }));
    assert!(more.contains("30000001"), "{more}");
    for nonce in [4, 6] {
        let error = refusal(Prague, signed(TxEip1559 { nonce, ..eip1559() }));
        assert!(error.contains("nonce"), "{error}");
    }
}

/// EIP-7594: six blobs a transaction from Osaka on, as many as a block has before.
#[test]
fn a_transaction_has_so_many_blobs() {
    for (hardfork, limit) in [(Cancun, 6), (Prague, 9), (Osaka, 6), (EthereumHardfork::Bpo2, 6)] {
        assert!(run(&world(), hardfork, &[signed(eip4844(limit))]).is_ok(), "{hardfork:?}");
        let error = refusal(hardfork, signed(eip4844(limit + 1)));
        assert!(error.contains("blobs"), "{hardfork:?}: {error}");
    }
    assert!(refusal(Prague, signed(eip4844(0))).contains("blob"));
    // EIP-4844: a versioned hash begins with 1.
    let hash = TxEip4844 { blob_versioned_hashes: vec![B256::ZERO], ..eip4844(0) };
    assert!(refusal(Prague, signed(hash)).contains("blob"));
}

/// EIP-7825.
#[test]
fn from_osaka_on_a_transaction_has_a_cap_on_its_gas() {
    const CAP: u64 = 1 << 24;
    let with = |gas_limit| signed(TxEip1559 { gas_limit, ..eip1559() });
    assert!(run(&world(), Osaka, &[with(CAP)]).is_ok());
    assert!(run(&world(), Prague, &[with(CAP + 1)]).is_ok());
    let error = refusal(Osaka, with(CAP + 1));
    assert!(error.contains("cap"), "{error}");
}

/// A sender with code is refused unless it is a delegation (EIP-3607, EIP-7702).
#[test]
fn a_contract_sends_nothing() {
    let with = |code: &[u8]| {
        let mut world = world();
        world.get_mut(&SENDER).unwrap().code = Bytes::copy_from_slice(code);
        run(&world, Prague, &[signed(eip1559())])
    };
    assert!(with(&[]).is_ok());
    assert!(with(&[&hex!("ef0100")[..], RECEIVER.as_slice()].concat()).is_ok());
    assert!(matches!(with(&[0]), Err(ExecuteError::Transaction { index: 0, .. })));
}

#[test]
fn there_must_be_contracts_to_ask_for_requests_from_prague_on() {
    for (eip, address) in [
        ("EIP-7002", WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS),
        ("EIP-7251", CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS),
    ] {
        let mut without = world();
        without.remove(&address);
        // With a balance and no code it is no contract either.
        let mut empty = world();
        empty.insert(address, Account { balance: U256::from(1), ..Account::default() });
        for world in [without, empty] {
            let error = run(&world, Prague, &[]).unwrap_err();
            assert!(
                matches!(error, ExecuteError::NoSystemContract { eip: e, address: a } if (e, a) == (eip, address)),
                "{error}"
            );
            assert!(run(&world, Cancun, &[]).is_ok());
        }
    }
}

#[test]
fn a_contract_that_fails_to_answer_makes_the_block_invalid() {
    for address in [WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS] {
        let mut world = world();
        world.insert(address, contract(&REVERTING));
        assert!(matches!(run(&world, Prague, &[]), Err(ExecuteError::System { stage: "after", .. })));
        assert!(run(&world, Cancun, &[]).is_ok());
    }
    // Those that are told of block hashes and beacon roots may fail, or not be there.
    let mut world = world();
    world.insert(BEACON_ROOTS_ADDRESS, contract(&REVERTING));
    world.insert(HISTORY_STORAGE_ADDRESS, contract(&REVERTING));
    assert!(run(&world, Prague, &[]).is_ok());
}

#[test]
fn requests_are_what_the_contracts_answer() {
    let mut world = world();
    world.insert(WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, contract(&ASKING));
    let outcome = run(&world, Prague, &[]).unwrap();
    assert_eq!(outcome.requests, Requests::new(vec![[&[1][..], &[0; 76]].concat().into()]));
    assert_eq!(run(&world, Cancun, &[]).unwrap().requests, Requests::default());
}

/// Whatever node is missing, a block that needs it is refused, and no other.
#[test]
fn a_witness_that_does_not_reach_is_refused() {
    let (_, full) = witness(&world());
    let rlp = block_rlp(&[signed(eip1559())], &[]);
    let mut block = Block::from_rlp(&rlp).unwrap();
    block.header.number = 8;
    block.header.gas_limit = 30_000_000;
    let rules = Rules::of(CHAIN, Prague).unwrap();
    let verdict = |owned: &Owned| {
        let mut db = WitnessDb::new(&owned.as_witness(), owned.parent_hash()).ok()?;
        execute(&block, &[SENDER], &mut db, &rules).ok()
    };
    assert!(verdict(&full).is_some());
    // The root, sender and contracts are read.
    let needed = (0..full.state.len()).filter(|index| {
        let mut less = full.clone();
        less.state.remove(*index);
        verdict(&less).is_none()
    });
    assert_eq!(needed.count(), full.state.len());
    assert!(verdict(&Owned { codes: vec![], ..full }).is_none());
}
