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
    let rules = Rules::of(CHAIN, hardfork).unwrap();
    let mut db = WitnessDb::new(&owned.as_witness(), owned.parent_hash(), &rules).unwrap();
    execute(&block, senders, &mut db, &rules)
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

/// Before Prague a delegation is code like any other, which begins with an instruction that there is not.
#[test]
fn delegations_begin_with_prague() {
    let delegation = [&hex!("ef0100")[..], SENDER.as_slice()].concat();
    let mut sending = world();
    sending.get_mut(&SENDER).unwrap().code = delegation.clone().into();
    assert!(run(&sending, Prague, &[signed(eip1559())]).is_ok());
    let error = run(&sending, Cancun, &[signed(eip1559())]).unwrap_err();
    assert!(matches!(error, ExecuteError::Transaction { index: 0, .. }), "{error}");

    let mut called = world();
    called.insert(RECEIVER, contract(&delegation));
    for (hardfork, is_success) in [(Prague, true), (Cancun, false)] {
        let outcome = run(&called, hardfork, &[signed(eip1559())]).unwrap();
        assert_eq!(outcome.receipts[0].status(), is_success, "{hardfork:?}");
        assert_eq!(outcome.gas_used == 100_000, !is_success, "{hardfork:?}");
    }
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

/// Words of a contract's storage that a block has changed.
fn slots(outcome: &Outcome, address: Address) -> Vec<(U256, U256)> {
    let storage = &outcome.changes.account(&address).unwrap().storage;
    let mut slots: Vec<_> = storage.iter().map(|(slot, word)| (*slot, word.present_value)).collect();
    slots.sort();
    slots
}

/// Stores the gas price in slot 0 and the gas that is left in slot 1, after a look at the balance of RECEIVER.
fn pricing() -> Account {
    contract(&[&[0x73][..], RECEIVER.as_slice(), &hex!("31 50 3a5f55 5a600155 00")].concat())
}

/// 30,000,000 gas, also where creation may have to collide with storage (EIP-7610), at the base fee.
#[test]
fn the_system_has_so_much_gas_and_pays_the_base_fee() {
    // PUSH20, BALANCE and POP; GASPRICE, PUSH0 and SSTORE; GAS.
    let left = 30_000_000 - (3 + 2600 + 2) - (2 + 2 + 22_100) - 2;
    let expected = [(U256::from(0), U256::from(7)), (U256::from(1), U256::from(left))];
    let storage = [(U256::from(9), U256::from(9))].into();
    let alone = Account { balance: U256::from(1), storage, ..Account::default() };
    for receiver in [None, Some(alone)] {
        let mut world = world();
        world.extend(receiver.map(|receiver| (RECEIVER, receiver)));
        world.insert(BEACON_ROOTS_ADDRESS, pricing());
        world.insert(HISTORY_STORAGE_ADDRESS, pricing());
        for hardfork in [Cancun, Prague, Osaka] {
            let outcome = run(&world, hardfork, &[]).unwrap();
            assert_eq!(slots(&outcome, BEACON_ROOTS_ADDRESS), expected, "{hardfork:?}");
        }
        let outcome = run(&world, Prague, &[]).unwrap();
        assert_eq!(slots(&outcome, HISTORY_STORAGE_ADDRESS), expected);
    }
}

#[test]
fn a_contract_that_needs_more_gas_to_answer_makes_the_block_invalid() {
    let needing = |jumpdests: usize| {
        // SSTORE of 1 in a new slot, 22,106 gas with what is pushed; a gas for each JUMPDEST.
        let stores = (0..1357u16).flat_map(|slot| {
            let [high, low] = slot.to_be_bytes();
            [0x60, 1, 0x61, high, low, 0x55]
        });
        contract(&stores.chain(vec![0x5b; jumpdests]).chain([0]).collect::<Vec<u8>>())
    };
    assert_eq!(1357 * 22_106 + 2158, 30_000_000);
    for address in [WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS] {
        for hardfork in [Prague, Osaka, EthereumHardfork::Bpo2] {
            let mut world = world();
            world.insert(address, needing(2158));
            assert!(run(&world, hardfork, &[]).is_ok());
            world.insert(address, needing(2159));
            let error = run(&world, hardfork, &[]).unwrap_err();
            assert!(matches!(error, ExecuteError::System { stage: "after", .. }), "{error}");
        }
    }
}

/// EIP-4788 comes before EIP-2935.
#[test]
fn beacon_roots_come_before_block_hashes() {
    // Doubles its slot 0, and adds one if the system calls.
    let mut doubling = hex!("5f54 8001 33 73").to_vec();
    doubling.extend(revm::handler::SYSTEM_ADDRESS.as_slice());
    doubling.extend(hex!("1401 5f55 00"));
    // Calls that one.
    let mut calling = hex!("5f5f5f5f5f 73").to_vec();
    calling.extend(HISTORY_STORAGE_ADDRESS.as_slice());
    calling.extend(hex!("5af1 00"));
    let mut world = world();
    world.insert(HISTORY_STORAGE_ADDRESS, contract(&doubling));
    world.insert(BEACON_ROOTS_ADDRESS, contract(&calling));
    let outcome = run(&world, Prague, &[]).unwrap();
    assert_eq!(slots(&outcome, HISTORY_STORAGE_ADDRESS), [(U256::from(0), U256::from(1))]);
}

#[test]
fn balances_that_could_pass_2_to_the_256_are_refused() {
    let with = |receiver| {
        let mut world = world();
        let account = Account { balance: receiver, ..Account::default() };
        world.insert(RECEIVER, account);
        run(&world, Prague, &[signed(eip1559())])
    };
    // The sender's, and a withdrawal of three gwei.
    let most = U256::MAX - (U256::MAX >> 8) - U256::from(3_000_000_000u64);
    assert!(with(most).is_ok());
    assert!(matches!(with(most + U256::from(1)), Err(ExecuteError::Wei)));
    assert!(matches!(with(U256::MAX), Err(ExecuteError::Wei)));
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
        let mut db = WitnessDb::new(&owned.as_witness(), owned.parent_hash(), &rules).ok()?;
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
