//! EIP-7610, by creation in every way: by a transaction, by CREATE and by CREATE2.

use alloc::vec;
use alloc::vec::Vec;

use alloy_hardforks::EthereumHardfork;
use alloy_primitives::{TxKind, U256, address, hex, keccak256};
use revm::DatabaseCommit;
use revm::context::TransactionType;
use revm::context_interface::either::Either;
use revm::context_interface::result::ExecutionResult;
use revm::context_interface::transaction::{Authorization, RecoveredAuthority, RecoveredAuthorization};

use super::*;
use crate::forks::Rules;
use crate::world::{Account, World, witness};

const SENDER: Address = address!("0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b");
const FACTORY: Address = address!("0x00000000000000000000000000000000000000fa");
/// Stores 1 in slot 1 and leaves no code.
const INIT_CODE: [u8; 5] = hex!("6001600155");
const GAS: u64 = 1_000_000;

/// Creates with INIT_CODE by CREATE (or CREATE2 with salt 0), sending `value`; answers with the address and whatever gas is left.
fn factory(is_create2: bool, value: u8) -> Vec<u8> {
    // PUSH5 init code, MSTORE at 0: it is in bytes 27 to 32.
    let mut code = vec![0x64];
    code.extend(INIT_CODE);
    code.extend(hex!("600052"));
    if is_create2 {
        code.extend(hex!("6000")); // salt
    }
    code.extend([0x60, 0x05, 0x60, 0x1b, 0x60, value, if is_create2 { 0xf5 } else { 0xf0 }]);
    // MSTORE the address at 0, the remaining gas at 32, and RETURN both.
    code.extend(hex!("600052 5a602052 60406000f3"));
    code
}

fn alone(balance: u64) -> Account {
    let storage = [(U256::from(9), U256::from(9))].into();
    Account { balance: U256::from(balance), storage, ..Account::default() }
}

fn rich(nonce: u64) -> Account {
    Account { nonce, balance: U256::from(u64::MAX), ..Account::default() }
}

fn transaction(kind: TxKind) -> TxEnv {
    let data = if kind.is_create() { Bytes::from_static(&INIT_CODE) } else { Bytes::new() };
    TxEnv { caller: SENDER, gas_limit: GAS, gas_price: 0, kind, data, ..TxEnv::default() }
}

fn env() -> EvmEnv {
    let block_env = BlockEnv { gas_limit: 30_000_000, number: U256::from(8), ..BlockEnv::default() };
    EvmEnv { cfg_env: CfgEnv::new_with_spec(SpecId::PRAGUE), block_env }
}

/// Runs transactions on a world; returns their results, and accounts afterwards.
fn run(world: &World, kinds: &[TxKind], look: &[Address]) -> (Vec<ExecutionResult>, Vec<(u64, U256)>) {
    run_all(world, kinds.iter().map(|kind| transaction(*kind)), look)
}

fn run_all(
    world: &World,
    transactions: impl IntoIterator<Item = TxEnv>,
    look: &[Address],
) -> (Vec<ExecutionResult>, Vec<(u64, U256)>) {
    let (_, owned) = witness(world);
    let rules = Rules::of(1, EthereumHardfork::Prague).unwrap();
    let mut db = WitnessDb::new(&owned.as_witness(), owned.parent_hash(), &rules).unwrap();
    let mut state = State::builder().with_database(&mut db).with_bundle_update().build();
    let mut evm = BlockEvm::new(&mut state, env());
    let mut results = Vec::new();
    for (nonce, transaction) in (0..).zip(transactions) {
        let result = evm.transact(TxEnv { nonce, ..transaction }).unwrap();
        results.push(result.result);
        evm.db_mut().commit(result.state);
    }
    let (db, _) = evm.finish();
    let accounts = look.iter().map(|address| {
        let info = revm::Database::basic(db, *address).unwrap().unwrap_or_default();
        (info.nonce, revm::Database::storage(db, *address, U256::from(1)).unwrap())
    });
    let accounts = accounts.collect();
    (results, accounts)
}

fn words(result: &ExecutionResult) -> [U256; 2] {
    let output = result.output().unwrap();
    [U256::from_be_slice(&output[..32]), U256::from_be_slice(&output[32..])]
}

#[test]
fn a_transaction_that_creates() {
    let target = SENDER.create(0);
    let mut world = World::from([(SENDER, rich(0)), (target, alone(1))]);
    let (results, accounts) = run(&world, &[TxKind::Create], &[SENDER, target]);
    let ExecutionResult::Halt { reason, .. } = &results[0] else { panic!("{:?}", results[0]) };
    assert_eq!(*reason, HaltReason::CreateCollision);
    assert_eq!(results[0].tx_gas_used(), GAS);
    assert_eq!(accounts, [(1, U256::ZERO), (0, U256::ZERO)]);

    // Without storage nothing is in the way; a balance is not.
    world.insert(target, Account { balance: U256::from(1), ..Account::default() });
    let (results, accounts) = run(&world, &[TxKind::Create], &[SENDER, target]);
    assert!(results[0].is_success());
    assert_eq!(accounts, [(1, U256::ZERO), (1, U256::from(1))]);
}

#[test]
fn a_contract_that_creates() {
    let by_create2 = FACTORY.create2(U256::ZERO.to_be_bytes::<32>(), keccak256(INIT_CODE));
    for (is_create2, target) in [(false, FACTORY.create(1)), (true, by_create2)] {
        let contract = |value| Account { code: factory(is_create2, value).into(), ..rich(1) };
        let mut world = World::from([(SENDER, rich(0)), (FACTORY, contract(1)), (target, alone(1))]);
        let call = TxKind::Call(FACTORY);
        let (results, accounts) = run(&world, &[call], &[FACTORY, target]);
        let [address, gas] = words(&results[0]);
        // 63 parts of 64 of the gas are gone, and the nonce has moved on.
        assert_eq!(address, U256::ZERO);
        assert!(gas < U256::from(GAS / 64), "{gas} left");
        assert_eq!(accounts, [(2, U256::ZERO), (0, U256::ZERO)]);

        // An account of code or with a nonce collides as ever, with the same gas.
        for account in [rich(1), Account { code: vec![0].into(), ..rich(0) }] {
            world.insert(target, account);
            assert_eq!(words(&run(&world, &[call], &[]).0[0]), [address, gas]);
        }

        // Nobody's account: created.
        world.remove(&target);
        let (results, accounts) = run(&world, &[call], &[FACTORY, target]);
        assert_eq!(words(&results[0])[0], U256::from_be_slice(target.as_slice()));
        assert_eq!(accounts, [(2, U256::ZERO), (1, U256::from(1))]);

        // What comes before the look at the address: no funds, no nonce left. The gas comes back then.
        for poor in
            [Account { balance: U256::ZERO, ..contract(1) }, Account { nonce: u64::MAX, ..contract(1) }]
        {
            world.insert(FACTORY, poor.clone());
            world.remove(&target);
            let (expected, before) = run(&world, &[call], &[FACTORY]);
            world.insert(target, alone(1));
            let (got, after) = run(&world, &[call], &[FACTORY]);
            assert_eq!((&got, &after), (&expected, &before));
            assert!(words(&got[0])[1] > U256::from(GAS / 2));
        }
    }
}

#[test]
fn what_has_been_met_before_is_remembered() {
    // The first transaction meets the account, the second one creates there.
    let target = SENDER.create(1);
    let world = World::from([(SENDER, rich(0)), (target, alone(1))]);
    let (results, _) = run(&world, &[TxKind::Call(target), TxKind::Create], &[]);
    assert!(results[0].is_success());
    assert!(matches!(results[1], ExecutionResult::Halt { reason: HaltReason::CreateCollision, .. }));
}

#[test]
fn storage_from_before_a_nonce_is_still_there() {
    // What the account delegates to answers with its slot 9.
    let reader = address!("0x00000000000000000000000000000000000000bb");
    let code = hex!("600954 600052 60206000f3").to_vec().into();
    let owner = address!("0x00000000000000000000000000000000000000cc");
    let world = World::from([(SENDER, rich(0)), (reader, Account { code, ..rich(1) }), (owner, alone(1))]);
    let authorization = Authorization { chain_id: U256::ZERO, address: reader, nonce: 0 };
    let delegating = TxEnv {
        tx_type: TransactionType::Eip7702 as u8,
        authorization_list: vec![Either::Right(RecoveredAuthorization::new_unchecked(
            authorization,
            RecoveredAuthority::Valid(owner),
        ))],
        ..transaction(TxKind::Call(owner))
    };
    // At once; after the account has changed in another way; and afterwards.
    let call = || transaction(TxKind::Call(owner));
    for transactions in [vec![delegating.clone()], vec![call(), delegating.clone()], vec![delegating, call()]]
    {
        let (results, _) = run_all(&world, transactions, &[]);
        let answer = results.last().unwrap().output().unwrap();
        assert_eq!(U256::from_be_slice(answer), U256::from(9));
    }
}
